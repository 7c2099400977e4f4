//! Sends request bodies to Bedrock and returns the bytes of its answers: signing, sending, and the frames of a stream.
//! Nothing above this module depends on the AWS SDK being the transport.

mod account;
mod base_url;
mod credentials;
mod endpoint;
mod endpoint_url;
mod environment;
mod frames;
mod http_client;
mod interceptor;
mod profiles;
mod region;

pub use account::Account;
pub use endpoint::Endpoint;
pub(super) use frames::{FrameKind, FrameStream};
pub use region::Region;

use super::aws_context::AwsContext;
use super::bounds::{AnswerWait, TimeLimits};
use super::send_error::{Stage, call_error, is_closed_connection, no_answer_in_time, sdk_panic};
use super::sending::{Outgoing, REQUEST_ID_TAG, Sending};
use crate::error::{Error, Kind, Result};
use crate::telemetry::Telemetry;
use aws_sdk_bedrockruntime::config::{Builder, Config};
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::operation::RequestId;
use aws_sdk_bedrockruntime::types::{ConverseTokensRequest, CountTokensInput};
use aws_smithy_runtime_api::http::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use interceptor::BodyInterceptor;
use region::region_of_model;
use serde_json::json;
use std::error::Error as StdError;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The most bytes of the answer that counts tokens.
const MAX_COUNT_BYTES: usize = 64 * 1024;
/// How long counting may take. Whoever waits for it gives up earlier.
const COUNT_WAIT: AnswerWait = AnswerWait::Complete(Duration::from_secs(10));

/// How often a call is sent again with other credentials. Keys may be renewed while it is on its way, and a file may be
/// read while it is being written.
const MAX_RENEWALS: u32 = 3;

/// A complete answer.
pub(super) struct Reply {
    pub(super) body: Bytes,
    /// Bedrock's id for the call.
    pub(super) bedrock_request_id: Option<String>,
    /// The number of input tokens that the header of an `InvokeModel` answer gives.
    pub(super) input_tokens: Option<u64>,
}

/// The AWS client. It is made once and shared by all calls.
#[derive(Debug)]
pub(super) struct Transport {
    sdk: aws_sdk_bedrockruntime::Client,
    account: Account,
    telemetry: Telemetry,
}

impl Transport {
    /// Sets up the AWS client. Sends nothing to Bedrock.
    ///
    /// # Errors
    /// `Config` and `NoCredentials`, for settings that cannot be used.
    pub(super) async fn new(endpoint: Endpoint, limits: TimeLimits, telemetry: Telemetry) -> Result<Self> {
        let (sdk, account) = endpoint::client(endpoint, limits, &telemetry).await?;
        Ok(Self { sdk, account, telemetry })
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The settings for calls to a model: an ARN is called in the region that it names.
    ///
    /// # Errors
    /// `InvalidRequest` when the ARN does not name a region.
    pub(super) fn context(&self, model: &str) -> Result<AwsContext> {
        let context = self.account.context.clone();
        Ok(match region_of_model(model)? {
            Some(region) => AwsContext { region: region.as_str().to_owned(), ..context },
            None => context,
        })
    }

    /// Makes one `Converse` call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn converse(&self, outgoing: &Outgoing<'_>) -> Result<Reply> {
        self.send(outgoing, BodyInterceptor::complete, |attempt| async move {
            let call = self.sdk.converse().model_id(outgoing.model).customize().interceptor(attempt.bytes.clone());
            let answer = attempt.outcome(call.config_override(attempt.settings()).send()).await?;
            complete_reply(&attempt.bytes, answer.request_id())
        })
        .await
    }

    /// Makes one `ConverseStream` call. Returns once Bedrock has accepted it, with Bedrock's id for the call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn converse_stream(&self, outgoing: &Outgoing<'_>) -> Result<(FrameStream, Option<String>)> {
        self.send(outgoing, BodyInterceptor::stream, |attempt| async move {
            let call = self.sdk.converse_stream().model_id(outgoing.model).customize();
            let call = call.interceptor(attempt.bytes.clone()).config_override(attempt.settings());
            let answer = attempt.outcome(call.send()).await?;
            let body = attempt.bytes.take_stream()?;
            Ok((FrameStream::new(body, outgoing.max_bytes), answer.request_id().map(ToOwned::to_owned)))
        })
        .await
    }

    /// Makes one `InvokeModel` call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn invoke(&self, outgoing: &Outgoing<'_>) -> Result<Reply> {
        self.send(outgoing, BodyInterceptor::complete, |attempt| async move {
            let call = self.sdk.invoke_model().model_id(outgoing.model);
            let tag =
                outgoing.sending.request.as_ref().map(|request| json!({REQUEST_ID_TAG: request.id()}).to_string());
            let call = call.content_type("application/json").accept("application/json").set_request_metadata(tag);
            let call = call.customize();
            let call = call.interceptor(attempt.bytes.clone()).config_override(attempt.settings());
            let answer = attempt.outcome(call.send()).await?;
            complete_reply(&attempt.bytes, answer.request_id())
        })
        .await
    }

    /// Makes one `CountTokens` call. `None` when it fails: without a count, a request is bounded by its length instead.
    pub(super) async fn count_tokens(&self, model: &str, body: Bytes) -> Option<u64> {
        let sending = Sending { attempts: 1, sent: Arc::default(), request: None, trace: None };
        let outgoing = Outgoing { model, body, max_bytes: MAX_COUNT_BYTES, wait: COUNT_WAIT, sending: &sending };
        let counted = self.send(&outgoing, BodyInterceptor::complete, |attempt| async move {
            let input = CountTokensInput::Converse(ConverseTokensRequest::builder().build());
            let call = self.sdk.count_tokens().model_id(model).input(input).customize();
            let call = call.interceptor(attempt.bytes.clone()).config_override(attempt.settings());
            attempt.outcome(call.send()).await
        });
        u64::try_from(counted.await.ok()?.input_tokens()).ok()
    }

    /// Sends a request. It is sent once more when it met a connection that the other side had already closed, or when its
    /// signature was made at another time than AWS's (docs/bedrock.md §4.7, §4.11), and again when AWS refuses its
    /// credentials and there are others (docs/credentials.md §5). None of these can have generated anything.
    async fn send<'a, T, F: Future<Output = Result<T>>>(
        &self,
        outgoing: &'a Outgoing<'a>,
        interceptor: fn(&Outgoing<'_>) -> BodyInterceptor,
        send: impl Fn(Attempt<'a>) -> F,
    ) -> Result<T> {
        let context = self.context(outgoing.model)?;
        // Loaded here, so that a slow helper does not use up the time of the answer.
        let mut identity = self.account.identity().await?;
        let mut renewals = 0;
        let mut met_closed_connection = false;
        let mut had_wrong_time = false;
        loop {
            let attempt = Attempt { bytes: interceptor(outgoing), outgoing, context: context.clone() };
            let bytes = attempt.bytes.clone();
            let error = match Box::pin(send(attempt)).await {
                Err(error) => error,
                answer => return answer,
            };
            let was_closed = bytes.met_closed_connection() && !met_closed_connection;
            if was_closed || !error.may_be_billed() {
                bytes.was_free();
            }
            if was_closed {
                met_closed_connection = true;
            } else if error.kind == Kind::ClockSkew && !had_wrong_time {
                // The SDK has read AWS's time from the refusal, and signs with it from now on.
                had_wrong_time = true;
            } else if is_refused_identity(&error, bytes.stage())
                && renewals < MAX_RENEWALS
                && let Some(refused) = &identity
                && let Some(renewed) = self.account.renewed(refused).await
            {
                renewals += 1;
                identity = Some(renewed);
            } else {
                return Err(error);
            }
            self.telemetry.tried(2, Some(error.kind));
            outgoing.sending.is_repeated();
        }
    }
}

/// Whether AWS has refused the credentials of a request that it received. Such a request is free.
fn is_refused_identity(error: &Error, stage: Stage) -> bool {
    stage == Stage::Writing && error.kind == Kind::ExpiredCredentials
}

/// One sending of a request.
struct Attempt<'a> {
    bytes: BodyInterceptor,
    outgoing: &'a Outgoing<'a>,
    context: AwsContext,
}

impl Attempt<'_> {
    /// Replaces the region of the client for one call. An endpoint that is set by hand stays, and the signature names
    /// the region.
    fn settings(&self) -> Builder {
        Config::builder().region(aws_config::Region::new(self.context.region.clone()))
    }

    /// Waits for the end of one call. A panic inside the SDK counts as its failure.
    async fn outcome<T, E>(&self, call: impl Future<Output = Result<T, SdkError<E, Response>>>) -> Result<T>
    where
        E: StdError + ProvideErrorMetadata + 'static,
    {
        let wait = self.outgoing.wait;
        match timeout(wait.limit(), AssertUnwindSafe(call).catch_unwind()).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => {
                if is_closed_connection(&error) {
                    self.bytes.connection_was_closed();
                }
                Err(call_error(&error, self.bytes.stage(), self.outgoing.model, &self.context))
            }
            Ok(Err(_)) => Err(sdk_panic(self.bytes.stage())),
            Err(_) => Err(no_answer_in_time(self.bytes.stage(), wait, &self.context)),
        }
    }
}

fn complete_reply(bytes: &BodyInterceptor, bedrock_request_id: Option<&str>) -> Result<Reply> {
    Ok(Reply {
        body: bytes.body()?,
        bedrock_request_id: bedrock_request_id.map(ToOwned::to_owned),
        input_tokens: bytes.input_tokens(),
    })
}

/// The frames in the bytes of a streamed answer, of which at most `max_bytes` are read.
#[cfg(any(test, fuzzing))]
pub(super) fn frames_in(answer: Bytes, max_bytes: usize) -> FrameStream {
    FrameStream::new(aws_smithy_types::body::SdkBody::from(answer), max_bytes)
}

/// Reads variables as those of a process.
#[cfg(any(test, fuzzing))]
pub(super) fn read_environment(variables: &[(&str, &str)], profile: Option<&str>) {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    if let Ok(environment) = environment::Environment::new(variables, profile) {
        let _ = environment.for_sdk();
    }
}
