//! Classifies calls that failed before any byte of an answer arrived, by where the failure arose.

use super::aws_context::AwsContext;
use super::bounds::AnswerWait;
use super::causes::{all_causes, find_cause, root_cause};
use super::identity_error::credentials_error;
use super::refusal;
use crate::error::{Error, Kind};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::retry::ErrorKind;
use http_body_util::LengthLimitError;
use serde::de::IgnoredAny;
use std::error::Error as StdError;

/// How far a request came. Where a failure arose decides whether anything can have been generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Credentials were loaded, the endpoint was chosen, the request was signed.
    Preparing,
    /// The request was handed to the HTTP client, which looks the host up and connects.
    Connecting,
    /// A connection has begun to take the request's body. From here on Bedrock may have received it.
    Writing,
}

/// Classifies a call that failed before any byte of an answer arrived. `stage` is how far its request came.
pub(super) fn call_error<E>(error: &SdkError<E, Response>, stage: Stage, model: &str, context: &AwsContext) -> Error
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    let Some(raw) = error.raw_response() else { return unanswered(error, stage, context) };
    let status = raw.status().as_u16();
    let found = match raw.body().bytes() {
        // A refusal that is too long to be read has a status and a code all the same.
        body if !raw.status().is_success() => {
            let body = body.unwrap_or_default();
            refusal::http_refusal(status, |name| raw.headers().get(name), body, model, context)
        }
        Some(body) if serde_json::from_slice::<IgnoredAny>(body).is_err() => refusal::proxy_answer(status),
        _ if find_cause::<LengthLimitError>(error).is_some() => too_large(),
        _ => unanswered(error, stage, context),
    };
    found.with_bedrock_request_id(raw.headers().get("x-amzn-requestid").map(ToOwned::to_owned))
}

/// Classifies a call that brought no answer, or one that cannot be read.
fn unanswered<E>(error: &SdkError<E, Response>, stage: Stage, context: &AwsContext) -> Error
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    match error {
        _ if stage == Stage::Preparing => unprepared(error, context),
        _ if stage == Stage::Connecting => Error::new(
            Kind::Unreachable,
            format!("cannot connect to Bedrock in {}: {}", context.region, root_cause(error)),
        ),
        // The request was written and no answer came, but one may have been generated and billed.
        SdkError::DispatchFailure(_) => {
            Error::new(Kind::Truncated, format!("the connection to Bedrock was lost: {}", root_cause(error)))
        }
        SdkError::TimeoutError(_) => {
            Error::new(Kind::Truncated, format!("Bedrock did not answer in time: {}", root_cause(error)))
        }
        SdkError::ResponseError(_) => {
            Error::new(Kind::Truncated, format!("Bedrock's answer was cut off: {}", root_cause(error)))
        }
        _ => Error::new(Kind::InvalidUpstreamResponse, all_causes(error)),
    }
}

/// Whether a connection was closed in place of an answer.
pub(super) fn is_closed_connection<E>(error: &SdkError<E, Response>) -> bool {
    let SdkError::DispatchFailure(failure) = error else { return false };
    // The SDK calls a message that ends before its beginning transient.
    let is_closed = |error: &ConnectorError| error.is_io() || error.as_other() == Some(ErrorKind::TransientError);
    failure.as_connector_error().is_some_and(is_closed)
}

/// The error for an answer beyond its bound. Something was generated, so the call stays booked.
pub(super) fn too_large() -> Error {
    Error::new(Kind::InvalidUpstreamResponse, "Bedrock's answer is larger than any answer of this length")
        .advise("what has arrived is kept, and may have been billed")
}

/// The error for an answer that did not come in time.
pub(super) fn no_answer_in_time(stage: Stage, wait: AnswerWait, context: &AwsContext) -> Error {
    let seconds = wait.limit().as_secs_f32();
    match (stage, wait) {
        (Stage::Preparing | Stage::Connecting, _) => {
            let message = format!("cannot connect to Bedrock in {} within {seconds} s", context.region);
            Error::new(Kind::Unreachable, message)
        }
        (Stage::Writing, AnswerWait::Complete(_)) => {
            let message = format!("Bedrock has not answered within {seconds} s, and may bill the answer");
            Error::new(Kind::AnswerTimeout, message)
        }
        (Stage::Writing, AnswerWait::FirstBytes(_)) => {
            Error::new(Kind::StreamIdle, format!("Bedrock has sent no content for {seconds} s"))
        }
    }
}

/// The error for a request that could not be made: nothing was sent, and nothing is owed.
fn unprepared(error: &(dyn StdError + 'static), context: &AwsContext) -> Error {
    match find_cause::<CredentialsError>(error) {
        Some(credentials) => credentials_error(credentials, context),
        None => Error::new(Kind::Config, format!("the request to Bedrock could not be made: {}", root_cause(error))),
    }
}

/// The error for a panic inside the SDK, which is a fault of the SDK or of Chatrix.
pub(super) fn sdk_panic(stage: Stage) -> Error {
    match stage {
        Stage::Preparing | Stage::Connecting => {
            Error::new(Kind::Internal, "the AWS SDK failed before the request was sent")
        }
        Stage::Writing => Error::new(Kind::Truncated, "the AWS SDK failed after the request was sent"),
    }
}
