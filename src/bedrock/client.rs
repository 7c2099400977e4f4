//! The calls to Bedrock: tries, silence, and answers as events. The SDK is told not to repeat anything by itself, because
//! each repetition may be a paid generation; only failures that cannot have generated anything are tried again, here.

use super::request::{self, EncodedRequest};
use super::response::Decoder;
use super::transport::{Endpoint, FrameKind, FrameStream, Origin, Transport};
use super::{classify, embeddings};
use crate::catalog::foundation_model;
use crate::conversation::{Embeddings, Event};
use crate::error::{Error, Kind, Result, Retry};
use crate::policy::{Admitted, AdmittedEmbedding};
use crate::telemetry::Telemetry;
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How often a call is sent at most, and only while nothing can have been generated.
const TRIES: u32 = 3;
/// How many calls for embeddings run at once, for models that take one text at a time.
const EMBEDDINGS_AT_ONCE: usize = 8;
/// How long to look once more before a stream is called silent.
const SECOND_LOOK: Duration = Duration::from_millis(200);
/// How long a count of tokens may take.
const COUNTING: Duration = Duration::from_secs(2);
/// The longest wait AWS may ask for before its refusal goes to the caller instead.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A connection to Bedrock Runtime. Cheap to share, made once.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    /// How long a stream may be silent.
    idle: Duration,
    telemetry: Telemetry,
}

impl Client {
    /// Sets the connection up; sends nothing. `idle` is how long a stream may be silent.
    pub async fn new(endpoint: Endpoint, idle: Duration, telemetry: Telemetry) -> Self {
        Self { transport: Transport::new(endpoint).await, idle, telemetry }
    }

    /// Asks. Returns once Bedrock has accepted the call. A model that cannot stream tool calls, or cannot stream,
    /// is asked for the whole answer instead (docs/cases.md, X7).
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn ask(&self, admitted: &Admitted, streamed: bool) -> Result<Accepted> {
        let encoded = request::encode(admitted)?;
        if streamed && !request::only_complete(admitted) {
            match self.converse_stream(admitted, &encoded).await {
                // Refused before anything was generated, so the second call costs nothing extra.
                Err(error) if classify::cannot_stream(&error) => {}
                accepted => return accepted,
            }
        }
        self.converse(admitted, encoded).await
    }

    /// How many input tokens a request has, as AWS counts them: free of charge, for the models that have it and that
    /// are named openly. `None`: it cannot be told.
    pub async fn count(&self, admitted: &Admitted) -> Option<u64> {
        let model = foundation_model(&admitted.model().id)?;
        if !admitted.model().capabilities.features.count_tokens {
            return None;
        }
        let body = request::to_count(admitted)?;
        timeout(COUNTING, self.transport.count_tokens(model, body)).await.ok()?
    }

    /// Embeds texts: in as few calls as the model allows, a few of them at once.
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn embed(&self, admitted: &AdmittedEmbedding) -> Result<Embeddings> {
        let calls = embeddings::bodies(admitted).into_iter().map(|body| self.invoke(&admitted.model().id, body));
        let mut answers = futures_util::stream::iter(calls).buffered(EMBEDDINGS_AT_ONCE);
        let mut all = Embeddings { input_tokens: Some(0), ..Embeddings::default() };
        while let Some(answer) = answers.next().await {
            let Embeddings { vectors, input_tokens } = answer?;
            all.vectors.extend(vectors);
            // A part that was not counted leaves the whole uncounted.
            all.input_tokens = all.input_tokens.zip(input_tokens).map(|(sum, tokens)| sum + tokens);
        }
        if all.vectors.len() != admitted.texts().len() {
            return Err(Error::new(
                Kind::InvalidUpstreamResponse,
                "Bedrock answered with another number of embeddings than asked for",
            ));
        }
        Ok(all)
    }

    async fn invoke(&self, model: &str, body: Bytes) -> Result<Embeddings> {
        let reply = self.with_retries(|| self.transport.invoke(model, body.clone())).await?;
        embeddings::vectors(&reply.body, reply.input_tokens)
    }

    /// One complete answer. Its time is not limited: a slow answer is paid for and worth waiting for.
    async fn converse(&self, admitted: &Admitted, encoded: EncodedRequest) -> Result<Accepted> {
        let model = &admitted.model().id;
        let reply = self.with_retries(|| self.transport.converse(model, encoded.body.clone())).await?;
        let mut events = VecDeque::new();
        Decoder::new(encoded.response_options).complete(&reply.body, &mut events)?;
        Ok(Accepted { answer: UpstreamAnswer::Complete(events), request_id: reply.request_id })
    }

    /// One streamed answer.
    async fn converse_stream(&self, admitted: &Admitted, encoded: &EncodedRequest) -> Result<Accepted> {
        let model = &admitted.model().id;
        let (frames, request_id) = self
            .with_retries(|| async {
                let call = self.transport.converse_stream(model, encoded.body.clone());
                timeout(self.idle, call).await.unwrap_or_else(|_| Err(stream_idle(self.idle)))
            })
            .await?;
        let stream = EventStream {
            frames,
            decoder: Decoder::new(encoded.response_options.clone()),
            events: VecDeque::new(),
            model: model.clone(),
            origin: self.transport.origin().clone(),
            idle: self.idle,
            last_frame: Instant::now(),
            stopped: false,
            began: false,
        };
        Ok(Accepted { answer: UpstreamAnswer::Stream(Box::new(stream)), request_id })
    }

    /// Sends up to three times while nothing can have been generated.
    async fn with_retries<T, F: Future<Output = Result<T>>>(&self, mut send: impl FnMut() -> F) -> Result<T> {
        let mut attempt = 1;
        loop {
            let result = send().await;
            self.telemetry.tried(attempt, result.as_ref().err().map(|error| error.kind));
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = error.retry_after.unwrap_or(Duration::from_millis(100)) * 2u32.pow(attempt - 1);
            if attempt == TRIES || error.kind.spec().retry != Retry::Free || wait > LONGEST_WAIT {
                return Err(error);
            }
            // Jitter, so that many callers who were throttled together do not come back together.
            tokio::time::sleep(wait.mul_f32(0.5 + fastrand::f32() / 2.0)).await;
            attempt += 1;
        }
    }
}

/// An accepted call.
pub struct Accepted {
    pub answer: UpstreamAnswer,
    /// Bedrock's id for the call.
    pub request_id: Option<String>,
}

pub enum UpstreamAnswer {
    /// The events of a complete answer.
    Complete(VecDeque<Event>),
    /// Events on their way.
    Stream(Box<EventStream>),
}

/// A streamed answer on its way. Dropping it closes the connection, which ends the stream at Bedrock.
pub struct EventStream {
    frames: FrameStream,
    decoder: Decoder,
    /// Decoded and not yet handed out: a frame may hold several events.
    events: VecDeque<Event>,
    model: String,
    origin: Origin,
    idle: Duration,
    /// Kept here, because a reader may give up on one `next` and try again.
    last_frame: Instant,
    /// Whether the stop reason was handed out.
    stopped: bool,
    began: bool,
}

impl EventStream {
    /// Whether anything of an answer has come: from then on it may be billed, whatever comes next.
    #[must_use]
    pub fn began(&self) -> bool {
        self.began
    }

    /// The next event; `None` at the end of the stream, wherever that is. May be dropped and called again: nothing is
    /// lost.
    ///
    /// # Errors
    /// `StreamIdle`; any upstream kind. Once the answer has stopped only its usage can be missing, which is no error.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.stopped |= matches!(event, Event::Stop(_));
                return Ok(Some(event));
            }
            match self.frame().await {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(_) if self.stopped => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the next frame in; `false` at the end of the stream.
    async fn frame(&mut self) -> Result<bool> {
        let frame = match timeout_at(self.last_frame + self.idle, self.frames.next()).await {
            Ok(frame) => frame,
            // A process that was suspended finds its deadline passed and the frames waiting.
            Err(_) => match timeout(SECOND_LOOK, self.frames.next()).await {
                Ok(frame) => frame,
                Err(_) => return Err(stream_idle(self.idle)),
            },
        };
        self.last_frame = Instant::now();
        let Some(frame) = frame? else { return Ok(false) };
        match frame.kind {
            FrameKind::Event => {
                self.began = true;
                self.decoder.event(&frame.name, &frame.payload, &mut self.events)?;
                Ok(true)
            }
            FrameKind::Exception => Err(classify::exception(&frame.name, &frame.payload, &self.model, &self.origin)),
        }
    }
}

fn stream_idle(idle: Duration) -> Error {
    Error::new(Kind::StreamIdle, format!("Bedrock has been silent for {} s", idle.as_secs_f32()))
}
