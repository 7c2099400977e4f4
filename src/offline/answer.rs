//! An answer of the offline model. Its tokens are words, or pieces of at most six letters, which is about what real
//! tokenizers make of English.

use serde_json::Value;

/// What the model answers.
pub(super) struct Answer {
    /// The blocks of the answer, in order.
    pub blocks: Vec<Block>,
    /// Bedrock's stop reason.
    pub stop: &'static str,
    /// Tokens of the request.
    pub input_tokens: usize,
    /// Whether the stream breaks off with an exception, as it was asked to.
    pub breaks: bool,
}

/// A block of an answer.
pub(super) enum Block {
    /// A thought, signed.
    Reasoning(String),
    /// Text, token by token.
    Text(Vec<String>),
    /// A tool call: id, name, arguments.
    ToolUse(String, String, Value),
}

impl Answer {
    /// Tokens of the answer.
    pub(super) fn output_tokens(&self) -> usize {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Reasoning(text) => pieces(text).len(),
            Block::Text(pieces) => pieces.len(),
            Block::ToolUse(_, name, input) => pieces(name).len() + pieces(&input.to_string()).len(),
        });
        blocks.sum()
    }
}

/// A text, token by token.
pub(super) fn pieces(text: &str) -> Vec<String> {
    const LONGEST: usize = 6;
    let mut pieces: Vec<String> = Vec::new();
    let (mut piece, mut letters) = (String::new(), 0);
    for c in text.chars() {
        let new_word = c.is_whitespace() && letters > 0;
        if new_word || letters == LONGEST {
            pieces.push(std::mem::take(&mut piece));
            letters = 0;
        }
        piece.push(c);
        letters += usize::from(!c.is_whitespace());
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}
