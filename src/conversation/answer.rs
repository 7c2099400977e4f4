//! A whole answer, assembled from its events. The blocks keep the order in which the model wrote them.

use super::event::{Citation, Event, StopReason, Usage};
use super::request::{Reasoning, ToolCall};
use bytes::Bytes;

/// A source that the model cites for the beginning of a text block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CitedText {
    /// The end of the cited text, in bytes from the beginning of its block.
    pub end: usize,
    pub citation: Citation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Text { text: String, citations: Vec<CitedText> },
    Reasoning(Reasoning),
    ToolCall(ToolCall),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub blocks: Vec<Block>,
    pub stop: StopReason,
    /// `None` when Bedrock reported no usage.
    pub usage: Option<Usage>,
    /// The JSON of the answer in the service's own words, where the client speaks the service's API.
    pub native: Option<Bytes>,
}

/// What happens to a tool call that the end of an answer has cut, when the answer has no other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CutCalls {
    /// The answer is an error.
    #[default]
    Refuse,
    /// The answer is empty, and says that it was cut. Every call is held back until it is known to be whole.
    LeaveOut,
}

impl Answer {
    /// The texts of all blocks, joined.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.blocks.iter().map(|block| match block {
            Block::Text { text, .. } => text.as_str(),
            Block::Reasoning(_) | Block::ToolCall(_) => "",
        });
        texts.collect()
    }

    /// The readable reasoning of all blocks, joined.
    #[must_use]
    pub fn reasoning_text(&self) -> String {
        let texts = self.reasoning().map(|reasoning| match reasoning {
            Reasoning::Text { text, .. } => text.as_str(),
            Reasoning::Redacted(_) => "",
        });
        texts.collect()
    }

    pub fn reasoning(&self) -> impl Iterator<Item = &Reasoning> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Reasoning(reasoning) => Some(reasoning),
            Block::Text { .. } | Block::ToolCall(_) => None,
        })
    }

    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(|block| match block {
            Block::ToolCall(call) => Some(call),
            Block::Text { .. } | Block::Reasoning(_) => None,
        })
    }
}

/// Assembles an answer from its events.
#[derive(Debug, Default)]
pub struct AnswerBuilder {
    blocks: Vec<Block>,
    /// Whether the last block may still grow.
    open: bool,
    /// The index in `blocks` of each tool call, by the index of the call.
    calls: Vec<usize>,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    native: Option<Bytes>,
}

impl AnswerBuilder {
    pub fn add(&mut self, event: Event) {
        match event {
            Event::Text(more) => self.edit_text(|text, _| text.push_str(&more)),
            Event::Citation(citation) => self.edit_text(|text, citations| {
                citations.push(CitedText { end: text.len(), citation });
            }),
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => self.add_reasoning(&event),
            Event::ToolCall { id, name, .. } => {
                self.calls.push(self.blocks.len());
                self.begin(Block::ToolCall(ToolCall { id, name, arguments: String::new() }));
            }
            Event::Arguments { index, json } => {
                let block = self.calls.get(index).and_then(|position| self.blocks.get_mut(*position));
                if let Some(Block::ToolCall(call)) = block {
                    call.arguments.push_str(&json);
                }
            }
            Event::BlockEnd => self.open = false,
            Event::Stop(reason) => self.stop = Some(reason),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Native(native) => self.native = Some(native.json),
        }
    }

    /// The answer. `None` when its stop reason never came.
    #[must_use]
    pub fn finish(self) -> Option<Answer> {
        Some(Answer { blocks: self.blocks, stop: self.stop?, usage: self.usage, native: self.native })
    }

    fn begin(&mut self, block: Block) {
        self.blocks.push(block);
        self.open = true;
    }

    /// Edits the open text block, or begins a new one.
    fn edit_text(&mut self, edit: impl FnOnce(&mut String, &mut Vec<CitedText>)) {
        if self.open
            && let Some(Block::Text { text, citations }) = self.blocks.last_mut()
        {
            edit(text, citations);
        } else {
            let mut text = String::new();
            let mut citations = Vec::new();
            edit(&mut text, &mut citations);
            self.begin(Block::Text { text, citations });
        }
    }

    fn add_reasoning(&mut self, event: &Event) {
        let open = match self.blocks.last_mut() {
            Some(Block::Reasoning(reasoning)) if self.open => Some(reasoning),
            _ => None,
        };
        if let Some(reasoning) = continue_reasoning(open, event) {
            self.begin(Block::Reasoning(reasoning));
        }
    }
}

/// Adds an event to the open reasoning block. Returns a new block if the event begins one.
#[must_use]
pub fn continue_reasoning(open: Option<&mut Reasoning>, event: &Event) -> Option<Reasoning> {
    match (event, open) {
        (Event::Reasoning(more), Some(Reasoning::Text { text, signature: None })) => {
            text.push_str(more);
            None
        }
        (Event::Reasoning(text), _) => Some(Reasoning::Text { text: text.clone(), signature: None }),
        (Event::Signature(signed), Some(Reasoning::Text { signature: signature @ None, .. })) => {
            *signature = Some(signed.clone());
            None
        }
        // A signature without text is a reasoning block too (docs/cases.md, R3).
        (Event::Signature(signed), _) => Some(Reasoning::Text { text: String::new(), signature: Some(signed.clone()) }),
        (Event::Redacted(data), _) => Some(Reasoning::Redacted(data.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    #[test]
    fn blocks_keep_their_order_and_their_ends() {
        let mut builder = AnswerBuilder::default();
        let citation = Citation { title: "t".into(), ..Citation::default() };
        for event in [
            text("one"),
            Event::BlockEnd,
            Event::Reasoning("hm".into()),
            Event::Signature("s".into()),
            Event::BlockEnd,
            Event::Reasoning("again".into()),
            Event::BlockEnd,
            Event::ToolCall { index: 0, id: "a".into(), name: "look".into() },
            Event::Arguments { index: 0, json: "{\"x\":".into() },
            Event::Arguments { index: 0, json: "1}".into() },
            Event::BlockEnd,
            text("two "),
            text("more"),
            Event::Citation(citation.clone()),
            Event::BlockEnd,
            Event::Stop(StopReason::StopSequence(Some("END".into()))),
        ] {
            builder.add(event);
        }
        let plain = |text: &str| Block::Text { text: text.into(), citations: Vec::new() };
        let reasoning = |text: &str, signature: Option<&str>| {
            Block::Reasoning(Reasoning::Text { text: text.into(), signature: signature.map(Into::into) })
        };
        let call = ToolCall { id: "a".into(), name: "look".into(), arguments: "{\"x\":1}".into() };
        let cited = vec![CitedText { end: 8, citation }];
        let expected = Answer {
            blocks: vec![
                plain("one"),
                reasoning("hm", Some("s")),
                reasoning("again", None),
                Block::ToolCall(call),
                Block::Text { text: "two more".into(), citations: cited },
            ],
            stop: StopReason::StopSequence(Some("END".into())),
            usage: None,
            native: None,
        };
        assert_eq!(expected.text(), "onetwo more");
        assert_eq!(expected.reasoning_text(), "hmagain");
        assert_eq!(builder.finish(), Some(expected));
    }

    #[test]
    fn an_answer_without_a_stop_reason_is_none() {
        let mut builder = AnswerBuilder::default();
        builder.add(text("half"));
        assert_eq!(builder.finish(), None);
    }
}
