//! One exchange with the service, byte for byte: our own ordered JSON goes out in place of the SDK's, whose documents
//! are hash maps in random order (`bedrock.md` trap 7), and the answer's bytes are kept as they came.

use crate::error::{Error, Kind, Result};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use std::sync::{Arc, OnceLock};

/// Puts our own ordered JSON into the request before it is signed, and keeps the answer's bytes as they came.
#[derive(Debug, Clone)]
pub struct BodyInterceptor {
    request: Bytes,
    response: Arc<OnceLock<Bytes>>,
    /// What the header of an `InvokeModel` answer counts.
    input_tokens: Arc<OnceLock<u64>>,
}

impl BodyInterceptor {
    /// An exchange that sends this body.
    pub fn new(request: Bytes) -> Self {
        Self { request, response: Arc::default(), input_tokens: Arc::default() }
    }

    /// What the header of an `InvokeModel` answer counts.
    pub fn input_tokens(&self) -> Option<u64> {
        self.input_tokens.get().copied()
    }

    /// The answer's bytes.
    pub fn answer(&self) -> Result<&Bytes> {
        self.response.get().ok_or_else(|| Error::new(Kind::InvalidUpstreamResponse, "Bedrock's answer has no body"))
    }
}

#[dyn_dispatch_hint]
impl Intercept for BodyInterceptor {
    fn name(&self) -> &'static str {
        "BodyInterceptor"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.request.len().to_string());
        *request.body_mut() = SdkBody::from(self.request.clone());
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let counted = context.response().headers().get("x-amzn-bedrock-input-token-count");
        if let Some(tokens) = counted.and_then(|tokens| tokens.parse().ok()) {
            let _ = self.input_tokens.set(tokens);
        }
        // In memory by now; a stream's body never is.
        if let Some(body) = context.response().body().bytes() {
            let _ = self.response.set(Bytes::copy_from_slice(body));
        }
        Ok(())
    }
}
