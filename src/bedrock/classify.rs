//! Classifies each failure of a call once, as one of the kinds in [`Kind`]: failures to send it here, and refusals in
//! [`refusal`].

use super::aws_context::AwsContext;
use super::causes::{all_causes, find_cause, root_cause};
use super::refusal::identity::expired;
use super::refusal::{self, Place, Refusal};
use crate::error::{Error, Kind};
use crate::policy::Refusable;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::Response;
use serde::de::IgnoredAny;
use serde_json::Value;
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

fn credentials_error(error: &CredentialsError, context: &AwsContext) -> Error {
    let text = all_causes(error);
    let lower = text.to_lowercase();
    if ["expired", "refresh", "sso token", "sso session", "sso login"].iter().any(|piece| lower.contains(piece)) {
        return expired(context, "the AWS credentials have expired");
    }
    match error {
        CredentialsError::CredentialsNotLoaded(_) => match &context.profile {
            None => Error::new(Kind::NoCredentials, "no AWS credentials were found"),
            Some(profile) => {
                Error::new(Kind::NoCredentials, format!("the AWS profile {profile:?} provides no credentials"))
                    .advise(format!("check ~/.aws/config, or run: aws sso login --profile {profile}"))
            }
        },
        _ => Error::new(Kind::NoCredentials, format!("the AWS credentials could not be loaded: {text}")),
    }
}
