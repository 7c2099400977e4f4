//! Replaces the bytes that the SDK would send, and keeps the bytes that it receives. The SDK's own documents are hash
//! maps that serialise in random order (docs/bedrock.md, trap 7), so Chatrix sends JSON that it has ordered itself.

use crate::bedrock::refusal::proxy_answer;
use crate::bedrock::send_error::Stage;
use crate::bedrock::sending::Outgoing;
use crate::bedrock::trace_context::TraceContext;
use crate::error::{Error, Kind, Result};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::telemetry::{CaptureHttpAttemptTelemetry, ConnectionUsage};
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut,
    BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The most bytes of a refusal.
const MAX_REFUSAL_BYTES: usize = 1024 * 1024;
/// A connection that was closed while it was unused is noticed within one way through the network once it is written to.
/// No model answers within this time, so nothing can have been generated (docs/bedrock.md §4.7).
const CLOSED_BEFORE: Duration = Duration::from_millis(100);

/// Replaces the body of one request before it is signed, and keeps the body of its answer.
#[derive(Debug, Clone)]
pub(super) struct BodyInterceptor {
    request: Bytes,
    /// The most bytes of the answer.
    max_bytes: usize,
    trace: Option<TraceContext>,
    answer: Answer,
    progress: Progress,
    connection: CaptureHttpAttemptTelemetry,
}

/// The stage of one request, seen by all who hold it.
#[derive(Debug, Clone)]
struct Progress {
    stage: Arc<AtomicU8>,
    /// The number of the call's requests that may be billed.
    sent: Arc<AtomicUsize>,
    /// When a connection began to take the request.
    writing_since: Arc<OnceLock<Instant>>,
    /// Whether the connection had been closed before the request was written to it.
    met_closed_connection: Arc<AtomicBool>,
}

impl Progress {
    fn new(sent: &Arc<AtomicUsize>) -> Self {
        Self {
            stage: Arc::default(),
            sent: Arc::clone(sent),
            writing_since: Arc::default(),
            met_closed_connection: Arc::default(),
        }
    }

    fn reach(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::SeqCst);
        if stage == Stage::Writing {
            self.writing_since.get_or_init(|| {
                self.sent.fetch_add(1, Ordering::SeqCst);
                Instant::now()
            });
        }
    }

    fn stage(&self) -> Stage {
        match self.stage.load(Ordering::SeqCst) {
            0 => Stage::Preparing,
            1 => Stage::Connecting,
            _ => Stage::Writing,
        }
    }
}

#[derive(Debug, Clone)]
enum Answer {
    /// It is in memory when the call returns.
    Complete { body: Arc<OnceLock<Bytes>>, input_tokens: Arc<OnceLock<u64>> },
    /// It is still arriving when the call returns.
    Stream(Arc<Mutex<Option<StreamedBody>>>),
}

#[derive(Debug)]
struct StreamedBody {
    body: SdkBody,
    /// Whether the answer says that it is an event stream. A proxy's page says otherwise.
    is_event_stream: bool,
}

impl BodyInterceptor {
    /// For a call whose answer comes in one piece.
    pub(super) fn complete(outgoing: &Outgoing<'_>) -> Self {
        Self::new(outgoing, Answer::Complete { body: Arc::default(), input_tokens: Arc::default() })
    }

    /// For a call whose answer is a stream.
    pub(super) fn stream(outgoing: &Outgoing<'_>) -> Self {
        Self::new(outgoing, Answer::Stream(Arc::default()))
    }

    fn new(outgoing: &Outgoing<'_>, answer: Answer) -> Self {
        Self {
            request: outgoing.body.clone(),
            max_bytes: outgoing.max_bytes,
            trace: outgoing.sending.trace.clone(),
            answer,
            progress: Progress::new(&outgoing.sending.sent),
            connection: CaptureHttpAttemptTelemetry::new(),
        }
    }

    /// Notes that the connection was closed before an answer came. If it had carried an earlier call and ended as soon as
    /// it was written to, it had been closed before.
    pub(super) fn connection_was_closed(&self) {
        let acquired = self.connection.get().acquisition().copied();
        let is_reused = acquired.is_some_and(|acquired| acquired.usage() == ConnectionUsage::Reused);
        let at_once = self.progress.writing_since.get().is_some_and(|since| since.elapsed() < CLOSED_BEFORE);
        self.progress.met_closed_connection.store(is_reused && at_once, Ordering::SeqCst);
    }

    /// Whether the connection had been closed before the request was written to it, so that nobody received the request.
    pub(super) fn met_closed_connection(&self) -> bool {
        self.progress.met_closed_connection.load(Ordering::SeqCst)
    }

    /// Notes that the request has failed without anything generated, so that it is not billed. Called once.
    pub(super) fn was_free(&self) {
        if self.progress.writing_since.get().is_some() {
            self.progress.sent.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// How far the request came.
    pub(super) fn stage(&self) -> Stage {
        self.progress.stage()
    }

    /// The number of input tokens that the header of an `InvokeModel` answer gives.
    pub(super) fn input_tokens(&self) -> Option<u64> {
        match &self.answer {
            Answer::Complete { input_tokens, .. } => input_tokens.get().copied(),
            Answer::Stream(_) => None,
        }
    }

    /// The body of a complete answer.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when there are none.
    pub(super) fn body(&self) -> Result<Bytes> {
        match &self.answer {
            Answer::Complete { body, .. } => body.get().cloned().ok_or_else(no_body),
            Answer::Stream(_) => Err(no_body()),
        }
    }

    /// The body of a streamed answer. It can be taken only once.
    ///
    /// # Errors
    /// `InvalidUpstreamResponse` when there is none; `ProxyAnswer` when it is no event stream.
    pub(super) fn take_stream(&self) -> Result<SdkBody> {
        match &self.answer {
            Answer::Stream(kept) => {
                let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(no_body)?;
                if kept.is_event_stream { Ok(kept.body) } else { Err(proxy_answer(200)) }
            }
            Answer::Complete { .. } => Err(no_body()),
        }
    }
}

fn no_body() -> Error {
    Error::new(Kind::InvalidUpstreamResponse, "Bedrock's answer has no body")
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

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.progress.reach(Stage::Connecting);
        // The HTTP client asks for the body once it has a connection and has begun to write.
        let progress = self.progress.clone();
        let body = Full::new(self.request.clone()).map_frame(move |frame| {
            progress.reach(Stage::Writing);
            frame
        });
        *context.request_mut().body_mut() = SdkBody::from_body_1_x(body);
        context.request_mut().add_extension(self.connection.clone());
        // They are added after the request was signed, because whatever stands between may change them.
        if let Some(trace) = &self.trace {
            let headers = context.request_mut().headers_mut();
            headers.insert("traceparent", trace.parent.clone());
            if let Some(state) = &trace.state {
                headers.insert("tracestate", state.clone());
            }
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_success = context.response().status().is_success();
        if let Answer::Stream(kept) = &self.answer
            && is_success
        {
            let content_type = context.response().headers().get("content-type");
            let is_event_stream = content_type.is_none_or(|kind| kind.contains("eventstream"));
            let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::empty());
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(StreamedBody { body, is_event_stream });
            return Ok(());
        }
        // The SDK reads what is left in place to its end.
        let most = if is_success { self.max_bytes } else { MAX_REFUSAL_BYTES };
        let body = std::mem::replace(context.response_mut().body_mut(), SdkBody::empty());
        *context.response_mut().body_mut() = SdkBody::from_body_1_x(Limited::new(body, most));
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Answer::Complete { body, input_tokens } = &self.answer else { return Ok(()) };
        let counted = context.response().headers().get("x-amzn-bedrock-input-token-count");
        if let Some(tokens) = counted.and_then(|tokens| tokens.parse().ok()) {
            let _ = input_tokens.set(tokens);
        }
        if let Some(bytes) = context.response().body().bytes() {
            let _ = body.set(Bytes::copy_from_slice(bytes));
        }
        Ok(())
    }
}
