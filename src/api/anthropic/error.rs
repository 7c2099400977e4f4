//! Anthropic's error envelope (docs/anthropic.md §6). Clients read the status, the type, the header `x-should-retry`, and
//! for some failures the wording.

use super::budget;
use super::request::Positions;
use crate::api::dialect::ErrorReply;
use crate::error::{Error, Field, Kind, Retry};
use serde_json::{Value, json};

/// The response that reports an error.
pub(super) fn reply(error: &Error, request_id: &str) -> ErrorReply {
    let (status, _) = status_and_type(error.kind);
    let mut headers = vec![("request-id", request_id.to_owned())];
    // Claude Code repeats a request after 401 and 404 too, for minutes.
    if error.retry() != Retry::Free {
        headers.push(("x-should-retry", "false".to_owned()));
    }
    headers.extend(error.budget.iter().flat_map(|budget| budget::refusal_headers(budget)));
    let mut body = envelope(error);
    body["request_id"] = request_id.into();
    ErrorReply { status, headers, body }
}

/// `{"type": "error", "error": {"type", "message"}}`
pub(super) fn envelope(error: &Error) -> Value {
    let (_, r#type) = status_and_type(error.kind);
    let mut body = json!({"type": "error", "error": {"type": r#type, "message": message(error)}});
    // Anthropic's SDKs then go on without a thread, and send the whole conversation.
    if error.kind == Kind::Unsupported && error.at == Some(Field::Path("thread".to_owned())) {
        body["error"]["details"] = json!({"error_code": "thread_unsupported_request", "unsupported": ["thread"]});
    }
    body
}

/// The message. Claude Code acts on some of the service's own sentences, so they stand at the beginning and unchanged.
fn message(error: &Error) -> String {
    let mut message = match (error.kind, &error.service_words) {
        (Kind::InvalidRequest | Kind::ContextLength, Some(words)) => match error.advice() {
            "" => words.to_string(),
            advice => format!("{words}; {advice}"),
        },
        _ => error.to_string(),
    };
    // The envelope has no member for the place of the fault. One in a list is hard to find without it.
    if let Some(Field::Path(path)) = &error.at
        && path.contains('.')
        && !message.contains(path.as_str())
    {
        message = format!("{message} (at {path})");
    }
    message
}

/// The path of a part of the request, as Anthropic's own errors write it.
pub(super) fn field_path(field: &Field, positions: &Positions) -> String {
    match field {
        Field::Model => "model".to_owned(),
        Field::MaxTokens => "max_tokens".to_owned(),
        Field::Messages => "messages".to_owned(),
        Field::Message(index) => format!("messages.{}.content", positions.messages.get(*index).unwrap_or(index)),
        Field::Tools => "tools".to_owned(),
        Field::ToolSchema(index) => format!("tools.{}.input_schema", positions.tools.get(*index).unwrap_or(index)),
        Field::ResponseFormat => "output_config.format".to_owned(),
        Field::Stop => "stop_sequences".to_owned(),
        Field::EmbeddingInput | Field::EmbeddingText(_) => "input".to_owned(),
        Field::EmbeddingDimensions => "dimensions".to_owned(),
        Field::Path(path) => path.clone(),
    }
}

/// The HTTP status and the type for a kind of failure
/// (<https://platform.claude.com/docs/en/api/errors>).
fn status_and_type(kind: Kind) -> (u16, &'static str) {
    match kind {
        Kind::InvalidRequest
        | Kind::MissingParameter
        | Kind::Unsupported
        | Kind::RefusedByPolicy
        | Kind::ContextLength
        | Kind::ToolCallCut => (400, "invalid_request_error"),
        Kind::BudgetExceeded | Kind::QuotaExhausted => (402, "billing_error"),
        Kind::InvalidKey => (401, "authentication_error"),
        Kind::ModelNotAllowed
        | Kind::NoCredentials
        | Kind::ExpiredCredentials
        | Kind::ClockSkew
        | Kind::AccountNotReady
        | Kind::AccessDenied
        | Kind::OriginRefused
        | Kind::HostRefused
        | Kind::MetricsRefused => (403, "permission_error"),
        Kind::ModelNotFound | Kind::ProfileRequired | Kind::NotInRegion | Kind::EndOfLife | Kind::UnknownUrl => {
            (404, "not_found_error")
        }
        Kind::MethodNotSupported => (405, "invalid_request_error"),
        Kind::RequestTimeout => (408, "timeout_error"),
        Kind::TooLarge => (413, "request_too_large"),
        Kind::UnsupportedEncoding => (415, "invalid_request_error"),
        Kind::Throttled | Kind::RateLimited => (429, "rate_limit_error"),
        Kind::HeadTooLarge => (431, "request_too_large"),
        Kind::Interrupted => (499, "api_error"),
        Kind::LedgerUnavailable
        | Kind::Config
        | Kind::Unreachable
        | Kind::ModelFailed
        | Kind::UpstreamInternal
        | Kind::ProxyAnswer
        | Kind::Truncated
        | Kind::InvalidUpstreamResponse
        | Kind::IncompleteAnswer
        | Kind::Io
        | Kind::Internal => (500, "api_error"),
        Kind::ModelTimeout | Kind::AnswerTimeout | Kind::StreamIdle => (504, "timeout_error"),
        Kind::ModelNotReady | Kind::Unavailable | Kind::ShuttingDown | Kind::Overloaded => (529, "overloaded_error"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::api::anthropic::Messages;
    use crate::api::{Dialect, RequestHeaders};

    /// Clients act on these values, so a change must be made here too: kind, HTTP status, `type`.
    const PINNED: [(Kind, u16, &str); 49] = [
        (Kind::InvalidRequest, 400, "invalid_request_error"),
        (Kind::MissingParameter, 400, "invalid_request_error"),
        (Kind::Unsupported, 400, "invalid_request_error"),
        (Kind::RefusedByPolicy, 400, "invalid_request_error"),
        (Kind::BudgetExceeded, 402, "billing_error"),
        (Kind::LedgerUnavailable, 500, "api_error"),
        (Kind::InvalidKey, 401, "authentication_error"),
        (Kind::ModelNotAllowed, 403, "permission_error"),
        (Kind::ContextLength, 400, "invalid_request_error"),
        (Kind::Config, 500, "api_error"),
        (Kind::ModelNotFound, 404, "not_found_error"),
        (Kind::ProfileRequired, 404, "not_found_error"),
        (Kind::NotInRegion, 404, "not_found_error"),
        (Kind::EndOfLife, 404, "not_found_error"),
        (Kind::NoCredentials, 403, "permission_error"),
        (Kind::ExpiredCredentials, 403, "permission_error"),
        (Kind::ClockSkew, 403, "permission_error"),
        (Kind::AccountNotReady, 403, "permission_error"),
        (Kind::AccessDenied, 403, "permission_error"),
        (Kind::Throttled, 429, "rate_limit_error"),
        (Kind::RateLimited, 429, "rate_limit_error"),
        (Kind::QuotaExhausted, 402, "billing_error"),
        (Kind::ModelNotReady, 529, "overloaded_error"),
        (Kind::Unavailable, 529, "overloaded_error"),
        (Kind::Unreachable, 500, "api_error"),
        (Kind::ModelTimeout, 504, "timeout_error"),
        (Kind::AnswerTimeout, 504, "timeout_error"),
        (Kind::ModelFailed, 500, "api_error"),
        (Kind::UpstreamInternal, 500, "api_error"),
        (Kind::ToolCallCut, 400, "invalid_request_error"),
        (Kind::ProxyAnswer, 500, "api_error"),
        (Kind::Truncated, 500, "api_error"),
        (Kind::StreamIdle, 504, "timeout_error"),
        (Kind::InvalidUpstreamResponse, 500, "api_error"),
        (Kind::IncompleteAnswer, 500, "api_error"),
        (Kind::Interrupted, 499, "api_error"),
        (Kind::ShuttingDown, 529, "overloaded_error"),
        (Kind::UnknownUrl, 404, "not_found_error"),
        (Kind::MethodNotSupported, 405, "invalid_request_error"),
        (Kind::TooLarge, 413, "request_too_large"),
        (Kind::RequestTimeout, 408, "timeout_error"),
        (Kind::HeadTooLarge, 431, "request_too_large"),
        (Kind::UnsupportedEncoding, 415, "invalid_request_error"),
        (Kind::Overloaded, 529, "overloaded_error"),
        (Kind::OriginRefused, 403, "permission_error"),
        (Kind::HostRefused, 403, "permission_error"),
        (Kind::MetricsRefused, 403, "permission_error"),
        (Kind::Io, 500, "api_error"),
        (Kind::Internal, 500, "api_error"),
    ];

    #[test]
    fn every_kind_keeps_its_status_type_and_envelope() {
        let pinned: Vec<Kind> = PINNED.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(pinned, Kind::ALL);
        for (kind, status, r#type) in PINNED {
            let error = Error::new(kind, "what happened");
            let ErrorReply { status: answered, headers, body } = Messages.error(&error, "req_1");
            let told = error.to_string();
            let expected = json!({
                "type": "error", "error": {"type": r#type, "message": told}, "request_id": "req_1",
            });
            assert_eq!((answered, body), (status, expected), "{kind:?}");
            assert_eq!(headers[0], ("request-id", "req_1".to_owned()), "{kind:?}");
            let refuses_retries = headers.contains(&("x-should-retry", "false".to_owned()));
            assert_eq!(refuses_retries, kind.spec().retry != Retry::Free, "{kind:?}");
            // Clients repeat these by themselves, and only these may be free.
            assert!(refuses_retries || [408, 429].contains(&status) || status >= 500, "{kind:?}");
        }
    }

    #[test]
    fn the_services_own_sentences_come_first_and_unchanged() {
        let told = |kind, words: &str| {
            let error = Error::new(kind, format!("Bedrock: {words}")).with_service_words(words);
            envelope(&error)["error"]["message"].as_str().map(ToOwned::to_owned).unwrap_or_default()
        };
        for words in [
            "messages.1.content.0: Invalid `signature` in `thinking` block",
            "role system is not supported",
            "context_management: Extra inputs are not permitted",
            "adaptive thinking is not supported on this model",
        ] {
            assert_eq!(told(Kind::InvalidRequest, words), words);
        }
        let overflow = told(Kind::ContextLength, "prompt is too long: 209353 tokens > 199999 maximum");
        assert!(overflow.starts_with("prompt is too long: 209353 tokens > 199999 maximum; "), "{overflow}");
        // What AWS says of an account is in Chatrix's words.
        assert!(told(Kind::AccessDenied, "no").starts_with("Bedrock: no"));
    }

    #[test]
    fn a_fault_in_a_list_is_found_by_its_path() {
        let positions = Positions { messages: vec![0, 2], tools: vec![3] };
        for (field, path) in [
            (Field::Message(1), "messages.2.content"),
            (Field::ToolSchema(0), "tools.3.input_schema"),
            (Field::Stop, "stop_sequences"),
        ] {
            assert_eq!(field_path(&field, &positions), path);
        }
        let message = |error: &Error| envelope(error)["error"]["message"].clone();
        let refused = Error::new(Kind::Unsupported, "no images").at_path("messages.2.content");
        assert_eq!(message(&refused), "no images (at messages.2.content)");
        let named = Error::new(Kind::InvalidRequest, "`messages.0.role` is wrong").at_path("messages.0.role");
        assert_eq!(message(&named), "`messages.0.role` is wrong");
        assert_eq!(message(&Error::new(Kind::InvalidRequest, "no").at_path("model")), "no");
    }

    #[test]
    fn sdks_go_on_without_a_thread() {
        let body = br#"{"max_tokens": 1, "messages": [], "thread": {"type": "continue", "previous_message_id": "m"}}"#;
        let parsed = Messages.parse(body[..].into(), &RequestHeaders::default());
        let ErrorReply { status, body, .. } = reply(&parsed.err().unwrap(), "req_1");
        assert_eq!(status, 400);
        assert_eq!(body["error"]["details"]["error_code"], "thread_unsupported_request");
        let other = envelope(&Error::new(Kind::Unsupported, "x").at_path("messages.0.content"));
        assert_eq!(other["error"].get("details"), None);
    }
}
