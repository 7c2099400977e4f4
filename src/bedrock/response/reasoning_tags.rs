//! Some models write their reasoning into the text of the answer, between tags: gpt-oss uses `<reasoning>`, Nova
//! `<thinking>`, Kimi `<think>` (docs/bedrock.md §2.9, docs/cases.md, R9). It is separated from the text while the answer
//! streams, wherever the stream splits the tags. Such tags stand only at the start of a text; further on they are text, as
//! in an answer about tags.

use crate::catalog::ReasoningTags;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Reasoning(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but white space so far.
    Start,
    /// Behind this opening tag.
    Inside(&'static str),
    /// Behind a closing tag, with nothing but white space since.
    Behind,
    /// In the text, where tags mean nothing.
    Text,
}

/// Separates the reasoning of an answer from its text.
#[derive(Debug)]
pub(super) struct InlineReasoning {
    tags: ReasoningTags,
    place: Place,
    /// Text that is held back, because what follows decides what it is.
    held: String,
}

impl InlineReasoning {
    pub(super) fn new(tags: ReasoningTags) -> Self {
        Self { tags, place: Place::Start, held: String::new() }
    }

    /// Splits the next text of the answer into pieces.
    pub(super) fn split(&mut self, text: &str) -> Vec<Piece> {
        self.held.push_str(text);
        let mut pieces = Vec::new();
        while self.advance(&mut pieces) {}
        pieces
    }

    /// Goes on to the next place in the text that is held; `false` when more text is needed.
    fn advance(&mut self, pieces: &mut Vec<Piece>) -> bool {
        match self.place {
            Place::Start | Place::Behind => {
                let start = self.held.trim_start();
                let names = self.tags.names();
                if let Some(name) = names.iter().find(|name| start.starts_with(&format!("<{name}>"))) {
                    self.held = start[name.len() + 2..].to_owned();
                    self.place = Place::Inside(name);
                    return true;
                }
                if start.is_empty() || names.iter().any(|name| format!("<{name}>").starts_with(start)) {
                    return false;
                }
                if self.place == Place::Behind {
                    self.held = start.to_owned();
                }
                self.place = Place::Text;
                true
            }
            Place::Inside(name) => {
                let closing = format!("</{name}>");
                if let Some(at) = self.held.find(&closing) {
                    let after = self.held.split_off(at + closing.len());
                    self.held.truncate(at);
                    pieces.extend(self.take(Piece::Reasoning));
                    self.held = after;
                    self.place = Place::Behind;
                    return true;
                }
                let is_start = |length: &usize| self.held.ends_with(&closing[..*length]);
                let keep = (1..closing.len()).rev().find(is_start).unwrap_or(0);
                let tail = self.held.split_off(self.held.len() - keep);
                pieces.extend(self.take(Piece::Reasoning));
                self.held = tail;
                false
            }
            Place::Text => {
                pieces.extend(self.take(Piece::Text));
                false
            }
        }
    }

    /// At the end of a text block: what was held back. Reasoning without a closing tag stays reasoning.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        match std::mem::replace(&mut self.place, Place::Start) {
            Place::Inside(_) => self.take(Piece::Reasoning),
            Place::Behind if self.held.trim().is_empty() => {
                self.held.clear();
                None
            }
            Place::Start | Place::Behind | Place::Text => self.take(Piece::Text),
        }
    }

    fn take(&mut self, piece: fn(String) -> Piece) -> Option<Piece> {
        let text = std::mem::take(&mut self.held);
        (!text.is_empty()).then(|| piece(text))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn r9_inline_reasoning_is_separated_wherever_the_stream_is_split() {
        for (tags, answer, reasoning, text) in [
            (ReasoningTags::Reasoning, "<reasoning>six < seven</reasoning>42 <b>", "six < seven", "42 <b>"),
            (ReasoningTags::Thinking, "\n<thinking> hm </thinking>\n\nYes.\n", " hm ", "Yes.\n"),
            (ReasoningTags::Thinking, "<thinking>a</thinking> <thinking>b</thinking> c", "ab", "c"),
            (ReasoningTags::Think, " <think> The answer is", " The answer is", ""),
            (ReasoningTags::Think, "<think>a</thi", "a</thi", ""),
            (ReasoningTags::Think, "<think></think>\n", "", ""),
            (ReasoningTags::Either, "<thinking>a</think>b</thinking>c", "a</think>b", "c"),
            (ReasoningTags::Either, "<think>a</think>c", "a", "c"),
            (ReasoningTags::Think, "<thinking>a</thinking>", "", "<thinking>a</thinking>"),
            (ReasoningTags::Think, "The tag <think>is text</think> here", "", "The tag <think>is text</think> here"),
            (ReasoningTags::Think, "<think>a</think>b <think>c</think>", "a", "b <think>c</think>"),
            (ReasoningTags::Think, "  <thi", "", "  <thi"),
            (ReasoningTags::Think, "  plain ", "", "  plain "),
            (ReasoningTags::Think, "a</think>b", "", "a</think>b"),
            (ReasoningTags::Think, " ", "", " "),
        ] {
            for size in 1..=answer.len() {
                let mut inline = InlineReasoning::new(tags);
                let pieces = answer.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
                let mut all: Vec<Piece> = pieces.flat_map(|piece| inline.split(piece)).collect();
                all.extend(inline.finish());
                let (mut text_found, mut reasoning_found) = (String::new(), String::new());
                for piece in all {
                    match piece {
                        Piece::Text(more) => text_found.push_str(&more),
                        Piece::Reasoning(more) => reasoning_found.push_str(&more),
                    }
                }
                let found = (reasoning_found.as_str(), text_found.as_str());
                assert_eq!(found, (reasoning, text), "{answer:?} in pieces of {size}");
            }
        }
    }
}
