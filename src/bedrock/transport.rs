//! Sends request bodies to Bedrock and returns the bytes of its answers: signing, sending, and the frames of a stream.
//! Nothing above this module depends on the AWS SDK being the transport.

mod account;
mod base_url;
mod credentials;
mod endpoint;
mod endpoint_url;
mod environment;
mod frames;
mod interceptor;
mod profiles;
mod region;

pub use account::Account;
pub use endpoint::Endpoint;
pub(super) use frames::{FrameKind, FrameStream};
pub use region::Region;

use super::aws_context::AwsContext;
use super::send_error::{call_error, sdk_panic};
use crate::error::Result;
use aws_sdk_bedrockruntime::config::{Builder, Config};
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::operation::RequestId;
use aws_sdk_bedrockruntime::types::{ConverseTokensRequest, CountTokensInput};
use aws_smithy_runtime_api::http::Response;
use bytes::Bytes;
use futures_util::FutureExt;
use interceptor::BodyInterceptor;
use region::region_of_model;
use std::error::Error as StdError;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
}

impl Transport {
    /// Sets up the AWS client. Sends nothing to Bedrock.
    ///
    /// # Errors
    /// `Config` and `NoCredentials`, for settings that cannot be used.
    pub(super) async fn new(endpoint: Endpoint) -> Result<Self> {
        let (sdk, account) = endpoint::client(endpoint).await?;
        Ok(Self { sdk, account })
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
    pub(super) async fn converse(&self, model: &str, body: Bytes, sent: &Arc<AtomicBool>) -> Result<Reply> {
        let context = self.context(model)?;
        let bytes = BodyInterceptor::complete(body, sent);
        let call = self.sdk.converse().model_id(model).customize().interceptor(bytes.clone());
        let call = call.config_override(in_region_of(&context));
        let answer = outcome(call.send(), &bytes, model, &context).await?;
        complete_reply(&bytes, answer.request_id())
    }

    /// Makes one `ConverseStream` call. Returns once Bedrock has accepted it, with Bedrock's id for the call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn converse_stream(
        &self,
        model: &str,
        body: Bytes,
        sent: &Arc<AtomicBool>,
    ) -> Result<(FrameStream, Option<String>)> {
        let context = self.context(model)?;
        let bytes = BodyInterceptor::stream(body, sent);
        let call = self.sdk.converse_stream().model_id(model).customize().interceptor(bytes.clone());
        let call = call.config_override(in_region_of(&context));
        let answer = outcome(call.send(), &bytes, model, &context).await?;
        Ok((FrameStream::new(bytes.take_stream()?), answer.request_id().map(ToOwned::to_owned)))
    }

    /// Makes one `InvokeModel` call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn invoke(&self, model: &str, body: Bytes, sent: &Arc<AtomicBool>) -> Result<Reply> {
        let context = self.context(model)?;
        let bytes = BodyInterceptor::complete(body, sent);
        let call = self.sdk.invoke_model().model_id(model).content_type("application/json").accept("application/json");
        let call = call.customize().interceptor(bytes.clone()).config_override(in_region_of(&context));
        let answer = outcome(call.send(), &bytes, model, &context).await?;
        complete_reply(&bytes, answer.request_id())
    }

    /// Makes one `CountTokens` call. `None` when it fails: without a count, a request is bounded by its length instead.
    pub(super) async fn count_tokens(&self, model: &str, body: Bytes) -> Option<u64> {
        let input = CountTokensInput::Converse(ConverseTokensRequest::builder().build());
        let bytes = BodyInterceptor::complete(body, &Arc::default());
        let call = self.sdk.count_tokens().model_id(model).input(input).customize().interceptor(bytes.clone());
        let answer = outcome(call.send(), &bytes, model, &self.account.context).await.ok()?;
        u64::try_from(answer.input_tokens()).ok()
    }
}

/// Replaces the region of the client for one call. An endpoint that is set by hand stays, and the signature names the
/// region.
fn in_region_of(context: &AwsContext) -> Builder {
    Config::builder().region(aws_config::Region::new(context.region.clone()))
}

/// Waits for the end of one call. A panic inside the SDK counts as its failure.
async fn outcome<T, E>(
    call: impl Future<Output = Result<T, SdkError<E, Response>>>,
    bytes: &BodyInterceptor,
    model: &str,
    context: &AwsContext,
) -> Result<T>
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    match AssertUnwindSafe(call).catch_unwind().await {
        Ok(answer) => answer.map_err(|error| call_error(&error, bytes.stage(), model, context)),
        Err(_) => Err(sdk_panic(bytes.stage())),
    }
}

fn complete_reply(bytes: &BodyInterceptor, bedrock_request_id: Option<&str>) -> Result<Reply> {
    Ok(Reply {
        body: bytes.body()?,
        bedrock_request_id: bedrock_request_id.map(ToOwned::to_owned),
        input_tokens: bytes.input_tokens(),
    })
}
