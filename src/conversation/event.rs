//! The events of an answer, in the order in which they come:
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
//! A stream that ends without a stop is an error; `engine::Call::next` guarantees that.

use super::native::NativeEvent;

/// Why the model stopped (docs/bedrock.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The answer is complete.
    EndTurn,
    /// The model has produced one of the request's stop sequences. It is named where the service reports which one.
    StopSequence(Option<String>),
    /// The answer reached its `max_tokens`.
    MaxTokens,
    /// The model's context window was full.
    ContextWindow,
    /// The model wants to call a tool.
    ToolUse,
    /// A guardrail of the AWS account intervened.
    Guardrail,
    /// The service filtered the answer.
    ContentFiltered,
    /// The model produced something that is not a valid answer or tool call. The value is Bedrock's word.
    Malformed(String),
    /// A reason that this build does not know. The value is Bedrock's word.
    Unknown(String),
}

impl StopReason {
    /// Bedrock's word for the reason.
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

/// The tokens that one call used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens, without cached ones, which is how Bedrock counts them (docs/bedrock.md, trap 9).
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

    /// All tokens written to the prompt cache.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m.saturating_add(self.cache_write_1h)
    }
}

/// A source that the model cites for a part of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Citation {
    pub title: String,
    /// Empty when the source has none.
    pub url: String,
    /// The passage of the source that is cited.
    pub quote: String,
    /// Where the passage stands. `None` for a source that is no document of the request.
    pub passage: Option<Passage>,
}

/// A passage of a document of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passage {
    /// The position of the document among those of the request, from 0.
    pub document: u64,
    pub unit: PassageUnit,
    pub start: u64,
    /// The passage ends before it.
    pub end: u64,
}

/// What the ends of a passage count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassageUnit {
    /// Characters of a text, from 0.
    Character,
    /// Pages of a PDF, from 1.
    Page,
    /// Pieces into which the client has cut the document, from 0.
    Piece,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// More of the answer's text.
    Text(String),
    /// A source of the text of this block so far.
    Citation(Citation),
    /// More of the model's reasoning.
    Reasoning(String),
    /// The model's signature over the reasoning of this block.
    Signature(String),
    /// Reasoning that only the provider can read (base64).
    Redacted(String),
    /// A tool call begins. Calls are numbered from 0, without gaps.
    ToolCall {
        index: usize,
        /// The result of the call carries the same id.
        id: String,
        name: String,
    },
    /// More of a tool call's arguments (JSON text).
    Arguments { index: usize, json: String },
    /// The current block is complete.
    BlockEnd,
    /// The answer is complete.
    Stop(StopReason),
    /// The tokens that the call used. It comes at most once, after the stop.
    Usage(Usage),
    /// The same in the service's own words, where the client speaks the service's API. It follows the events that say the
    /// same, or precedes them when it is a complete answer.
    Native(NativeEvent),
}
