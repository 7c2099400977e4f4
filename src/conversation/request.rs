//! A request as a user or a client made it, before the policy has changed it.
//! Media are kept as base64, which both the clients and Bedrock use. They are checked when the request is read.

use super::native::NativeRequest;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
}

/// A part of a message or of the system prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text(String),
    Image(Media),
    /// An image given by its URL. It is replaced by a [`Part::Image`] before the request is sent, or the request is
    /// refused.
    ImageUrl(ImageUrl),
    /// A document, and the name that the model sees.
    Document(Media, String),
    /// Reasoning from an earlier answer, returned to the model. Only in assistant messages.
    Reasoning(Reasoning),
    /// Only in assistant messages.
    ToolCall(ToolCall),
    /// Only in user messages.
    ToolResult(ToolResult),
    /// Everything up to here is to be kept in the prompt cache.
    CachePoint(CacheTtl),
}

/// An image that a client gave by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUrl {
    /// The URL, with the scheme `http:` or `https:`.
    pub url: String,
    /// The place of the image in the request, for errors: a path in the notation of the client's dialect.
    pub path: String,
}

/// An image or a document of a known format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Bedrock's name for the format, such as `png` or `pdf`.
    pub format: &'static str,
    /// The bytes in canonical base64.
    pub base64: String,
}

/// A block of the model's reasoning. Claude signs its reasoning and accepts it back only with the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reasoning {
    Text {
        text: String,
        /// The model's signature over the text.
        signature: Option<String>,
    },
    /// Reasoning that the provider has encrypted (base64).
    Redacted(String),
}

/// A call of a tool by the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The result of the call carries the same id.
    pub id: String,
    pub name: String,
    /// JSON text.
    pub arguments: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The id of the call.
    pub id: String,
    /// Text, images and documents.
    pub parts: Vec<Part>,
    /// Whether the tool failed.
    pub error: bool,
}

/// How long the prompt cache keeps an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheTtl {
    FiveMinutes,
    OneHour,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

impl Request {
    /// Visits the images that are given by URL, always in the same order.
    pub(crate) fn visit_image_urls(&mut self, mut visit: impl FnMut(&mut Part)) {
        let mut visit = |part: &mut Part| {
            if matches!(part, Part::ImageUrl(_)) {
                visit(part);
            }
        };
        for part in self.messages.iter_mut().flat_map(|message| &mut message.parts) {
            match part {
                Part::ToolResult(result) => result.parts.iter_mut().for_each(&mut visit),
                part => visit(part),
            }
        }
    }
}

impl Message {
    /// A user message of plain text.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, parts: vec![Part::Text(text.into())] }
    }

    /// An assistant message of plain text.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, parts: vec![Part::Text(text.into())] }
    }

    /// The parts, and after them those inside tool results.
    pub fn parts_with_results(&self) -> impl Iterator<Item = &Part> {
        let results = self.parts.iter().filter_map(|part| match part {
            Part::ToolResult(result) => Some(&result.parts),
            _ => None,
        });
        self.parts.iter().chain(results.flatten())
    }
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// The JSON schema of the arguments. `Null` when the client gave none.
    pub schema: Value,
    /// Whether the arguments must follow the schema exactly.
    pub strict: Option<bool>,
    /// Whether the tools up to this one are to be kept in the prompt cache.
    pub cache: Option<CacheTtl>,
}

/// Whether the model may, must or must not call tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// The model must not call a tool.
    None,
    /// The model must call at least one tool.
    Required,
    /// The model must call the tool with this name.
    Named(String),
}

/// What the answer must look like.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Format {
    #[default]
    Text,
    JsonObject,
    JsonSchema {
        name: String,
        description: Option<String>,
        schema: Value,
    },
}

/// Whether the model is to reason before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasoningMode {
    /// The client did not say. The policy then keeps the model from reasoning.
    #[default]
    Unspecified,
    /// The client wants no reasoning.
    Off,
    /// The client wants reasoning, within an effort or a budget.
    On,
    /// The client leaves it to the model, within an effort.
    Adaptive,
    /// The client requested an unknown effort. The policy grants no reasoning and lists that as an edit.
    Unknown,
}

/// How much a model reasons. Bedrock and its clients use the same words.
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

    /// The effort with this name, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max].into_iter().find(|effort| effort.as_str() == word)
    }
}

/// Whether the client wants to read the reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasoningDisplay {
    /// As the model does it by itself.
    #[default]
    Unspecified,
    /// A summary is wanted, also of a model that by itself shows none.
    Summarized,
    /// The model may reason, but the answer leaves out the text of its reasoning.
    Omitted,
}

/// The reasoning that a client requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReasoningRequest {
    pub mode: ReasoningMode,
    pub effort: Option<Effort>,
    /// The most tokens that the reasoning may use. They count against `max_tokens`.
    pub budget: Option<u32>,
    pub display: ReasoningDisplay,
}

impl ReasoningRequest {
    #[must_use]
    pub fn with_effort(effort: Effort) -> Self {
        Self { mode: ReasoningMode::On, effort: Some(effort), ..Self::default() }
    }

    #[must_use]
    pub fn is_requested(&self) -> bool {
        matches!(self.mode, ReasoningMode::On | ReasoningMode::Adaptive)
    }
}

/// How fast a call is served, and at which price
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceTier {
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Faster and more expensive.
    Priority,
    /// A tier that the policy never grants: capacity that was bought in advance, or an unknown name.
    Other,
}

impl ServiceTier {
    /// Bedrock's name for the tier. `other` is never sent.
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

/// A member of a client's request that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredMember {
    /// The client's own word.
    pub name: String,
    /// The value of a number or a flag. `None` for anything longer, which may hold a user's text.
    pub value: Option<String>,
}

/// A request to a model. Its limits and sampling parameters are those that the caller requested; `Policy::admit`
/// decides what is sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// An alias, a Bedrock id, an inference-profile id or an ARN. Empty for the default model.
    pub model: String,
    /// The system prompt, made of text and cache points.
    pub system: Vec<Part>,
    /// The oldest message comes first.
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: ToolChoice,
    /// Whether the model may call several tools at once. `None` leaves it to the model.
    pub parallel_tool_calls: Option<bool>,
    pub format: Format,
    /// Whether the answer is to cite the documents of the request.
    pub cite_documents: bool,
    /// The requested upper bound of the answer (tokens). It is signed, so that an error can name a negative value.
    pub max_tokens: Option<i64>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub reasoning: ReasoningRequest,
    /// `None` when the client requested none.
    pub service_tier: Option<ServiceTier>,
    /// The texts that end the answer.
    pub stop: Vec<String>,
    /// Tags for the invocation logs of the AWS account.
    pub metadata: Vec<(String, String)>,
    /// The client's own id of the conversation, which is never logged.
    pub conversation: Option<String>,
    /// The same request in the client's own words, where the service may speak its API.
    pub native: Option<NativeRequest>,
    /// What the client sent that has no meaning here. The policy lists it among its changes.
    pub ignored: Vec<IgnoredMember>,
}
