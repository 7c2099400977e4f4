//! The steps of an answer, in the order they come:
//!
//! ```text
//! answer    = { block }, Stop, [ Usage ]
//! block     = ( text | reasoning | tool call ), BlockEnd
//! text      = { Text | Citation }
//! reasoning = { Reasoning | Signature | Redacted }
//! tool call = ToolCall, { Arguments }
//! ```
//!
//! Usage comes after the stop (docs/bedrock.md §1.4), so a reader that ends on [`Event::Stop`] never learns the cost.
//! A stream that ends before its stop is an error, never a success; `engine::Call::next` guarantees that.

/// Why the model stopped (docs/bedrock.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The answer is complete.
    EndTurn,
    /// One of the request's stop sequences came up. The text of it, where the service told which one.
    StopSequence(Option<String>),
    /// The limit on the answer was reached.
    MaxTokens,
    /// The model's context window was full.
    ContextWindow,
    /// The model wants a tool called.
    ToolUse,
    /// A guardrail of the account stepped in.
    Guardrail,
    /// The service filtered the answer.
    ContentFiltered,
    /// The model produced something that is not an answer, or not a tool call.
    Malformed(String),
    /// A reason newer than this build, in Bedrock's word.
    Unknown(String),
}

impl StopReason {
    /// Bedrock's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::EndTurn => "end_turn",
            Self::StopSequence(_) => "stop_sequence",
            Self::MaxTokens => "max_tokens",
            Self::ContextWindow => "model_context_window_exceeded",
            Self::ToolUse => "tool_use",
            Self::Guardrail => "guardrail_intervened",
            Self::ContentFiltered => "content_filtered",
            Self::Malformed(word) | Self::Unknown(word) => word,
        }
    }
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens, without cached ones (Bedrock's meaning, docs/bedrock.md, trap 9).
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the prompt cache for five minutes.
    pub cache_write_5m: u64,
    /// Input tokens written to the prompt cache for one hour.
    pub cache_write_1h: u64,
}

impl Usage {
    /// All input tokens, cached ones included (OpenAI's `prompt_tokens`).
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write())
    }

    /// All tokens written to the cache.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h)
    }
}

/// Where a piece of an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Citation {
    pub title: String,
    /// The address of the source; empty when it has none.
    pub url: String,
    /// The words that were cited.
    pub quote: String,
}

/// One step of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// More of the answer's text.
    Text(String),
    /// The source of the text so far.
    Citation(Citation),
    /// More of the model's reasoning.
    Reasoning(String),
    /// The model's signature over the reasoning of this block.
    Signature(String),
    /// Reasoning that only the model can read (base64).
    Redacted(String),
    /// A tool call begins. Calls are numbered from 0, without gaps.
    ToolCall {
        index: usize,
        /// Joins the call to its result.
        id: String,
        name: String,
    },
    /// More of a call's arguments (JSON text).
    Arguments { index: usize, json: String },
    /// The block that was open is complete.
    BlockEnd,
    /// The answer is complete.
    Stop(StopReason),
    /// What the answer took. It comes at most once, after the stop.
    Usage(Usage),
}
