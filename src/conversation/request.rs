//! A request as a person or a client made it, before the policy has seen it.

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person or client.
    User,
    /// The model.
    Assistant,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain text.
    Text(String),
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl Message {
    /// A user's turn of plain text.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, parts: vec![Part::Text(text.into())] }
    }

    /// A model's turn of plain text.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, parts: vec![Part::Text(text.into())] }
    }
}

/// What is asked of a model. Limits and sampling are what the caller *wished*;
/// `policy::admit` decides what is sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// An alias, a Bedrock id, an inference-profile id or an ARN. Empty: the default model.
    pub model: String,
    /// System prompt, one entry per system or developer message.
    pub system: Vec<String>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Wished upper bound of the answer (tokens). Signed, so that a nonsense value can be refused by name.
    pub max_tokens: Option<i64>,
    /// Wished temperature.
    pub temperature: Option<f64>,
    /// Wished nucleus sampling.
    pub top_p: Option<f64>,
    /// Wished reasoning effort, in OpenAI's word.
    pub reasoning_effort: Option<String>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
}
