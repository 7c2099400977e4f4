//! The dialect of `/chat/completions`.

use super::chat_chunk::ChunkWriter;
use super::{chat_completion, chat_request, error};
use crate::api::dialect::{AnswerHead, Dialect, FrameWriter, ParsedRequest, Positions};
use crate::catalog::NanoDollars;
use crate::conversation::Answer;
use crate::conversation::json_blocks::JsonBlocks;
use crate::error::{Error, Field, Result};
use serde_json::Value;

pub struct ChatCompletions;

impl Dialect for ChatCompletions {
    fn parse(&self, body: JsonBlocks) -> Result<ParsedRequest> {
        chat_request::parse(body)
    }

    fn id_prefix(&self) -> &'static str {
        "chatcmpl"
    }

    fn complete(&self, head: &AnswerHead, answer: &Answer, cost: Option<NanoDollars>) -> Value {
        chat_completion::completion(head, answer, cost)
    }

    fn stream(&self, head: AnswerHead) -> Box<dyn FrameWriter> {
        Box::new(ChunkWriter::new(head))
    }

    fn error(&self, error: &Error) -> Value {
        error::envelope(error, |field| self.path(field, &Positions::default()))
    }

    fn path(&self, field: &Field, positions: &Positions) -> String {
        error::field_path(field, positions)
    }
}
