//! Sends request bodies to Bedrock and returns the bytes of its answers: signing, sending, and the frames of a stream.
//! Nothing above this module depends on the AWS SDK being the transport.

mod endpoint;
mod frames;
mod interceptor;

pub use endpoint::Endpoint;
pub(super) use frames::{FrameKind, FrameStream};

use super::aws_context::AwsContext;
use super::send_error::call_error;
use crate::error::Result;
use aws_sdk_bedrockruntime::operation::RequestId;
use aws_sdk_bedrockruntime::types::{ConverseTokensRequest, CountTokensInput};
use bytes::Bytes;
use interceptor::BodyInterceptor;

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
    context: AwsContext,
}

impl Transport {
    /// Sets up the AWS client. Sends nothing to Bedrock.
    pub(super) async fn new(endpoint: Endpoint) -> Self {
        let (sdk, context) = endpoint::client(endpoint).await;
        Self { sdk, context }
    }

    pub(super) fn context(&self) -> &AwsContext {
        &self.context
    }

    /// Makes one `Converse` call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn converse(&self, model: &str, body: Bytes) -> Result<Reply> {
        let bytes = BodyInterceptor::complete(body);
        let call = self.sdk.converse().model_id(model).customize().interceptor(bytes.clone());
        let answer = call.send().await.map_err(|error| call_error(&error, model, &self.context))?;
        complete_reply(&bytes, answer.request_id())
    }

    /// Makes one `ConverseStream` call. Returns once Bedrock has accepted it, with Bedrock's id for the call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn converse_stream(&self, model: &str, body: Bytes) -> Result<(FrameStream, Option<String>)> {
        let bytes = BodyInterceptor::stream(body);
        let call = self.sdk.converse_stream().model_id(model).customize().interceptor(bytes.clone());
        let answer = call.send().await.map_err(|error| call_error(&error, model, &self.context))?;
        Ok((FrameStream::new(bytes.take_stream()?), answer.request_id().map(ToOwned::to_owned)))
    }

    /// Makes one `InvokeModel` call.
    ///
    /// # Errors
    /// Any kind that [`call_error`] gives.
    pub(super) async fn invoke(&self, model: &str, body: Bytes) -> Result<Reply> {
        let bytes = BodyInterceptor::complete(body);
        let call = self.sdk.invoke_model().model_id(model).content_type("application/json").accept("application/json");
        let call = call.customize().interceptor(bytes.clone());
        let answer = call.send().await.map_err(|error| call_error(&error, model, &self.context))?;
        complete_reply(&bytes, answer.request_id())
    }

    /// Makes one `CountTokens` call. `None` when it fails: without a count, a request is bounded by its length instead.
    pub(super) async fn count_tokens(&self, model: &str, body: Bytes) -> Option<u64> {
        let input = CountTokensInput::Converse(ConverseTokensRequest::builder().build());
        let call = self.sdk.count_tokens().model_id(model).input(input);
        let answer = call.customize().interceptor(BodyInterceptor::complete(body)).send().await.ok()?;
        u64::try_from(answer.input_tokens()).ok()
    }
}

fn complete_reply(bytes: &BodyInterceptor, bedrock_request_id: Option<&str>) -> Result<Reply> {
    Ok(Reply {
        body: bytes.body()?,
        bedrock_request_id: bedrock_request_id.map(ToOwned::to_owned),
        input_tokens: bytes.input_tokens(),
    })
}
