//! Some models write their reasoning into the text of the answer, between tags: gpt-oss uses `<reasoning>`
//! (docs/cases.md, R9). It is separated from the text while the answer streams, wherever the stream splits the tags.

const OPEN: &str = "<reasoning>";
const CLOSE: &str = "</reasoning>";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Reasoning(String),
}

/// Separates the reasoning of one answer from its text.
#[derive(Debug, Default)]
pub(super) struct ReasoningTags {
    inside: bool,
    /// Text that is held back because it may be the beginning of a tag.
    held: String,
}

impl ReasoningTags {
    /// Splits the next text of the answer into pieces.
    pub(super) fn split(&mut self, text: &str) -> Vec<Piece> {
        self.held.push_str(text);
        let mut pieces = Vec::new();
        loop {
            let tag = if self.inside { CLOSE } else { OPEN };
            if let Some(at) = self.held.find(tag) {
                let after = self.held.split_off(at + tag.len());
                self.held.truncate(at);
                pieces.extend(self.take_piece());
                self.held = after;
                self.inside = !self.inside;
                continue;
            }
            let keep = (1..tag.len()).rev().find(|length| self.held.ends_with(&tag[..*length])).unwrap_or(0);
            let tail = self.held.split_off(self.held.len() - keep);
            pieces.extend(self.take_piece());
            self.held = tail;
            return pieces;
        }
    }

    /// At the end of the answer: the text that was held back.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        self.take_piece()
    }

    fn take_piece(&mut self) -> Option<Piece> {
        let text = std::mem::take(&mut self.held);
        if text.is_empty() {
            None
        } else if self.inside {
            Some(Piece::Reasoning(text))
        } else {
            Some(Piece::Text(text))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn r9_inline_reasoning_is_separated_wherever_the_stream_is_split() {
        let answer = "<reasoning>six < seven</reasoning>42 <b>";
        for size in 1..=answer.len() {
            let mut tags = ReasoningTags::default();
            let mut text = String::new();
            let mut reasoning = String::new();
            let pieces = answer.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
            let mut all: Vec<Piece> = pieces.flat_map(|piece| tags.split(piece)).collect();
            all.extend(tags.finish());
            for piece in all {
                match piece {
                    Piece::Text(more) => text.push_str(&more),
                    Piece::Reasoning(more) => reasoning.push_str(&more),
                }
            }
            assert_eq!((reasoning.as_str(), text.as_str()), ("six < seven", "42 <b>"), "in pieces of {size}");
        }
    }
}
