//! What the failures of calls mean for the next step: exceptions in a stream, a model that cannot stream, and the part of
//! a request that a model refuses.

use super::aws_context::AwsContext;
use super::refusal::{self, Place, Refusal};
use crate::error::{Error, Kind};
use crate::policy::Refusable;
use serde_json::Value;

/// Classifies a failure that arrived as a frame of a stream, in place of an event. The frame's header names the failure
/// and its payload holds the message (docs/bedrock.md, recorded 4).
pub(super) fn stream_exception(name: &str, payload: &[u8], place: Place, model: &str, context: &AwsContext) -> Error {
    let body: Value = serde_json::from_slice(payload).unwrap_or_default();
    let message = body["message"].as_str().unwrap_or_default();
    refusal::classified(Refusal { code: name, message, place }, model, context)
}

/// Whether Bedrock refused a request because the model cannot stream its answer (docs/cases.md, X7).
pub(super) fn cannot_stream(error: &Error) -> bool {
    let text = error.message.to_lowercase();
    error.kind == Kind::InvalidRequest
        && text.contains("stream")
        && (text.contains("support") || text.contains("unsupported"))
}

/// The part of the request that Bedrock refused, if the error names one. Such a refusal costs nothing, and the call can
/// be repeated without that part (docs/cases.md, S1, S2 and R2).
#[must_use]
pub fn refused_part(error: &Error) -> Option<Refusable> {
    if error.kind != Kind::InvalidRequest {
        return None;
    }
    let text = error.message.to_lowercase();
    let has = |piece: &str| text.contains(piece);
    let refused = ["deprecated", "not support", "unsupported", "doesn't support", "not permitted", "not allowed"];
    let refused = refused.iter().any(|piece| has(piece));
    let signature =
        has("signature") || (has("thinking") && (has("cannot be modified") || has("must start with a thinking")));
    if has("cannot both be specified") {
        Some(Refusable::TopP)
    } else if signature && !has("signature expired") {
        Some(Refusable::ReasoningHistory)
    } else if refused && has("temperature") {
        Some(Refusable::Temperature)
    } else if refused && (has("top_p") || has("topp")) {
        Some(Refusable::TopP)
    } else if refused && has("stopsequences") {
        Some(Refusable::Stop)
    } else {
        None
    }
}
