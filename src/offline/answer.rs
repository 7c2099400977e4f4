//! An answer of the offline model. Its tokens are words or pieces of words with at most six letters, which is close to
//! what real tokenizers make of English text.

/// The signature of the offline model's reasoning. Bedrock would refuse it; only this service accepts it back.
pub(super) const SIGNATURE: &str = "b2ZmbGluZQ==";

/// What is said of an answer that fails because the user asked for that.
pub(super) const BROKEN_OFF: &str = "The model broke off, as it was asked to.";

pub(super) struct Answer {
    pub blocks: Vec<Block>,
    /// Bedrock's stop reason.
    pub stop: &'static str,
    /// The stop sequence of the request that ended the answer.
    pub stop_sequence: Option<String>,
    pub input_tokens: usize,
    /// Whether the answer ends with an exception, because the user asked for that.
    pub fails: bool,
}

pub(super) enum Block {
    Reasoning(String),
    /// The tokens of a text.
    Text(Vec<String>),
    /// The id, the name and the arguments of a tool call. The arguments are JSON, which the end of the answer may cut.
    ToolUse(String, String, String),
}

impl Block {
    /// The arguments of a call in pieces as Claude sends them: a few letters each, and none at all for no arguments.
    pub(super) fn argument_pieces(&self) -> Vec<String> {
        const LETTERS: usize = 7;
        match self {
            Self::ToolUse(_, _, arguments) if arguments != "{}" => {
                arguments.chars().collect::<Vec<_>>().chunks(LETTERS).map(String::from_iter).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Answer {
    pub(super) fn output_tokens(&self) -> usize {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Reasoning(text) => tokenize(text).len(),
            Block::Text(tokens) => tokens.len(),
            Block::ToolUse(_, name, arguments) => tokenize(name).len() + tokenize(arguments).len(),
        });
        blocks.sum()
    }
}

/// Splits a text into tokens.
pub(super) fn tokenize(text: &str) -> Vec<String> {
    const MAX_LETTERS: usize = 6;
    let mut tokens: Vec<String> = Vec::new();
    let mut token = String::new();
    let mut letters = 0;
    for c in text.chars() {
        let new_word = c.is_whitespace() && letters > 0;
        if new_word || letters == MAX_LETTERS {
            tokens.push(std::mem::take(&mut token));
            letters = 0;
        }
        token.push(c);
        letters += usize::from(!c.is_whitespace());
    }
    if !token.is_empty() {
        tokens.push(token);
    }
    tokens
}
