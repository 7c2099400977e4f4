//! Classifies calls that failed before any byte of an answer arrived, by where the failure arose.

use super::aws_context::AwsContext;
use super::causes::{all_causes, find_cause, root_cause};
use super::identity_error::credentials_error;
use super::refusal;
use crate::error::{Error, Kind};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;
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
    if let Some(raw) = error.raw_response()
        && let Some(body) = raw.body().bytes()
    {
        let status = raw.status().as_u16();
        if !raw.status().is_success() {
            return refusal::http_refusal(status, |name| raw.headers().get(name), body, model, context);
        }
        if serde_json::from_slice::<IgnoredAny>(body).is_err() {
            return refusal::proxy_answer(status);
        }
    }
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
