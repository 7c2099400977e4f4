//! `/responses/input_tokens`: how many tokens the input of a request has. The body is that of `/responses`.

use super::request;
use crate::api::dialect::RequestHeaders;
use crate::conversation::Request;
use crate::conversation::json_blocks::JsonBlocks;
use crate::error::Result;
use serde_json::{Value, json};

/// Parses a body.
///
/// # Errors
/// `InvalidRequest`, `MissingParameter` or `Unsupported`, each naming the member.
pub fn parse(body: JsonBlocks, head: &RequestHeaders) -> Result<Request> {
    Ok(request::parse(body, head)?.request)
}

/// The body of the answer.
#[must_use]
pub fn answer(tokens: u64) -> Value {
    json!({"object": "response.input_tokens", "input_tokens": tokens})
}
