//! How a failure is reported. Codex decides by status and code how often it sends a request again: up to 30 times after a
//! status of 500 or more, 6 times after most others, and once after those that are used here for what must not be
//! repeated (docs/openai.md §5.6).

use super::request::PREVIOUS_RESPONSE;
use crate::api::dialect::ErrorReply;
use crate::api::openai::error::type_and_code;
use crate::error::{Error, Field, Kind, Retry};
use serde_json::{Value, json};

/// The code with which a stream ends that must not be requested again. Codex shows the message of no other.
pub(super) const FINAL: &str = "invalid_prompt";

/// The response that reports an error.
pub(super) fn reply(error: &Error, path: impl Fn(&Field) -> String) -> ErrorReply {
    let (status, r#type, code) = status_type_and_code(error.kind);
    let param = error.at.as_ref().map(path);
    let code = if param.as_deref() == Some(PREVIOUS_RESPONSE) { "previous_response_not_found" } else { code };
    let never_again = error.retry() != Retry::Free;
    ErrorReply {
        status,
        headers: never_again.then(|| ("x-should-retry", "false".to_owned())).into_iter().collect(),
        body: json!({"error": {"message": error.to_string(), "type": r#type, "param": param, "code": code}}),
    }
}

/// Whether a streamed request is answered with a stream that fails. After any status of 500 or more, Codex sends the
/// request again up to 30 times, and each may be a paid generation.
pub(super) fn belongs_in_stream(error: &Error) -> bool {
    error.retry() != Retry::Free && status_type_and_code(error.kind).0 >= 500
}

/// `error` of a response that has failed. `has_output` tells whether the client has seen a part of the answer, which is
/// paid for.
pub(super) fn response_error(error: &Error, has_output: bool) -> Value {
    let code = match error.kind {
        // Codex then shortens the conversation.
        Kind::ContextLength => "context_length_exceeded",
        _ if has_output || error.retry() != Retry::Free => FINAL,
        Kind::Throttled | Kind::RateLimited => "rate_limit_exceeded",
        _ => "server_error",
    };
    let mut message = error.to_string();
    if let Some(wait) = error.retry_after.filter(|_| code == "rate_limit_exceeded") {
        // Codex reads the time from these words.
        message.push_str(&format!("; try again in {}ms", wait.as_millis().max(1)));
    }
    json!({"code": code, "message": message})
}

/// HTTP status, OpenAI's `type` and `code` for a kind of failure.
fn status_type_and_code(kind: Kind) -> (u16, &'static str, &'static str) {
    let (r#type, code) = type_and_code(kind);
    match kind {
        // Clients of this API stop after this code, and only with this status.
        Kind::BudgetExceeded | Kind::QuotaExhausted => (429, r#type, code),
        // Any other code of a status of 404 is tried again.
        Kind::NotInRegion => (404, r#type, "model_not_found"),
        Kind::Unavailable | Kind::ModelNotReady => (503, r#type, "server_is_overloaded"),
        _ => (kind.spec().status, r#type, code),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::api::Dialect;
    use crate::api::openai::Responses;
    use std::time::Duration;

    /// Clients act on these values, so a change must be made here too: kind, HTTP status, `type`, `code`, whether a
    /// streamed request gets a stream that fails, and the code in that stream before and after the first output.
    const PINNED: [(Kind, u16, &str, &str, bool, &str, &str); 49] = [
        (Kind::InvalidRequest, 400, "invalid_request_error", "invalid_value", false, FINAL, FINAL),
        (Kind::MissingParameter, 400, "invalid_request_error", "missing_required_parameter", false, FINAL, FINAL),
        (Kind::Unsupported, 400, "invalid_request_error", "unsupported_parameter", false, FINAL, FINAL),
        (Kind::RefusedByPolicy, 400, "invalid_request_error", "refused_by_policy", false, FINAL, FINAL),
        (Kind::BudgetExceeded, 429, "insufficient_quota", "insufficient_quota", false, FINAL, FINAL),
        (Kind::LedgerUnavailable, 503, "server_error", "ledger_unavailable", false, "server_error", FINAL),
        (Kind::InvalidKey, 401, "invalid_request_error", "invalid_api_key", false, FINAL, FINAL),
        (Kind::ModelNotAllowed, 403, "permission_error", "model_not_allowed", false, FINAL, FINAL),
        (Kind::ContextLength, 400, "invalid_request_error", LENGTH, false, LENGTH, LENGTH),
        (Kind::Config, 500, "server_error", "configuration_error", true, FINAL, FINAL),
        (Kind::ModelNotFound, 404, "invalid_request_error", "model_not_found", false, FINAL, FINAL),
        (Kind::ProfileRequired, 404, "invalid_request_error", "model_not_found", false, FINAL, FINAL),
        (Kind::NotInRegion, 404, "invalid_request_error", "model_not_found", false, FINAL, FINAL),
        (Kind::EndOfLife, 404, "invalid_request_error", "model_not_found", false, FINAL, FINAL),
        (Kind::NoCredentials, 403, "permission_error", "aws_credentials_missing", false, FINAL, FINAL),
        (Kind::ExpiredCredentials, 403, "permission_error", "aws_credentials_expired", false, FINAL, FINAL),
        (Kind::ClockSkew, 403, "permission_error", "aws_clock_skew", false, FINAL, FINAL),
        (Kind::AccountNotReady, 403, "permission_error", "aws_account_not_ready", false, FINAL, FINAL),
        (Kind::AccessDenied, 403, "permission_error", "model_access_denied", false, FINAL, FINAL),
        (Kind::Throttled, 429, "rate_limit_error", RATE, false, RATE, FINAL),
        (Kind::RateLimited, 429, "rate_limit_error", RATE, false, RATE, FINAL),
        (Kind::QuotaExhausted, 429, "insufficient_quota", "insufficient_quota", false, FINAL, FINAL),
        (Kind::ModelNotReady, 503, "server_error", "server_is_overloaded", false, "server_error", FINAL),
        (Kind::Unavailable, 503, "server_error", "server_is_overloaded", false, "server_error", FINAL),
        (Kind::Unreachable, 502, "server_error", "upstream_unreachable", false, "server_error", FINAL),
        (Kind::ModelTimeout, 504, "timeout_error", "model_timeout", true, FINAL, FINAL),
        (Kind::AnswerTimeout, 504, "timeout_error", "upstream_timeout", true, FINAL, FINAL),
        (Kind::ModelFailed, 502, "server_error", "upstream_error", true, FINAL, FINAL),
        (Kind::UpstreamInternal, 500, "server_error", "internal_error", true, FINAL, FINAL),
        (Kind::ToolCallCut, 400, "invalid_request_error", "max_tokens_reached", false, FINAL, FINAL),
        (Kind::ProxyAnswer, 502, "server_error", "upstream_proxy_error", true, FINAL, FINAL),
        (Kind::Truncated, 502, "server_error", "upstream_error", true, FINAL, FINAL),
        (Kind::StreamIdle, 504, "timeout_error", "upstream_timeout", true, FINAL, FINAL),
        (Kind::InvalidUpstreamResponse, 502, "server_error", "upstream_error", true, FINAL, FINAL),
        (Kind::IncompleteAnswer, 502, "server_error", "upstream_error", true, FINAL, FINAL),
        (Kind::Interrupted, 499, "server_error", "client_closed_request", false, FINAL, FINAL),
        (Kind::ShuttingDown, 503, "server_error", "server_is_shutting_down", false, "server_error", FINAL),
        (Kind::UnknownUrl, 404, "invalid_request_error", "unknown_url", false, FINAL, FINAL),
        (Kind::MethodNotSupported, 405, "invalid_request_error", "method_not_supported", false, FINAL, FINAL),
        (Kind::TooLarge, 413, "invalid_request_error", "request_too_large", false, FINAL, FINAL),
        (Kind::RequestTimeout, 408, "timeout_error", "request_timeout", false, "server_error", FINAL),
        (Kind::HeadTooLarge, 431, "invalid_request_error", "request_header_too_large", false, FINAL, FINAL),
        (Kind::UnsupportedEncoding, 415, "invalid_request_error", "unsupported_content_encoding", false, FINAL, FINAL),
        (Kind::Overloaded, 503, "server_error", "server_is_overloaded", false, "server_error", FINAL),
        (Kind::OriginRefused, 403, "permission_error", "origin_not_allowed", false, FINAL, FINAL),
        (Kind::HostRefused, 403, "permission_error", "host_not_allowed", false, FINAL, FINAL),
        (Kind::MetricsRefused, 403, "permission_error", "metrics_not_allowed", false, FINAL, FINAL),
        (Kind::Io, 500, "server_error", "internal_error", true, FINAL, FINAL),
        (Kind::Internal, 500, "server_error", "internal_error", true, FINAL, FINAL),
    ];
    const LENGTH: &str = "context_length_exceeded";
    const RATE: &str = "rate_limit_exceeded";

    #[test]
    fn every_kind_keeps_its_status_type_and_codes() {
        let pinned: Vec<Kind> = PINNED.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(pinned, Kind::ALL);
        for (kind, status, r#type, code, in_stream, before, after) in PINNED {
            let error = Error::new(kind, "what happened");
            let reply = Responses.error(&error, "req_1");
            assert_eq!(reply.status, status, "{kind:?}");
            let members = reply.body["error"].as_object().unwrap();
            assert_eq!(members.keys().collect::<Vec<_>>(), ["message", "type", "param", "code"], "{kind:?}");
            assert_eq!((&members["type"], &members["code"]), (&r#type.into(), &code.into()), "{kind:?}");
            assert!(members["message"].as_str().unwrap().starts_with("what happened"), "{kind:?}");
            let never_again = error.retry() != Retry::Free;
            assert_eq!(reply.headers.contains(&("x-should-retry", "false".to_owned())), never_again, "{kind:?}");
            assert_eq!(belongs_in_stream(&error), in_stream, "{kind:?}");
            for (has_output, code) in [(false, before), (true, after)] {
                let error = response_error(&error, has_output);
                assert_eq!(error["code"], code, "{kind:?}");
                assert!(error["message"].as_str().unwrap().starts_with("what happened"), "{kind:?}");
            }
            if error.may_be_billed() {
                assert!(in_stream, "{kind:?}: after an HTTP status, Codex pays for the request again");
            }
        }
    }

    #[test]
    fn the_place_of_the_failure_counts_too() {
        // Nothing was generated, so a repetition is free.
        let early = Error::new(Kind::UpstreamInternal, "x").before_generation();
        assert!(!belongs_in_stream(&early));
        assert_eq!(response_error(&early, false)["code"], "server_error");
        let previous = Error::new(Kind::InvalidRequest, "x").at_path(PREVIOUS_RESPONSE);
        assert_eq!(Responses.error(&previous, "").body["error"]["code"], "previous_response_not_found");
        let mut throttled = Error::new(Kind::Throttled, "too many");
        throttled.retry_after = Some(Duration::from_millis(1500));
        let message = response_error(&throttled, false)["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with("; try again in 1500ms"), "{message}");
        assert!(!response_error(&throttled, true)["message"].as_str().unwrap().contains("1500"));
    }
}
