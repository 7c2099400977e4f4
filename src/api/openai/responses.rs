//! The dialect of `/responses`, OpenAI's newer API, which Codex and most SDKs use (docs/openai.md §5). `request`,
//! `input_items`, `tools` and `tool_choice` parse requests. `output_items`, `response_object` and `event_writer` write
//! answers. `names` and `carrier` hold what must come back as it went out. Nothing is stored.

mod carrier;
mod echo;
mod error;
mod event_writer;
mod form;
mod ignored;
mod input_items;
pub mod input_tokens;
mod names;
mod output_items;
mod places;
mod request;
mod response_object;
mod tool_choice;
mod tools;

use crate::api::dialect::{Dialect, ErrorReply, ParsedRequest, RequestHeaders};
use crate::conversation::json_blocks::JsonBlocks;
use crate::error::{Error, Result};
use form::ResponseForm;
use output_items::AnswerOptions;
use places::Places;
use request::ResponsesRequest;
use std::sync::Arc;

pub struct Responses;

impl Dialect for Responses {
    fn parse(&self, body: JsonBlocks, head: &RequestHeaders) -> Result<ParsedRequest> {
        let ResponsesRequest { request, stream, show_reasoning, names, places, echo } = request::parse(body, head)?;
        let options = Arc::new(AnswerOptions { show_reasoning, names, echo });
        Ok(ParsedRequest { request, stream, form: Arc::new(ResponseForm { options, places }) })
    }

    fn error(&self, error: &Error, _request_id: &str) -> ErrorReply {
        error::reply(error, |field| Places::default().path(field))
    }
}

#[cfg(test)]
mod tests;
