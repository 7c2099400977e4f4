//! Classifies calls that failed before any byte of an answer arrived.

use super::aws_context::AwsContext;
use super::causes::{all_causes, find_cause, root_cause};
use super::identity_error::credentials_error;
use super::refusal;
use crate::error::{Error, Kind};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::Response;
use serde::de::IgnoredAny;
use std::error::Error as StdError;

/// Classifies a call that failed before any byte of an answer arrived.
pub(super) fn call_error<E>(error: &SdkError<E, Response>, model: &str, context: &AwsContext) -> Error
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
        SdkError::DispatchFailure(failure) => dispatch_failure(failure.as_connector_error(), error, context),
        SdkError::ConstructionFailure(_) => {
            Error::new(Kind::Config, format!("the AWS client is not set up correctly: {}", all_causes(error)))
        }
        SdkError::ResponseError(_) => {
            Error::new(Kind::Truncated, format!("Bedrock's answer was cut off: {}", all_causes(error)))
        }
        SdkError::TimeoutError(_) => {
            Error::new(Kind::Truncated, format!("Bedrock did not answer in time: {}", all_causes(error)))
        }
        _ => Error::new(Kind::InvalidUpstreamResponse, all_causes(error)),
    }
}

fn dispatch_failure(source: Option<&ConnectorError>, error: &(dyn StdError + 'static), context: &AwsContext) -> Error {
    if let Some(credentials) = find_cause::<CredentialsError>(error) {
        return credentials_error(credentials, context);
    }
    let connect = find_cause::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    if connect {
        return Error::new(
            Kind::Unreachable,
            format!("cannot connect to Bedrock in {}: {}", context.region, root_cause(error)),
        );
    }
    match source {
        Some(source) if source.is_user() => {
            Error::new(Kind::Config, format!("the request could not be sent: {}", all_causes(error)))
        }
        // The request was sent and no answer came, but one may have been generated and billed.
        _ => Error::new(Kind::Truncated, format!("the connection to Bedrock was lost: {}", root_cause(error))),
    }
}
