//! What every client-facing API must provide. The server parses requests, writes answers and renders errors
//! only through [`Dialect`]. Lists of models and embeddings have nothing to stream and are plain functions of their API.

use super::frames::Frames;
use crate::catalog::NanoDollars;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Answer, Event, Request, Usage};
use crate::error::{Error, Field, Result};
use serde_json::Value;

/// A client-facing API through which a model is asked.
pub trait Dialect: Send + Sync {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member at fault.
    fn parse(&self, body: JsonBlocks) -> Result<ParsedRequest>;

    /// The prefix of the ids of its answers.
    fn id_prefix(&self) -> &'static str;

    /// The body of a complete answer.
    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value;

    /// The writer of a streamed answer.
    fn stream(&self, head: AnswerHead) -> Box<dyn FrameWriter>;

    /// The body of a response that reports an error.
    fn error(&self, error: &Error) -> Value;

    /// The path of a part of the request, in the dialect's own words and the client's own order.
    fn path(&self, field: &Field, positions: &Positions) -> String;
}

/// A parsed request, and the form in which the client wants the answer.
#[derive(Debug, PartialEq)]
pub struct ParsedRequest {
    pub request: Request,
    /// Whether the client wants a stream.
    pub stream: bool,
    pub options: AnswerOptions,
    pub positions: Positions,
}

/// Which optional parts of an answer the client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerOptions {
    /// Whether a stream reports its usage at the end.
    pub include_usage: bool,
    /// Whether reasoning is left out.
    pub omit_reasoning: bool,
    /// Whether a tool call is answered in the form that `functions` had before there were `tools`.
    pub legacy_functions: bool,
}

/// Where the messages and tools of a parsed request were in the client's own lists. The two can differ, because a
/// dialect takes system messages out, merges tool results and filters tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Positions {
    /// The index of each message in the client's list.
    pub messages: Vec<usize>,
    /// The path of each tool's schema in the client's request.
    pub tool_schemas: Vec<String>,
}

/// The members that a complete answer and every chunk of a streamed one have in common.
#[derive(Debug, Clone)]
pub struct AnswerHead {
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The model as the client named it.
    pub model: String,
    pub options: AnswerOptions,
    pub positions: Positions,
}

/// Writes a streamed answer, event by event. Each step may add any number of frames.
pub trait FrameWriter: Send {
    /// Adds what comes before the first event.
    fn start(&mut self, frames: &mut Frames);

    /// Adds an event, up to and including the stop reason. Usage is not an event here; [`FrameWriter::finish`] gets it.
    fn event(&mut self, event: &Event, frames: &mut Frames);

    /// Adds the end of a complete answer.
    fn finish(&mut self, usage: Option<Usage>, cost: Option<NanoDollars>, frames: &mut Frames);

    /// Adds the end of an answer that failed after it had begun.
    fn fail(&mut self, error: &Error, frames: &mut Frames);

    /// Adds what is sent while the model is silent, so that neither the client nor a proxy closes the connection.
    fn keep_alive(&self, frames: &mut Frames);
}
