//! What a client-facing API must be able to do. The server knows no dialect's words: it parses a request, writes an
//! answer and renders an error through this trait alone.

use crate::catalog::NanoDollars;
use crate::conversation::{Answer, Event, Request, Usage};
use crate::error::{Error, Field, Result};
use serde_json::Value;

/// One client-facing API for asking a model.
pub trait Dialect: Send + Sync {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member at fault.
    fn parse(&self, body: &[u8]) -> Result<ParsedRequest>;

    /// How the ids of its answers begin.
    fn id_prefix(&self) -> &'static str;

    /// A complete answer.
    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value;

    /// The writer of a streamed answer.
    fn stream(&self, head: AnswerHead) -> Box<dyn FrameWriter>;

    /// An error, as the body of a response.
    fn error(&self, error: &Error) -> Value;

    /// The path of a request's part, as the client wrote it.
    fn path(&self, field: &Field, positions: &Positions) -> String;
}

/// A parsed request, and how its answer is wanted.
#[derive(Debug, PartialEq)]
pub struct ParsedRequest {
    pub request: Request,
    /// Whether the answer is wanted as a stream.
    pub stream: bool,
    pub options: AnswerOptions,
    pub positions: Positions,
}

/// What of an answer the client wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerOptions {
    /// Whether a stream ends with its usage.
    pub include_usage: bool,
    /// Whether reasoning is left out.
    pub omit_reasoning: bool,
}

/// Where the messages and tools of a parsed request stood in the client's own lists: a dialect takes system messages
/// out, merges tool results and filters tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Positions {
    /// The client's index of each message.
    pub messages: Vec<usize>,
    /// The client's path of each tool's schema.
    pub tool_schemas: Vec<String>,
}

/// What every part of an answer repeats.
#[derive(Debug, Clone)]
pub struct AnswerHead {
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The model as the client named it.
    pub model: String,
    pub options: AnswerOptions,
}

/// Writes a streamed answer, event by event. Each step adds any number of frames.
pub trait FrameWriter: Send {
    /// What comes before the first event.
    fn start(&mut self, frames: &mut Vec<Frame>);

    /// An event up to the stop. Usage does not come here, but to [`FrameWriter::finish`].
    fn event(&mut self, event: &Event, frames: &mut Vec<Frame>);

    /// The end of a complete answer.
    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Vec<Frame>);

    /// The end of an answer that failed after it had begun.
    fn fail(&mut self, error: &Error, frames: &mut Vec<Frame>);

    /// What is sent while the model is silent, so that nobody takes it for dead.
    fn keep_alive(&self) -> Frame;
}

/// One server-sent event, or a comment between events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Event {
        name: Option<&'static str>,
        /// One line.
        data: String,
    },
    Comment(&'static str),
}

impl Frame {
    /// An event without a name.
    #[must_use]
    pub fn data(data: impl Into<String>) -> Self {
        Self::Event { name: None, data: data.into() }
    }
}
