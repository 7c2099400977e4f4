//! The dialect of `/messages`.

use super::event_writer::EventWriter;
use super::request::{MessagesRequest, Positions};
use super::{answer, budget, error, request};
use crate::api::dialect::{AnswerForm, AnswerHead, Dialect, ErrorReply, FrameWriter, ParsedRequest, RequestHeaders};
use crate::catalog::NanoDollars;
use crate::conversation::json_blocks::JsonBlocks;
use crate::conversation::{Answer, CutCalls};
use crate::error::{BudgetUse, Error, Field, Result};
use serde_json::Value;
use std::sync::Arc;

pub struct Messages;

/// The form of a message.
#[derive(Debug, Default)]
struct MessageForm {
    positions: Positions,
}

impl Dialect for Messages {
    fn parse(&self, body: JsonBlocks, head: &RequestHeaders) -> Result<ParsedRequest> {
        let MessagesRequest { request, stream, positions } = request::parse(body, head)?;
        Ok(ParsedRequest { request, stream, form: Arc::new(MessageForm { positions }) })
    }

    fn error(&self, error: &Error, request_id: &str) -> ErrorReply {
        error::reply(error, request_id)
    }
}

impl AnswerForm for MessageForm {
    fn answer_id(&self, digits: &str) -> String {
        format!("msg_{digits}")
    }

    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        answer::message(head, answer, cost)
    }

    fn stream(self: Arc<Self>, head: AnswerHead) -> Box<dyn FrameWriter> {
        Box::new(EventWriter::new(head))
    }

    fn path(&self, field: &Field) -> String {
        error::field_path(field, &self.positions)
    }

    /// A wait of more than a few seconds is filled with `ping`, because Claude Code waits for its turn as long as bytes
    /// come.
    fn begins_early(&self) -> bool {
        true
    }

    fn budget_headers(&self, budget: &BudgetUse) -> Vec<(&'static str, String)> {
        budget::headers(budget)
    }

    /// Claude Code runs half a call, reports the error to the model and asks again, without end. An answer that ends with
    /// `max_tokens` and without the call stops it (docs/anthropic.md §6).
    fn cut_calls(&self) -> CutCalls {
        CutCalls::LeaveOut
    }
}
