//! What every client-facing API must provide. The server parses requests, writes answers and renders errors
//! only through [`Dialect`]. Lists of models and embeddings have nothing to stream and are plain functions of their API.

use super::frames::Frames;
use crate::catalog::NanoDollars;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Answer, CutCalls, Event, Request, Usage};
use crate::error::{BudgetUse, Error, Field, Result};
use serde_json::Value;
use std::sync::Arc;

/// A client-facing API through which a model is asked.
pub trait Dialect: Send + Sync {
    /// Parses a request.
    ///
    /// # Errors
    /// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member at fault.
    fn parse(&self, body: JsonBlocks, head: &RequestHeaders) -> Result<ParsedRequest>;

    /// The response that reports an error. `request_id` is Chatrix's own.
    fn error(&self, error: &Error, request_id: &str) -> ErrorReply;
}

/// What a client says about a request outside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHeaders {
    /// The names in `anthropic-beta`, in the client's order.
    pub betas: Vec<String>,
    /// The client's own id for the conversation that the request belongs to.
    pub conversation: Option<String>,
    /// The guardrail that a call of `InvokeModel` names.
    pub guardrail: Option<String>,
}

/// A parsed request, and the form in which the client wants the answer.
pub struct ParsedRequest {
    pub request: Request,
    /// Whether the client wants a stream.
    pub stream: bool,
    pub form: Arc<dyn AnswerForm>,
}

/// The form in which the client of one request wants its answer.
pub trait AnswerForm: Send + Sync {
    /// The id of the answer. `digits` are random, and 24.
    fn answer_id(&self, digits: &str) -> String;

    /// The body of a complete answer.
    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value;

    /// The writer of a streamed answer.
    fn stream(self: Arc<Self>, head: AnswerHead) -> Box<dyn FrameWriter>;

    /// The content type of a streamed answer.
    fn content_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    /// The path of a part of the request, in the dialect's own words and the client's own order.
    fn path(&self, field: &Field) -> String;

    /// Whether a streamed request is answered with status 200 and an error in the stream, although the answer has not
    /// begun: where clients send the whole request again after any other answer.
    fn reports_in_stream(&self, _error: &Error) -> bool {
        false
    }

    /// The headers that say how much of a budget is used.
    fn budget_headers(&self, _budget: &BudgetUse) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether a streamed answer begins, with status 200, while its call still waits for its turn. An error then comes in
    /// the stream.
    fn begins_early(&self) -> bool {
        false
    }

    /// What happens to a tool call that the end of the answer has cut.
    fn cut_calls(&self) -> CutCalls {
        CutCalls::Refuse
    }
}

/// A response that reports an error.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorReply {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the dialect's own.
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

/// The members that a complete answer and every event of a streamed one have in common.
#[derive(Debug, Clone)]
pub struct AnswerHead {
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The model as the client named it.
    pub model: String,
    /// What the input is expected to have (tokens). The true number comes only with the usage.
    pub expected_input: u64,
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
    fn keep_alive(&mut self, frames: &mut Frames);
}
