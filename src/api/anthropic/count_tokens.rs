//! `/messages/count_tokens`: how many input tokens a request has. Its body is that of a message without `max_tokens`
//! (<https://platform.claude.com/docs/en/api/messages-count-tokens>).

use super::request;
use crate::api::dialect::RequestHeaders;
use crate::conversation::Request;
use crate::conversation::json_blocks::JsonBlocks;
use crate::error::Result;
use serde_json::{Value, json};

/// Parses the request whose tokens are counted.
///
/// # Errors
/// As for a message.
pub fn parse(body: JsonBlocks, head: &RequestHeaders) -> Result<Request> {
    request::parse_for_count(body, head).map(|parsed| parsed.request)
}

/// The body of the answer.
#[must_use]
pub fn answer(input_tokens: u64) -> Value {
    json!({"input_tokens": input_tokens})
}
