//! `chat.completion.chunk`: a streamed answer (docs/openai.md §4.3). The role comes first, then the content, then
//! `finish_reason` exactly once, and then the usage if the client asked for it.

use super::answer::{FINGERPRINT, annotation, finish_reason, reasoning_detail, usage_object};
use super::error::{envelope, field_path};
use crate::api::dialect::{AnswerHead, Frame, FrameWriter};
use crate::catalog::NanoDollars;
use crate::conversation::{Event, Reasoning, Usage};
use crate::error::Error;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<[Value; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Value; 1]>,
    /// `Some(())` is written as null.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<()>,
}

/// Each chunk has at most one call, because versions of Jan from 2025 read only the first (docs/openai.md §1.5).
#[derive(Serialize)]
struct ToolCall<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}

/// The data of the last event of every stream.
pub(super) const DONE: &str = "[DONE]";
/// A comment, which every client of server-sent events ignores.
pub(super) const KEEP_ALIVE: Frame = Frame::Comment("keep-alive");

/// Writes the chunks of one answer.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    head: AnswerHead,
    /// The index of the current reasoning block, or of the next one.
    reasoning_index: usize,
    in_reasoning: bool,
    /// The length of the text so far (characters).
    text_length: usize,
}

impl ChunkWriter {
    pub(super) fn new(head: AnswerHead) -> Self {
        Self { head, reasoning_index: 0, in_reasoning: false, text_length: 0 }
    }

    fn choice(&self, delta: Delta<'_>, finish_reason: Option<&'static str>) -> Frame {
        self.chunk(&[Choice { index: 0, delta, logprobs: (), finish_reason }], None)
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<Value>) -> Frame {
        let chunk = Chunk {
            id: &self.head.id,
            object: "chat.completion.chunk",
            created: self.head.created,
            model: &self.head.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        };
        // A chunk holds only strings, numbers and options, which always serialise.
        Frame::data(serde_json::to_string(&chunk).unwrap_or_default())
    }

    fn reasoning(&self, text: Option<&str>, reasoning: &Reasoning) -> Option<Frame> {
        if self.head.options.omit_reasoning {
            return None;
        }
        let details = Some([reasoning_detail(self.reasoning_index, reasoning)]);
        Some(self.choice(Delta { reasoning_content: text, reasoning_details: details, ..Delta::default() }, None))
    }

    fn frame(&mut self, event: &Event) -> Option<Frame> {
        let delta = match event {
            Event::Text(text) => {
                self.text_length += text.chars().count();
                Delta { content: Some(text), ..Delta::default() }
            }
            Event::Reasoning(text) => {
                return self.reasoning(Some(text), &Reasoning::Text { text: text.clone(), signature: None });
            }
            Event::Signature(signature) => {
                let end = Reasoning::Text { text: String::new(), signature: Some(signature.clone()) };
                return self.reasoning(None, &end);
            }
            Event::Redacted(data) => return self.reasoning(None, &Reasoning::Redacted(data.clone())),
            // The legacy form has room for one call.
            Event::ToolCall { index: 1.., .. } | Event::Arguments { index: 1.., .. }
                if self.head.options.legacy_functions =>
            {
                return None;
            }
            Event::ToolCall { name, .. } if self.head.options.legacy_functions => {
                Delta { function_call: Some(Function { name: Some(name), arguments: "" }), ..Delta::default() }
            }
            Event::Arguments { json, .. } if self.head.options.legacy_functions => {
                Delta { function_call: Some(Function { name: None, arguments: json }), ..Delta::default() }
            }
            Event::ToolCall { index, id, name } => {
                let function = Function { name: Some(name), arguments: "" };
                tool_call(ToolCall { index: *index, id: Some(id), r#type: Some("function"), function })
            }
            Event::Arguments { index, json } => {
                let function = Function { name: None, arguments: json };
                tool_call(ToolCall { index: *index, id: None, r#type: None, function })
            }
            Event::Citation(citation) => Delta {
                annotations: Some([annotation(citation, self.text_length, self.text_length)]),
                ..Delta::default()
            },
            Event::Stop(reason) => {
                let reason = finish_reason(reason, self.head.options.legacy_functions);
                return Some(self.choice(Delta::default(), Some(reason)));
            }
            Event::BlockEnd | Event::Usage(_) => return None,
        };
        Some(self.choice(delta, None))
    }
}

fn tool_call(call: ToolCall<'_>) -> Delta<'_> {
    Delta { tool_calls: Some([call]), ..Delta::default() }
}

impl FrameWriter for ChunkWriter {
    fn start(&mut self, frames: &mut Vec<Frame>) {
        let delta = Delta { role: Some("assistant"), content: Some(""), refusal: Some(()), ..Delta::default() };
        frames.push(self.choice(delta, None));
    }

    fn event(&mut self, event: &Event, frames: &mut Vec<Frame>) {
        frames.extend(self.frame(event));
        match event {
            Event::Reasoning(_) | Event::Signature(_) | Event::Redacted(_) => self.in_reasoning = true,
            Event::BlockEnd => self.reasoning_index += usize::from(std::mem::take(&mut self.in_reasoning)),
            _ => {}
        }
    }

    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Vec<Frame>) {
        if let Some(usage) = usage
            && self.head.options.include_usage
        {
            frames.push(self.chunk(&[], Some(usage_object(&usage, cost))));
        }
        frames.push(Frame::data(DONE));
    }

    /// The error has no `choices` beside it, or AI SDK 5, which Jan uses, would ignore it (docs/openai.md §0.7).
    fn fail(&mut self, error: &Error, frames: &mut Vec<Frame>) {
        frames.push(Frame::data(envelope(error, |field| field_path(field, &self.head.positions)).to_string()));
        frames.push(Frame::data(DONE));
    }

    fn keep_alive(&self) -> Frame {
        KEEP_ALIVE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::dialect::{AnswerOptions, Positions};
    use crate::conversation::StopReason;

    fn writer(options: AnswerOptions) -> ChunkWriter {
        ChunkWriter::new(AnswerHead {
            id: "chatcmpl-1".into(),
            created: 7,
            model: "m".into(),
            options,
            positions: Positions::default(),
        })
    }

    fn written(write: impl FnOnce(&mut Vec<Frame>)) -> Vec<String> {
        let mut frames = Vec::new();
        write(&mut frames);
        let data = frames.into_iter().map(|frame| match frame {
            Frame::Event { name: None, data } => data,
            other => format!("{other:?}"),
        });
        data.collect()
    }

    #[test]
    fn chunks_read_as_openai_writes_them() {
        let mut chunks = writer(AnswerOptions { include_usage: true, ..AnswerOptions::default() });
        let head = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":"fp_chatrix","choices":["#;
        let choice = |delta: &str, reason: &str| {
            vec![format!(r#"{head}{{"index":0,"delta":{{{delta}}},"logprobs":null,"finish_reason":{reason}}}]}}"#)]
        };
        assert_eq!(
            written(|frames| chunks.start(frames)),
            choice(r#""role":"assistant","content":"","refusal":null"#, "null")
        );
        assert_eq!(
            written(|frames| chunks.event(&Event::Text("Hel".into()), frames)),
            choice(r#""content":"Hel""#, "null")
        );
        assert!(written(|frames| chunks.event(&Event::BlockEnd, frames)).is_empty());
        assert_eq!(
            written(|frames| chunks.event(&Event::Stop(StopReason::MaxTokens), frames)),
            choice("", r#""length""#)
        );
        let usage = Usage { input: 3, output: 4, cache_read: 5, ..Usage::default() };
        let end = written(|frames| chunks.finish(Some(usage), None, frames));
        assert!(end[0].starts_with(&format!(r#"{head}],"usage":{{"prompt_tokens":8,"#)), "{end:?}");
        assert_eq!(end[1..], ["[DONE]"]);
        let mut silent = writer(AnswerOptions::default());
        assert_eq!(written(|frames| silent.finish(Some(usage), None, frames)), ["[DONE]"]);
    }

    #[test]
    fn reasoning_blocks_are_numbered_and_can_be_left_out() {
        let events = [
            Event::Reasoning("a".into()),
            Event::Reasoning("b".into()),
            Event::Signature("s".into()),
            Event::BlockEnd,
            Event::Redacted("x".into()),
            Event::BlockEnd,
        ];
        let all =
            |mut writer: ChunkWriter| written(|frames| events.iter().for_each(|event| writer.event(event, frames)));
        let shown = all(writer(AnswerOptions::default()));
        for (chunk, index) in shown.iter().zip([0, 0, 0, 1]) {
            assert!(chunk.contains(&format!(r#""index":{index}}}]"#)), "{chunk}");
        }
        assert_eq!(shown.len(), 4);
        let omit_reasoning = true;
        assert!(all(writer(AnswerOptions { omit_reasoning, ..AnswerOptions::default() })).is_empty());
    }
}
