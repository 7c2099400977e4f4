//! The dialect of `/chat/completions`.

use super::chat_chunk::ChunkWriter;
use super::chat_request::{AnswerOptions, ChatRequest, Positions};
use super::{chat_completion, chat_request, error};
use crate::api::dialect::{AnswerForm, AnswerHead, Dialect, ErrorReply, FrameWriter, ParsedRequest, RequestHeaders};
use crate::catalog::NanoDollars;
use crate::conversation::Answer;
use crate::conversation::json_blocks::JsonBlocks;
use crate::error::{Error, Field, Result};
use serde_json::Value;
use std::sync::Arc;

pub struct ChatCompletions;

/// The form of a chat completion.
#[derive(Debug, Default)]
struct ChatForm {
    options: AnswerOptions,
    positions: Positions,
}

impl Dialect for ChatCompletions {
    fn parse(&self, body: JsonBlocks, _head: &RequestHeaders) -> Result<ParsedRequest> {
        let ChatRequest { request, stream, options, positions } = chat_request::parse(body)?;
        Ok(ParsedRequest { request, stream, form: Arc::new(ChatForm { options, positions }) })
    }

    fn error(&self, error: &Error, _request_id: &str) -> ErrorReply {
        error::reply(error, |field| error::field_path(field, &Positions::default()))
    }
}

impl AnswerForm for ChatForm {
    fn answer_id(&self, digits: &str) -> String {
        format!("chatcmpl-{digits}")
    }

    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        chat_completion::completion(head, self.options, answer, cost)
    }

    fn stream(self: Arc<Self>, head: AnswerHead) -> Box<dyn FrameWriter> {
        Box::new(ChunkWriter::new(&head, self.options, self.positions.clone()))
    }

    fn path(&self, field: &Field) -> String {
        error::field_path(field, &self.positions)
    }
}
