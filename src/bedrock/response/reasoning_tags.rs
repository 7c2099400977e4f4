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

/// Separates the reasoning of an answer from its text. Each byte is looked at once or twice, however small the pieces are
/// and however many tags they hold.
#[derive(Debug)]
pub(super) struct InlineReasoning {
    tags: ReasoningTags,
    place: Place,
    /// The white space at the start, which belongs to the text if there is no tag.
    blank: String,
    /// The start of a tag, held back until the rest of it comes.
    held: String,
}

impl InlineReasoning {
    pub(super) fn new(tags: ReasoningTags) -> Self {
        Self { tags, place: Place::Start, blank: String::new(), held: String::new() }
    }

    /// Splits the next text of the answer into pieces.
    pub(super) fn split(&mut self, text: &str) -> Vec<Piece> {
        let whole = std::mem::take(&mut self.held) + text;
        let mut rest = whole.as_str();
        let mut pieces = Vec::new();
        while let Some(after) = self.advance(&mut rest, &mut pieces) {
            rest = after;
        }
        rest.clone_into(&mut self.held);
        pieces
    }

    /// Goes on to the next place in the text; `None` when more text is needed, after `rest`.
    fn advance<'t>(&mut self, rest: &mut &'t str, pieces: &mut Vec<Piece>) -> Option<&'t str> {
        match self.place {
            Place::Start | Place::Behind => {
                let start = rest.trim_start();
                if self.place == Place::Start {
                    self.blank.push_str(&rest[..rest.len() - start.len()]);
                }
                *rest = start;
                let names = self.tags.names();
                let opened = |name: &str| start.strip_prefix('<')?.strip_prefix(name)?.strip_prefix('>');
                if let Some((name, inside)) = names.iter().find_map(|name| Some((*name, opened(name)?))) {
                    self.blank.clear();
                    self.place = Place::Inside(name);
                    return Some(inside);
                }
                if start.is_empty() || names.iter().any(|name| format!("<{name}>").starts_with(start)) {
                    return None;
                }
                self.place = Place::Text;
                Some(start)
            }
            Place::Inside(name) => {
                let closing = format!("</{name}>");
                if let Some((inside, after)) = rest.split_once(&closing) {
                    pieces.extend(piece(inside.to_owned(), Piece::Reasoning));
                    self.place = Place::Behind;
                    return Some(after);
                }
                let is_start = |length: &usize| rest.ends_with(&closing[..*length]);
                let keep = (1..closing.len()).rev().find(is_start).unwrap_or(0);
                let (inside, tail) = rest.split_at(rest.len() - keep);
                pieces.extend(piece(inside.to_owned(), Piece::Reasoning));
                *rest = tail;
                None
            }
            Place::Text => {
                pieces.extend(piece(std::mem::take(&mut self.blank) + rest, Piece::Text));
                *rest = "";
                None
            }
        }
    }

    /// At the end of a text block: what was held back. Reasoning without a closing tag stays reasoning.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.blank) + &std::mem::take(&mut self.held);
        match std::mem::replace(&mut self.place, Place::Start) {
            Place::Inside(_) => piece(held, Piece::Reasoning),
            Place::Start | Place::Behind | Place::Text => piece(held, Piece::Text),
        }
    }
}

fn piece(text: String, kind: fn(String) -> Piece) -> Option<Piece> {
    (!text.is_empty()).then(|| kind(text))
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
