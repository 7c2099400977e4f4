//! OpenAI's error envelope. Every member is always present, because for any other shape Jan shows only "Bad Request"
//! (docs/openai.md §3).

use super::chat_request::Positions;
use crate::api::dialect::ErrorReply;
use crate::error::{Error, Field, Kind};
use serde_json::{Value, json};

/// The response that reports an error, with the status of its kind.
pub(super) fn reply(error: &Error, path: impl Fn(&Field) -> String) -> ErrorReply {
    ErrorReply { status: error.kind.spec().status, headers: Vec::new(), body: envelope(error, path) }
}

/// `{"error": {"message", "type", "param", "code"}}`
pub(super) fn envelope(error: &Error, path: impl Fn(&Field) -> String) -> Value {
    let (r#type, code) = type_and_code(error.kind);
    json!({"error": {
        "message": error.to_string(),
        "type": r#type,
        "param": error.at.as_ref().map(path),
        "code": code,
    }})
}

/// The path of a part of the request. An index that `positions` does not list is the same as in the neutral request.
pub(super) fn field_path(field: &Field, positions: &Positions) -> String {
    match field {
        Field::Model => "model".to_owned(),
        Field::MaxTokens => "max_tokens".to_owned(),
        Field::Messages => "messages".to_owned(),
        Field::Message(index) => {
            format!("messages[{}].content", positions.messages.get(*index).unwrap_or(index))
        }
        Field::Tools => "tools".to_owned(),
        Field::ToolSchema(index) => match positions.tool_schemas.get(*index) {
            Some(path) => path.clone(),
            None => format!("tools[{index}].function.parameters"),
        },
        Field::ResponseFormat => "response_format".to_owned(),
        Field::Stop => "stop".to_owned(),
        Field::EmbeddingInput => "input".to_owned(),
        Field::EmbeddingText(index) => format!("input[{index}]"),
        Field::EmbeddingDimensions => "dimensions".to_owned(),
        Field::Path(path) => path.clone(),
    }
}

/// OpenAI's `type` and `code` for a kind of failure (docs/openai.md §3).
pub(super) fn type_and_code(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::InvalidRequest => ("invalid_request_error", "invalid_value"),
        Kind::MissingParameter => ("invalid_request_error", "missing_required_parameter"),
        Kind::Unsupported => ("invalid_request_error", "unsupported_parameter"),
        Kind::RefusedByPolicy => ("invalid_request_error", "refused_by_policy"),
        Kind::BudgetExceeded => ("insufficient_quota", "insufficient_quota"),
        Kind::LedgerUnavailable => ("server_error", "ledger_unavailable"),
        Kind::InvalidKey => ("invalid_request_error", "invalid_api_key"),
        Kind::ModelNotAllowed => ("permission_error", "model_not_allowed"),
        Kind::ContextLength => ("invalid_request_error", "context_length_exceeded"),
        Kind::Config => ("server_error", "configuration_error"),
        Kind::ModelNotFound => ("invalid_request_error", "model_not_found"),
        Kind::ProfileRequired => ("invalid_request_error", "model_not_found"),
        Kind::NotInRegion => ("invalid_request_error", "model_not_in_region"),
        Kind::EndOfLife => ("invalid_request_error", "model_not_found"),
        Kind::NoCredentials => ("permission_error", "aws_credentials_missing"),
        Kind::ExpiredCredentials => ("permission_error", "aws_credentials_expired"),
        Kind::ClockSkew => ("permission_error", "aws_clock_skew"),
        Kind::AccountNotReady => ("permission_error", "aws_account_not_ready"),
        Kind::AccessDenied => ("permission_error", "model_access_denied"),
        Kind::Throttled => ("rate_limit_error", "rate_limit_exceeded"),
        Kind::RateLimited => ("rate_limit_error", "rate_limit_exceeded"),
        Kind::QuotaExhausted => ("insufficient_quota", "insufficient_quota"),
        Kind::ModelNotReady => ("server_error", "model_not_ready"),
        Kind::Unavailable => ("server_error", "service_unavailable"),
        Kind::Unreachable => ("server_error", "upstream_unreachable"),
        Kind::ModelTimeout => ("timeout_error", "model_timeout"),
        Kind::AnswerTimeout => ("timeout_error", "upstream_timeout"),
        Kind::ModelFailed => ("server_error", "upstream_error"),
        Kind::UpstreamInternal => ("server_error", "internal_error"),
        Kind::ToolCallCut => ("invalid_request_error", "max_tokens_reached"),
        Kind::ProxyAnswer => ("server_error", "upstream_proxy_error"),
        Kind::Truncated => ("server_error", "upstream_error"),
        Kind::StreamIdle => ("timeout_error", "upstream_timeout"),
        Kind::InvalidUpstreamResponse => ("server_error", "upstream_error"),
        Kind::IncompleteAnswer => ("server_error", "upstream_error"),
        Kind::Interrupted => ("server_error", "client_closed_request"),
        Kind::ShuttingDown => ("server_error", "server_is_shutting_down"),
        Kind::UnknownUrl => ("invalid_request_error", "unknown_url"),
        Kind::MethodNotSupported => ("invalid_request_error", "method_not_supported"),
        Kind::TooLarge => ("invalid_request_error", "request_too_large"),
        Kind::RequestTimeout => ("timeout_error", "request_timeout"),
        Kind::HeadTooLarge => ("invalid_request_error", "request_header_too_large"),
        Kind::UnsupportedEncoding => ("invalid_request_error", "unsupported_content_encoding"),
        Kind::Overloaded => ("server_error", "server_is_overloaded"),
        Kind::OriginRefused => ("permission_error", "origin_not_allowed"),
        Kind::HostRefused => ("permission_error", "host_not_allowed"),
        Kind::MetricsRefused => ("permission_error", "metrics_not_allowed"),
        Kind::Io => ("server_error", "internal_error"),
        Kind::Internal => ("server_error", "internal_error"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::api::Dialect;
    use crate::api::openai::{ChatCompletions, TextCompletions};

    const DIALECTS: [&dyn Dialect; 2] = [&ChatCompletions, &TextCompletions];

    /// Clients act on these values, so a change must be made here too: kind, HTTP status, `type`, `code`.
    const PINNED: [(Kind, u16, &str, &str); 49] = [
        (Kind::InvalidRequest, 400, "invalid_request_error", "invalid_value"),
        (Kind::MissingParameter, 400, "invalid_request_error", "missing_required_parameter"),
        (Kind::Unsupported, 400, "invalid_request_error", "unsupported_parameter"),
        (Kind::RefusedByPolicy, 400, "invalid_request_error", "refused_by_policy"),
        (Kind::BudgetExceeded, 402, "insufficient_quota", "insufficient_quota"),
        (Kind::LedgerUnavailable, 503, "server_error", "ledger_unavailable"),
        (Kind::InvalidKey, 401, "invalid_request_error", "invalid_api_key"),
        (Kind::ModelNotAllowed, 403, "permission_error", "model_not_allowed"),
        (Kind::ContextLength, 400, "invalid_request_error", "context_length_exceeded"),
        (Kind::Config, 500, "server_error", "configuration_error"),
        (Kind::ModelNotFound, 404, "invalid_request_error", "model_not_found"),
        (Kind::ProfileRequired, 404, "invalid_request_error", "model_not_found"),
        (Kind::NotInRegion, 404, "invalid_request_error", "model_not_in_region"),
        (Kind::EndOfLife, 404, "invalid_request_error", "model_not_found"),
        (Kind::NoCredentials, 403, "permission_error", "aws_credentials_missing"),
        (Kind::ExpiredCredentials, 403, "permission_error", "aws_credentials_expired"),
        (Kind::ClockSkew, 403, "permission_error", "aws_clock_skew"),
        (Kind::AccountNotReady, 403, "permission_error", "aws_account_not_ready"),
        (Kind::AccessDenied, 403, "permission_error", "model_access_denied"),
        (Kind::Throttled, 429, "rate_limit_error", "rate_limit_exceeded"),
        (Kind::RateLimited, 429, "rate_limit_error", "rate_limit_exceeded"),
        (Kind::QuotaExhausted, 402, "insufficient_quota", "insufficient_quota"),
        (Kind::ModelNotReady, 503, "server_error", "model_not_ready"),
        (Kind::Unavailable, 503, "server_error", "service_unavailable"),
        (Kind::Unreachable, 502, "server_error", "upstream_unreachable"),
        (Kind::ModelTimeout, 504, "timeout_error", "model_timeout"),
        (Kind::AnswerTimeout, 504, "timeout_error", "upstream_timeout"),
        (Kind::ModelFailed, 502, "server_error", "upstream_error"),
        (Kind::UpstreamInternal, 500, "server_error", "internal_error"),
        (Kind::ToolCallCut, 400, "invalid_request_error", "max_tokens_reached"),
        (Kind::ProxyAnswer, 502, "server_error", "upstream_proxy_error"),
        (Kind::Truncated, 502, "server_error", "upstream_error"),
        (Kind::StreamIdle, 504, "timeout_error", "upstream_timeout"),
        (Kind::InvalidUpstreamResponse, 502, "server_error", "upstream_error"),
        (Kind::IncompleteAnswer, 502, "server_error", "upstream_error"),
        (Kind::Interrupted, 499, "server_error", "client_closed_request"),
        (Kind::ShuttingDown, 503, "server_error", "server_is_shutting_down"),
        (Kind::UnknownUrl, 404, "invalid_request_error", "unknown_url"),
        (Kind::MethodNotSupported, 405, "invalid_request_error", "method_not_supported"),
        (Kind::TooLarge, 413, "invalid_request_error", "request_too_large"),
        (Kind::RequestTimeout, 408, "timeout_error", "request_timeout"),
        (Kind::HeadTooLarge, 431, "invalid_request_error", "request_header_too_large"),
        (Kind::UnsupportedEncoding, 415, "invalid_request_error", "unsupported_content_encoding"),
        (Kind::Overloaded, 503, "server_error", "server_is_overloaded"),
        (Kind::OriginRefused, 403, "permission_error", "origin_not_allowed"),
        (Kind::HostRefused, 403, "permission_error", "host_not_allowed"),
        (Kind::MetricsRefused, 403, "permission_error", "metrics_not_allowed"),
        (Kind::Io, 500, "server_error", "internal_error"),
        (Kind::Internal, 500, "server_error", "internal_error"),
    ];

    #[test]
    fn every_kind_keeps_its_status_type_and_code() {
        let pinned: Vec<Kind> = PINNED.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(pinned, Kind::ALL);
        for (kind, status, r#type, code) in PINNED {
            assert_eq!(kind.spec().status, status, "{kind:?}");
            for dialect in DIALECTS {
                let ErrorReply { body, .. } = dialect.error(&Error::new(kind, "what happened"), "req_1");
                let error = &body["error"];
                assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some(r#type), Some(code)), "{kind:?}");
            }
        }
    }

    #[test]
    fn every_error_has_four_members_in_every_dialect() {
        for kind in Kind::ALL {
            for dialect in DIALECTS {
                for (at, param) in [(None, Value::Null), (Some(Field::Model), "model".into())] {
                    let ErrorReply { body, .. } =
                        dialect.error(&Error { at, ..Error::new(*kind, "what happened") }, "req_1");
                    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"], "{kind:?}");
                    let error = body["error"].as_object().unwrap();
                    assert_eq!(error.keys().collect::<Vec<_>>(), ["message", "type", "param", "code"], "{kind:?}");
                    assert!(error["message"].as_str().unwrap().starts_with("what happened"), "{kind:?}");
                    assert_eq!(error["param"], param, "{kind:?}");
                    for member in ["type", "code"] {
                        assert!(!error[member].as_str().unwrap().is_empty(), "{kind:?} {member}");
                    }
                }
            }
        }
    }

    /// A client, or a person, can tell from the code alone what to do: get credentials, renew them, or ask for
    /// permission.
    #[test]
    fn credentials_and_permissions_have_codes_of_their_own() {
        let kinds = [
            Kind::InvalidKey,
            Kind::ModelNotAllowed,
            Kind::NoCredentials,
            Kind::ExpiredCredentials,
            Kind::AccountNotReady,
            Kind::AccessDenied,
            Kind::OriginRefused,
            Kind::HostRefused,
        ];
        for kind in kinds {
            let (_, code) = type_and_code(kind);
            let same: Vec<_> = Kind::ALL.iter().filter(|other| type_and_code(**other).1 == code).collect();
            assert_eq!(same, [&kind]);
        }
    }
}
