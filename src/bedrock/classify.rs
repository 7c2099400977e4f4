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
    // The kind of a block is the client's own word, and may be any of those that are looked for.
    if has("input tag '") {
        return None;
    }
    if let Some(part) = refused_native_part(&text) {
        return Some(part);
    }
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

/// The part of a native request that a refusal names (docs/anthropic.md §4). `text` is in lower case.
fn refused_native_part(text: &str) -> Option<Refusable> {
    if let Some((before, _)) = text.split_once(": extra inputs are not permitted") {
        let path = before.rsplit([' ', '\'', '"', '`']).next().unwrap_or_default();
        let is_path = |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        return Some(path)
            .filter(|path| !path.is_empty() && is_path(path))
            .map(|path| Refusable::Member(path.to_owned()));
    }
    if text.contains("invalid beta flag") || text.contains("anthropic-beta") || text.contains("anthropic_beta") {
        return Some(Refusable::Betas);
    }
    let names_the_role = text.contains("role") && text.contains("system");
    let is_refused = ["not supported", "unexpected role", "not permitted", "input should be 'user' or 'assistant'"];
    let only_two = text.contains(".role: input should be");
    (only_two || (names_the_role && is_refused.iter().any(|words| text.contains(words))))
        .then_some(Refusable::SystemMessages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_part_of_a_native_request() {
        let member = |path: &str| Some(Refusable::Member(path.to_owned()));
        for (message, part) in [
            ("context_management: Extra inputs are not permitted", member("context_management")),
            (
                "Bedrock: tools.3.custom.defer_loading: Extra inputs are not permitted",
                member("tools.3.custom.defer_loading"),
            ),
            (
                "The model returned the following errors: messages.0.content.1.text.x: Extra inputs are not permitted",
                member("messages.0.content.1.text.x"),
            ),
            ("invalid beta flag", Some(Refusable::Betas)),
            (
                "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter",
                Some(Refusable::SystemMessages),
            ),
            ("messages.1.role: Input should be 'user' or 'assistant'", Some(Refusable::SystemMessages)),
            ("role system is not supported on this model", Some(Refusable::SystemMessages)),
            ("messages.1.content.0: Invalid `signature` in `thinking` block", Some(Refusable::ReasoningHistory)),
            ("max_tokens: must be greater than 0", None),
            ("messages.0.content.0: Input tag 'anthropic_beta' found using 'type' does not match", None),
            ("messages.0.content.0: Input tag 'temperature is not supported' found using 'type'", None),
        ] {
            assert_eq!(refused_part(&Error::new(Kind::InvalidRequest, message)), part, "{message}");
        }
    }
}
