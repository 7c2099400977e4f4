//! Makes the calls to Bedrock: it sends, retries, watches for silence, and returns answers as events. The SDK's own
//! retries are off, because each repetition may be a paid generation. Here a call is sent again only after a failure
//! that cannot have generated anything.

use super::aws_context::AwsContext;
use super::refusal::{Place, in_words_of_clients};
use super::request::{self, EncodedRequest};
use super::response::Decoder;
use super::transport::{Account, Endpoint, FrameKind, FrameStream, Transport};
use super::{classify, embeddings};
use crate::catalog::{Model, foundation_model};
use crate::conversation::{Embeddings, Event};
use crate::error::{Error, Kind, Result, Retry};
use crate::policy::{Admitted, AdmittedEmbedding};
use crate::telemetry::Telemetry;
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The most times that a call is sent, unless its caller retries too.
pub const MAX_ATTEMPTS: u32 = 3;
/// How many calls run at once for one embedding request. Some models accept only one text in a call.
const EMBEDDINGS_AT_ONCE: usize = 8;
/// How long to wait for a frame once more before a stream counts as silent.
const RECHECK: Duration = Duration::from_millis(200);
const COUNT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest wait before another attempt. When AWS asks for a longer one, the caller gets its refusal instead.
const MAX_RETRY_WAIT: Duration = Duration::from_secs(5);

/// A client of Bedrock Runtime. It is made once and shared by all calls.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    /// How long a stream may be silent.
    idle: Duration,
    telemetry: Telemetry,
}

impl Client {
    /// Sets up the client. Sends nothing to Bedrock. `idle` is how long a stream may be silent.
    ///
    /// # Errors
    /// `Config` and `NoCredentials`, for AWS settings that cannot be used.
    pub async fn new(endpoint: Endpoint, idle: Duration, telemetry: Telemetry) -> Result<Self> {
        Ok(Self { transport: Transport::new(endpoint).await?, idle, telemetry })
    }

    /// Whose credentials are used.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.transport.account()
    }

    /// Sends a request, at most `attempts` times, and returns once Bedrock has accepted it. `sent` becomes true when Bedrock may
    /// have received a part of it. A model that cannot stream, or cannot stream tool
    /// calls, is asked for a complete answer instead (docs/cases.md, X7).
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn ask(
        &self,
        admitted: &Admitted,
        streamed: bool,
        attempts: u32,
        sent: &Arc<AtomicBool>,
    ) -> Result<Accepted> {
        let encoded = request::encode(admitted)?;
        if streamed && !request::must_be_complete(admitted) {
            match self.converse_stream(admitted, &encoded, attempts, sent).await {
                // The refusal came before anything was generated, so the second call costs nothing extra.
                Err(error) if classify::cannot_stream(&error) => {}
                accepted => return accepted,
            }
        }
        self.converse(admitted, encoded, attempts, sent).await
    }

    /// How many input tokens AWS counts in a request. Counting is free of charge. `None` when the model does not
    /// support it, when the model's id is an ARN that does not name the model, or when the call fails.
    pub async fn count(&self, admitted: &Admitted) -> Option<u64> {
        let model = foundation_model(&admitted.model().id)?;
        if !admitted.model().capabilities.features.count_tokens {
            return None;
        }
        let body = request::count_tokens_body(admitted)?;
        timeout(COUNT_TIMEOUT, self.transport.count_tokens(model, body)).await.ok()?
    }

    /// Embeds texts, in as few calls as the model allows and several calls at once.
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn embed(
        &self,
        admitted: &AdmittedEmbedding,
        attempts: u32,
        sent: &Arc<AtomicBool>,
    ) -> Result<Embeddings> {
        let bodies = embeddings::request_bodies(admitted).into_iter();
        let calls = bodies.map(|body| self.invoke(&admitted.model().id, body, attempts, sent));
        let mut answers = futures_util::stream::iter(calls).buffered(EMBEDDINGS_AT_ONCE);
        let mut all = Embeddings { input_tokens: Some(0), ..Embeddings::default() };
        while let Some(answer) = answers.next().await {
            let Embeddings { vectors, input_tokens } = answer?;
            all.vectors.extend(vectors);
            // When one call has no count, the sum is unknown.
            all.input_tokens = all.input_tokens.zip(input_tokens).map(|(sum, tokens)| sum + tokens);
        }
        if all.vectors.len() != admitted.texts().len() {
            return Err(Error::new(
                Kind::InvalidUpstreamResponse,
                "Bedrock returned a different number of embeddings than was requested",
            ));
        }
        Ok(all)
    }

    async fn invoke(&self, model: &str, body: Bytes, attempts: u32, sent: &Arc<AtomicBool>) -> Result<Embeddings> {
        let reply = self.with_retries(attempts, || self.transport.invoke(model, body.clone(), sent)).await?;
        embeddings::parse_answer(&reply.body, reply.input_tokens)
    }

    /// Gets one complete answer. There is no time limit, because a slow answer is paid for all the same.
    async fn converse(
        &self,
        admitted: &Admitted,
        encoded: EncodedRequest,
        attempts: u32,
        sent: &Arc<AtomicBool>,
    ) -> Result<Accepted> {
        let model = admitted.model();
        let reply =
            self.with_retries(attempts, || self.transport.converse(&model.id, encoded.body.clone(), sent)).await;
        let reply = reply.map_err(|error| in_words_of_clients(error, model.context_window))?;
        let mut events = VecDeque::new();
        Decoder::new(encoded.response_options).complete(&reply.body, &mut events)?;
        Ok(Accepted { answer: UpstreamAnswer::Complete(events), bedrock_request_id: reply.bedrock_request_id })
    }

    /// Starts a streamed answer. The call counts as accepted once its first event has come: until then Bedrock may still
    /// refuse it, in place of that event, and it can be sent again at no cost.
    async fn converse_stream(
        &self,
        admitted: &Admitted,
        encoded: &EncodedRequest,
        attempts: u32,
        sent: &Arc<AtomicBool>,
    ) -> Result<Accepted> {
        let model = admitted.model();
        let (stream, bedrock_request_id) = self
            .with_retries(attempts, || async {
                let call = self.transport.converse_stream(&model.id, encoded.body.clone(), sent);
                let accepted = timeout(self.idle, call).await;
                let (frames, bedrock_request_id) = accepted.unwrap_or_else(|_| Err(stream_idle(self.idle)))?;
                let mut stream = EventStream {
                    frames,
                    decoder: Decoder::new(encoded.response_options.clone()),
                    events: VecDeque::new(),
                    model: Arc::clone(model),
                    context: self.transport.context(&model.id)?,
                    idle: self.idle,
                    last_frame: Instant::now(),
                    stopped: false,
                };
                stream.read_frame(Place::FirstFrame).await?;
                Ok((stream, bedrock_request_id))
            })
            .await
            .map_err(|error| in_words_of_clients(error, model.context_window))?;
        Ok(Accepted { answer: UpstreamAnswer::Stream(Box::new(stream)), bedrock_request_id })
    }

    /// Sends again after a failure that cannot have generated anything, up to `attempts` times in all.
    async fn with_retries<T, F: Future<Output = Result<T>>>(
        &self,
        attempts: u32,
        mut send: impl FnMut() -> F,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let result = send().await;
            self.telemetry.tried(attempt, result.as_ref().err().map(|error| error.kind));
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = error.retry_after.unwrap_or(Duration::from_millis(100)) * 2u32.pow(attempt - 1);
            if attempt >= attempts || error.retry() != Retry::Free || wait > MAX_RETRY_WAIT {
                return Err(error);
            }
            // Jitter, so that callers who were throttled together do not all return at the same time.
            tokio::time::sleep(wait.mul_f32(0.5 + fastrand::f32() / 2.0)).await;
            attempt += 1;
        }
    }
}

/// A call that Bedrock has accepted.
pub struct Accepted {
    pub answer: UpstreamAnswer,
    /// Bedrock's id for the call.
    pub bedrock_request_id: Option<String>,
}

pub enum UpstreamAnswer {
    /// All events of a complete answer.
    Complete(VecDeque<Event>),
    Stream(Box<EventStream>),
}

/// An answer that is still arriving. Dropping it closes the connection, which ends the stream at Bedrock.
pub struct EventStream {
    frames: FrameStream,
    decoder: Decoder,
    /// Events that were decoded but not yet returned. One frame may hold several.
    events: VecDeque<Event>,
    model: Arc<Model>,
    context: AwsContext,
    idle: Duration,
    /// When the last frame arrived. Kept here, because the future of one `next` may be dropped and `next` called again.
    last_frame: Instant,
    /// Whether the stop reason was returned.
    stopped: bool,
}

impl EventStream {
    /// The next event; `None` at the end of the stream, even if the answer is incomplete there. The future may be
    /// dropped and `next` called again without losing anything.
    ///
    /// # Errors
    /// `StreamIdle` or any upstream kind, until the stop reason has arrived. A failure after it ends the stream without
    /// an error, because only the usage can be missing then.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.stopped |= matches!(event, Event::Stop(_));
                return Ok(Some(event));
            }
            match self.read_frame(Place::LaterFrame).await {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(_) if self.stopped => return Ok(None),
                Err(error) => return Err(in_words_of_clients(error, self.model.context_window)),
            }
        }
    }

    /// Reads and decodes the next frame. `false` at the end of the stream.
    async fn read_frame(&mut self, place: Place) -> Result<bool> {
        let frame = match timeout_at(self.last_frame + self.idle, self.frames.next()).await {
            Ok(frame) => frame,
            // After a suspension of this process the deadline has passed, although frames are waiting to be read.
            Err(_) => match timeout(RECHECK, self.frames.next()).await {
                Ok(frame) => frame,
                Err(_) => return Err(stream_idle(self.idle)),
            },
        };
        self.last_frame = Instant::now();
        let Some(frame) = frame? else { return Ok(false) };
        match frame.kind {
            FrameKind::Event => {
                self.decoder.event(&frame.name, &frame.payload, &mut self.events)?;
                Ok(true)
            }
            FrameKind::Exception => {
                Err(classify::stream_exception(&frame.name, &frame.payload, place, &self.model.id, &self.context))
            }
        }
    }
}

fn stream_idle(idle: Duration) -> Error {
    Error::new(Kind::StreamIdle, format!("Bedrock has been silent for {} s", idle.as_secs_f32()))
}
