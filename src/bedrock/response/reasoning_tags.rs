//! Some models write their thoughts into the answer, between tags: gpt-oss uses `<reasoning>` (docs/cases.md, R9).
//! They are told apart while they stream, however the tags are cut.

const OPEN: &str = "<reasoning>";
const CLOSE: &str = "</reasoning>";

/// Which part of the answer a piece belongs to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The answer.
    Text(String),
    /// A thought.
    Reasoning(String),
}

/// Follows one answer.
#[derive(Debug, Default)]
pub(super) struct ReasoningTags {
    inside: bool,
    /// What may be the beginning of a tag.
    held: String,
}

impl ReasoningTags {
    /// The pieces of the next text.
    pub(super) fn pass(&mut self, text: &str) -> Vec<Piece> {
        self.held.push_str(text);
        let mut pieces = Vec::new();
        loop {
            let tag = if self.inside { CLOSE } else { OPEN };
            if let Some(at) = self.held.find(tag) {
                let after = self.held.split_off(at + tag.len());
                self.held.truncate(at);
                pieces.extend(self.piece());
                self.held = after;
                self.inside = !self.inside;
                continue;
            }
            let keep = (1..tag.len()).rev().find(|length| self.held.ends_with(&tag[..*length])).unwrap_or(0);
            let tail = self.held.split_off(self.held.len() - keep);
            pieces.extend(self.piece());
            self.held = tail;
            return pieces;
        }
    }

    /// What was held back, at the end.
    pub(super) fn rest(&mut self) -> Option<Piece> {
        self.piece()
    }

    fn piece(&mut self) -> Option<Piece> {
        let text = std::mem::take(&mut self.held);
        (!text.is_empty()).then_some(if self.inside { Piece::Reasoning(text) } else { Piece::Text(text) })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn r9_inline_thoughts_are_told_apart_however_they_are_cut() {
        let said = "<reasoning>six < seven</reasoning>42 <b>";
        for size in 1..=said.len() {
            let mut tags = ReasoningTags::default();
            let (mut text, mut reasoning) = (String::new(), String::new());
            let pieces = said.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap());
            let mut all: Vec<Piece> = pieces.flat_map(|piece| tags.pass(piece)).collect();
            all.extend(tags.rest());
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
