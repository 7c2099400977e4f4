//! OpenAI's error envelope. Every member is always present, because for any other shape Jan shows only "Bad Request"
//! (docs/openai.md §3).

use crate::api::dialect::Positions;
use crate::error::{Error, Field, Kind};
use serde_json::{Value, json};

/// `{"error": {"message", "type", "param", "code"}}`
pub(super) fn envelope(error: &Error) -> Value {
    let (r#type, code) = type_and_code(error.kind);
    json!({"error": {
        "message": error.to_string(),
        "type": r#type,
        "param": error.at.as_ref().map(|field| field_path(field, &Positions::default())),
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
        Field::EmbeddingInput => "input".to_owned(),
        Field::EmbeddingText(index) => format!("input[{index}]"),
        Field::EmbeddingDimensions => "dimensions".to_owned(),
        Field::Path(path) => path.clone(),
    }
}

/// OpenAI's `type` and `code` for a kind of failure (docs/openai.md §3).
fn type_and_code(kind: Kind) -> (&'static str, &'static str) {
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
        Kind::EndOfLife => ("invalid_request_error", "model_not_found"),
        Kind::NoCredentials => ("permission_error", "aws_credentials_missing"),
        Kind::ExpiredCredentials => ("permission_error", "aws_credentials_expired"),
        Kind::AccessDenied => ("permission_error", "model_access_denied"),
        Kind::Throttled => ("rate_limit_error", "rate_limit_exceeded"),
        Kind::QuotaExhausted => ("insufficient_quota", "insufficient_quota"),
        Kind::ModelNotReady => ("server_error", "model_not_ready"),
        Kind::Unavailable => ("server_error", "service_unavailable"),
        Kind::Unreachable => ("server_error", "upstream_unreachable"),
        Kind::ModelTimeout => ("timeout_error", "model_timeout"),
        Kind::ModelFailed => ("server_error", "upstream_error"),
        Kind::UpstreamInternal => ("server_error", "internal_error"),
        Kind::Truncated => ("server_error", "upstream_error"),
        Kind::StreamIdle => ("timeout_error", "upstream_timeout"),
        Kind::InvalidUpstreamResponse => ("server_error", "upstream_error"),
        Kind::Interrupted => ("server_error", "client_closed_request"),
        Kind::ShuttingDown => ("server_error", "server_is_shutting_down"),
        Kind::UnknownUrl => ("invalid_request_error", "unknown_url"),
        Kind::MethodNotSupported => ("invalid_request_error", "method_not_supported"),
        Kind::TooLarge => ("invalid_request_error", "request_too_large"),
        Kind::BodyTimeout => ("timeout_error", "request_timeout"),
        Kind::OriginRefused => ("permission_error", "origin_not_allowed"),
        Kind::HostRefused => ("permission_error", "host_not_allowed"),
        Kind::Io => ("server_error", "internal_error"),
        Kind::Internal => ("server_error", "internal_error"),
    }
}
