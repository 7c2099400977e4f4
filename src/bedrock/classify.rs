//! Classifies each AWS error once, as one of the kinds in [`Kind`]. It goes by the error code where there is one, by
//! the HTTP status where the code is missing, and by the message where AWS uses one code for many failures
//! (docs/bedrock.md §1.5).

use super::aws_context::AwsContext;
use super::identity_error::refused_identity;
use crate::error::{Error, Field, Kind};
use crate::policy::Refusable;
use serde_json::Value;

/// Classifies a failure that arrived as a frame of a stream, in place of an event. The frame's header names the failure
/// and its payload holds the message (docs/bedrock.md, recorded 4).
/// `began`: whether anything of the answer has come before it.
pub(super) fn stream_exception(name: &str, payload: &[u8], model: &str, context: &AwsContext, began: bool) -> Error {
    let body: Value = serde_json::from_slice(payload).unwrap_or_default();
    let message = body["message"].as_str().unwrap_or(name);
    let refused = refusal(name, 500, message, model, context);
    match refused.kind {
        // Once the answer has begun, whatever the exception, sending the request again may be billed twice.
        Kind::Throttled | Kind::Unavailable | Kind::ModelNotReady | Kind::QuotaExhausted if began => {
            Error::new(Kind::ModelFailed, format!("Bedrock cut the answer short: {message}"))
        }
        _ => refused,
    }
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

/// Classifies a refusal by its error code, HTTP status and message.
pub(super) fn refusal(code: &str, status: u16, message: &str, model: &str, context: &AwsContext) -> Error {
    let text = message.to_lowercase();
    let has = |piece: &str| text.contains(piece);
    let with_message = |kind: Kind| Error::new(kind, format!("Bedrock: {}", message.trim_end_matches('.')));

    // Bedrock reports the end of a model's life in several ways (docs/bedrock.md, trap 12).
    if has("end of its life") || has("marked by provider as legacy") {
        return with_message(Kind::EndOfLife).at(Field::Model);
    }
    // Fable and Mythos require this setting (docs/cases.md, E8).
    if has("data retention") || has("data-retention") {
        return with_message(Kind::AccessDenied)
            .advise("set the account's data retention mode for this model in the Bedrock console");
    }
    // The same code is `validationException` in a stream and `ValidationException:http://…` in a header.
    let name = code.split([':', '#']).next().unwrap_or_default();
    let name = name.strip_suffix("Exception").unwrap_or(name).to_ascii_lowercase();
    match (name.as_str(), status) {
        ("validation", _) | ("", 400) => invalid_request(with_message(Kind::InvalidRequest), &text, model, context),
        ("accessdenied", _) | ("", 401 | 403) if has("token has expired") || has("api key") || has("bearer token") => {
            with_message(Kind::ExpiredCredentials)
                .advise("create a new Bedrock API key for this region and set AWS_BEARER_TOKEN_BEDROCK")
        }
        ("accessdenied", _) | ("", 401 | 403) => with_message(Kind::AccessDenied),
        ("resourcenotfound", _) | ("", 404) => with_message(Kind::ModelNotFound).at(Field::Model),
        ("throttling" | "toomanyrequests", _) | ("", 429) if has("per day") => with_message(Kind::QuotaExhausted),
        ("throttling" | "toomanyrequests", _) | ("", 429) => with_message(Kind::Throttled),
        ("servicequotaexceeded", _) => with_message(Kind::QuotaExhausted),
        ("modelnotready", _) => with_message(Kind::ModelNotReady),
        ("serviceunavailable", _) | ("", 503) => with_message(Kind::Unavailable),
        ("modeltimeout", _) | ("", 408) => with_message(Kind::ModelTimeout),
        ("modelerror" | "modelstreamerror", _) | ("", 424) => with_message(Kind::ModelFailed),
        (name, _) => refused_identity(name, message, context).unwrap_or_else(|| with_message(Kind::UpstreamInternal)),
    }
}

/// Classifies a request that Bedrock calls invalid. `text` is the message in lower case.
fn invalid_request(otherwise: Error, text: &str, model: &str, context: &AwsContext) -> Error {
    let region = &context.region;
    if text.contains("model identifier is invalid") {
        return Error::new(Kind::ModelNotFound, format!("Bedrock in {region} has no model {model}")).at(Field::Model);
    }
    if text.contains("on-demand throughput isn") {
        return Error::new(Kind::ModelNotFound, format!("{model} is only served through an inference profile"))
            .at(Field::Model)
            .advise(format!("use {}.{model} instead", geography(region)));
    }
    let too_long = ["too long", "context limit", "maximum context length", "total text bytes"];
    if too_long.iter().any(|piece| text.contains(piece)) {
        return Error { kind: Kind::ContextLength, ..otherwise }.at(Field::Messages);
    }
    otherwise
}

/// The inference-profile prefix of a region (docs/bedrock.md §3.2).
fn geography(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("eu") => "eu",
        Some("ap") if region.starts_with("ap-northeast") => "jp",
        Some("ap") if region == "ap-southeast-2" || region == "ap-southeast-4" => "au",
        Some("ap") => "apac",
        Some("us") if region.starts_with("us-gov") => "us-gov",
        Some("us" | "ca") => "us",
        _ => "global",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str, status: u16, message: &str) -> Kind {
        let context = AwsContext::for_test("eu-west-1");
        refusal(code, status, message, "anthropic.claude-sonnet-4-6", &context).kind
    }

    #[test]
    fn recorded_refusals_are_classified() {
        for (code, status, message, expected) in [
            ("ValidationException", 400, "The provided model identifier is invalid.", Kind::ModelNotFound),
            ("", 400, "The provided model identifier is invalid.", Kind::ModelNotFound),
            (
                "ValidationException",
                400,
                "Invocation of model ID x with on-demand throughput isn’t supported.",
                Kind::ModelNotFound,
            ),
            ("ValidationException", 400, "too many total text bytes: 10000002 > 9000000", Kind::ContextLength),
            ("ValidationException", 400, "Input is too long for requested model.", Kind::ContextLength),
            ("ValidationException", 400, "This model doesn't support tool use.", Kind::InvalidRequest),
            (
                "AccessDeniedException",
                403,
                "You don't have access to the model with the specified model ID.",
                Kind::AccessDenied,
            ),
            (
                "UnrecognizedClientException",
                403,
                "The security token included in the request is invalid.",
                Kind::ExpiredCredentials,
            ),
            (
                "ExpiredTokenException",
                403,
                "The security token included in the request is expired",
                Kind::ExpiredCredentials,
            ),
            ("InvalidSignatureException", 403, "Signature expired: 2025…", Kind::ExpiredCredentials),
            ("ResourceNotFoundException", 404, "This model version has reached the end of its life.", Kind::EndOfLife),
            (
                "ResourceNotFoundException",
                404,
                "Access denied. This Model is marked by provider as Legacy and you have not…",
                Kind::EndOfLife,
            ),
            ("ThrottlingException", 429, "Too many requests, please wait before trying again.", Kind::Throttled),
            (
                "ThrottlingException",
                429,
                "Too many tokens per day, please wait before trying again.",
                Kind::QuotaExhausted,
            ),
            ("ModelNotReadyException", 429, "The model is not ready.", Kind::ModelNotReady),
            (
                "ServiceUnavailableException",
                503,
                "Model is getting throttled. Try your request again.",
                Kind::Unavailable,
            ),
            ("", 503, "Service capacity limit has been reached. Please try again later.", Kind::Unavailable),
            ("", 500, "The system encountered an unexpected error during processing.", Kind::UpstreamInternal),
            ("ModelErrorException", 424, "The model failed.", Kind::ModelFailed),
            ("modelTimeoutException", 500, "The model timed out.", Kind::ModelTimeout),
            ("validationException", 500, "The image is broken.", Kind::InvalidRequest),
        ] {
            assert_eq!(kind(code, status, message), expected, "{code} {status} {message}");
        }
    }

    #[test]
    fn advice_says_the_next_step() {
        let context = AwsContext::for_test("eu-west-1");
        let bare = refusal(
            "ValidationException",
            400,
            "with on-demand throughput isn’t supported",
            "anthropic.claude-sonnet-4-6",
            &context,
        );
        assert_eq!(bare.advice(), "use eu.anthropic.claude-sonnet-4-6 instead");
    }
}
