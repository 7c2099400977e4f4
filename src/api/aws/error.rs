//! Errors in Bedrock's own shapes: the exception's name in a header, and the message in the body
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>).

use crate::api::dialect::ErrorReply;
use crate::error::{Error, Field, Kind, Retry};
use serde_json::json;

/// The response that reports an error. AWS's SDKs send a request again after 429 and any 5xx, so what may have been billed
/// is none of those.
#[must_use]
pub(super) fn reply(error: &Error) -> ErrorReply {
    let name = exception_name(error.kind, false);
    let status = match (name, error.kind.spec().status) {
        ("ModelErrorException", _) => 424,
        ("ValidationException" | "ServiceQuotaExceededException", status) if status != 413 => 400,
        ("AccessDeniedException" | "UnrecognizedClientException" | "ExpiredTokenException", _) => 403,
        ("ThrottlingException" | "ModelNotReadyException", _) => 429,
        ("ServiceUnavailableException", _) => 503,
        (_, status) => status,
    };
    ErrorReply {
        status,
        headers: vec![("x-amzn-errortype", name.to_owned())],
        body: json!({"message": error.to_string()}),
    }
}

/// The name of the exception for a kind of failure, before an answer or within its stream.
pub(super) fn exception_name(kind: Kind, in_stream: bool) -> &'static str {
    if in_stream && kind.spec().retry != Retry::Free {
        return "ModelStreamErrorException";
    }
    match kind {
        Kind::InvalidKey => "UnrecognizedClientException",
        Kind::ExpiredCredentials => "ExpiredTokenException",
        Kind::ModelNotAllowed
        | Kind::AccessDenied
        | Kind::AccountNotReady
        | Kind::NoCredentials
        | Kind::ClockSkew
        | Kind::OriginRefused
        | Kind::HostRefused
        | Kind::MetricsRefused => "AccessDeniedException",
        Kind::ModelNotFound | Kind::EndOfLife | Kind::NotInRegion | Kind::ProfileRequired => {
            "ResourceNotFoundException"
        }
        Kind::UnknownUrl | Kind::MethodNotSupported => "UnknownOperationException",
        Kind::BudgetExceeded | Kind::QuotaExhausted => "ServiceQuotaExceededException",
        Kind::Throttled | Kind::RateLimited => "ThrottlingException",
        Kind::ModelNotReady => "ModelNotReadyException",
        Kind::Unavailable
        | Kind::Unreachable
        | Kind::Overloaded
        | Kind::ShuttingDown
        | Kind::LedgerUnavailable
        | Kind::RequestTimeout => "ServiceUnavailableException",
        kind if kind.spec().retry == Retry::MayBill => "ModelErrorException",
        kind if kind.spec().status >= 500 => "InternalServerException",
        _ => "ValidationException",
    }
}

/// The path of a part of the request, in Converse's words.
pub(super) fn path(field: &Field) -> String {
    match field {
        Field::Model => "modelId".to_owned(),
        Field::MaxTokens => "inferenceConfig.maxTokens".to_owned(),
        Field::Messages => "messages".to_owned(),
        Field::Message(index) => format!("messages.{index}.content"),
        Field::Tools => "toolConfig.tools".to_owned(),
        Field::ToolSchema(index) => format!("toolConfig.tools.{index}.toolSpec.inputSchema"),
        Field::ResponseFormat => "outputConfig".to_owned(),
        Field::Stop => "inferenceConfig.stopSequences".to_owned(),
        Field::EmbeddingInput | Field::EmbeddingText(_) | Field::EmbeddingDimensions => "body".to_owned(),
        Field::Path(path) => path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SDKs of AWS repeat 429 and 5xx by themselves: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>.
    #[test]
    fn what_may_be_billed_is_never_repeated_by_an_sdk() {
        for kind in Kind::ALL {
            let ErrorReply { status, headers, body } = reply(&Error::new(*kind, "what happened"));
            let repeated = status == 429 || status >= 500;
            assert!(!repeated || kind.spec().retry != Retry::MayBill, "{kind:?} {status}");
            assert!(headers[0].1.ends_with("Exception") && body["message"].is_string(), "{kind:?}");
        }
    }

    #[test]
    fn kinds_have_bedrocks_names() {
        for (kind, status, name) in [
            (Kind::BudgetExceeded, 400, "ServiceQuotaExceededException"),
            (Kind::InvalidRequest, 400, "ValidationException"),
            (Kind::InvalidKey, 403, "UnrecognizedClientException"),
            (Kind::ModelNotAllowed, 403, "AccessDeniedException"),
            (Kind::ModelNotFound, 404, "ResourceNotFoundException"),
            (Kind::Throttled, 429, "ThrottlingException"),
            (Kind::Unavailable, 503, "ServiceUnavailableException"),
            (Kind::Truncated, 424, "ModelErrorException"),
            (Kind::TooLarge, 413, "ValidationException"),
            (Kind::Internal, 500, "InternalServerException"),
        ] {
            let ErrorReply { status: actual, headers, .. } = reply(&Error::new(kind, "x"));
            assert_eq!((actual, headers[0].1.as_str()), (status, name), "{kind:?}");
        }
    }
}
