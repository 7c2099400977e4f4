//! A request as a person or a client made it, before the policy has seen it.
//! Media travel as base64, which is what both sides speak; they are checked where they come in.

use serde::Deserialize;
use serde_json::Value;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person or client.
    User,
    /// The model.
    Assistant,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// A picture.
    Image(Media),
    /// A picture named by its address. It becomes an [`Part::Image`] before admission, or the request is refused.
    ImageUrl(ImageUrl),
    /// A document, with the name the model sees.
    Document(Media, String),
    /// What the model thought, handed back to it. Assistant only.
    Reasoning(Reasoning),
    /// The model asks for a tool. Assistant only.
    ToolCall(ToolCall),
    /// What a tool gave. User only.
    ToolResult(ToolResult),
    /// What came before is worth keeping in the prompt cache.
    CachePoint(CacheTtl),
}

/// A picture that a client named by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUrl {
    /// An `http:` or `https:` URL.
    pub url: String,
    /// Where it stands in the request, as a path in the client's dialect, for errors.
    pub path: String,
}

/// Bytes of a known format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Bedrock's word for the format (`png`, `pdf`, …), found in the bytes.
    pub format: &'static str,
    /// The bytes, as canonical base64.
    pub base64: String,
}

/// A thought. Claude signs its thoughts and takes them back only with the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reasoning {
    /// Readable.
    Text {
        /// The thought.
        text: String,
        /// The model's signature over it.
        signature: Option<String>,
    },
    /// Encrypted by the provider: base64.
    Redacted(String),
}

/// A tool the model wants called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Joins the call to its result.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments, as JSON text.
    pub arguments: String,
}

/// What a tool gave.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// Of which call.
    pub id: String,
    /// Text, images and documents.
    pub parts: Vec<Part>,
    /// Whether the tool failed.
    pub error: bool,
}

/// How long the prompt cache keeps something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheTtl {
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    OneHour,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
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

/// A tool the model may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments; `Null` for none.
    pub schema: Value,
    /// Whether arguments must follow the schema exactly.
    pub strict: Option<bool>,
    /// Whether the tools up to this one are worth keeping in the prompt cache.
    pub cache: Option<CacheTtl>,
}

/// Whether the model may, must or must not call tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// As it sees fit.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// At least one.
    Required,
    /// This one.
    Named(String),
}

/// What the answer must look like.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Format {
    /// Anything.
    #[default]
    Text,
    /// A JSON object.
    JsonObject,
    /// JSON by a schema.
    JsonSchema {
        /// A name for it.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Value,
    },
}

/// Whether the model is to reason before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasoningMode {
    /// The client said nothing, and the policy keeps the model from reasoning.
    #[default]
    Unspecified,
    /// The client wants none.
    Off,
    /// The client wants it, within an effort or a budget.
    On,
    /// The client leaves it to the model, within an effort.
    Adaptive,
    /// The client asked for an effort that is not known. It gets none, and the policy says so.
    Unknown,
}

/// How hard a model reasons. Bedrock and its clients use the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl Effort {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort that a word stands for, if it stands for one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max].into_iter().find(|effort| effort.as_str() == word)
    }
}

/// Whether the client wants to read the reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasoningDisplay {
    #[default]
    Shown,
    /// The model may reason, and the answer leaves the text of it out.
    Omitted,
}

/// The reasoning that a client wishes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReasoningRequest {
    pub mode: ReasoningMode,
    pub effort: Option<Effort>,
    /// The most tokens to spend on it, out of `max_tokens`.
    pub budget: Option<u32>,
    pub display: ReasoningDisplay,
}

impl ReasoningRequest {
    /// Reasoning with an effort.
    #[must_use]
    pub fn with_effort(effort: Effort) -> Self {
        Self { mode: ReasoningMode::On, effort: Some(effort), ..Self::default() }
    }

    /// Whether the client asks for reasoning.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        matches!(self.mode, ReasoningMode::On | ReasoningMode::Adaptive)
    }
}

/// How fast a call is to be served, and at which price
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceTier {
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Faster and dearer.
    Priority,
    /// A tier that the policy never grants: capacity bought in advance, or a word that is not known.
    Other,
}

impl ServiceTier {
    /// Bedrock's word for a tier that may be sent; Standard is what Bedrock calls `default`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "default",
            Self::Flex => "flex",
            Self::Priority => "priority",
            Self::Other => "other",
        }
    }
}

/// What is asked of a model. Limits and sampling are what the caller *wished*;
/// `policy::admit` decides what is sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// An alias, a Bedrock id, an inference-profile id or an ARN. Empty: the default model.
    pub model: String,
    /// System prompt: text and cache points.
    pub system: Vec<Part>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not.
    pub tool_choice: ToolChoice,
    /// Whether it may call several at once; `None` leaves it to the model.
    pub parallel_tool_calls: Option<bool>,
    /// What the answer must look like.
    pub format: Format,
    /// Wished upper bound of the answer (tokens). Signed, so that a nonsense value can be refused by name.
    pub max_tokens: Option<i64>,
    /// Wished temperature.
    pub temperature: Option<f64>,
    /// Wished nucleus sampling.
    pub top_p: Option<f64>,
    /// Wished reasoning.
    pub reasoning: ReasoningRequest,
    /// Wished service tier; `None` leaves it to the policy.
    pub service_tier: Option<ServiceTier>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Tags for the account's invocation logs.
    pub metadata: Vec<(String, String)>,
}
