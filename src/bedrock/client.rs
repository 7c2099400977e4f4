//! Makes the calls to Bedrock and returns answers as events. Each repetition may be a paid generation, so a call is sent
//! again only after a failure that cannot have generated anything.

use super::bounds::{self, AnswerWait, TimeLimits};
use super::event_stream::{EventStream, StreamSetup};
use super::refusal::in_words_of_clients;
use super::request::{self, AnswerForm, EncodedRequest};
use super::response::AnswerDecoder;
use super::retries::Retries;
use super::sending::{Outgoing, Sending};
use super::transport::{Account, Endpoint, Operation, Transport};
use super::{classify, embeddings};
use crate::catalog::foundation_model;
use crate::conversation::{Embeddings, Event};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, AdmittedEmbedding};
use crate::telemetry::{RequestScope, Telemetry};
use bytes::Bytes;
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How many calls run at once for one embedding request. Some models accept only one text in a call.
const EMBEDDINGS_AT_ONCE: usize = 8;
const COUNT_TIMEOUT: Duration = Duration::from_secs(2);

/// A client of Bedrock Runtime. It is made once and shared by all calls.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    limits: TimeLimits,
    retries: Retries,
}

impl Client {
    /// Sets up the client. Sends nothing to Bedrock.
    ///
    /// # Errors
    /// `Config` and `NoCredentials`, for AWS settings that cannot be used.
    pub async fn new(endpoint: Endpoint, limits: TimeLimits, telemetry: Telemetry) -> Result<Self> {
        let transport = Transport::new(endpoint, limits, telemetry.clone()).await?;
        Ok(Self { transport, limits, retries: Retries::new(telemetry) })
    }

    /// Whose credentials are used.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.transport.account()
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Sends a request, and returns once Bedrock has accepted it. A model that cannot stream, or cannot stream tool
    /// calls, is asked for a complete answer instead (docs/cases.md, X7).
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn ask(&self, admitted: &Admitted, streamed: bool, sending: &Sending) -> Result<Accepted> {
        let encoded = request::encode(admitted, sending.request.as_ref().map(RequestScope::id))?;
        if streamed && !request::must_be_complete(admitted) {
            match self.stream(admitted, &encoded, sending).await {
                // The refusal came before anything was generated, so the second call costs nothing extra.
                Err(error) if classify::cannot_stream(&error) => {}
                accepted => return accepted,
            }
        }
        self.complete(admitted, encoded, sending).await
    }

    /// The request that counts the input tokens of a call. `None` when the model does not support it, and when its id is an
    /// ARN that does not name the model.
    #[must_use]
    pub fn count_request(admitted: &Admitted) -> Option<CountRequest> {
        let model = foundation_model(&admitted.model().id)?;
        if !admitted.model().capabilities.features.count_tokens {
            return None;
        }
        Some(CountRequest { model: model.to_owned(), body: request::count_tokens_body(admitted)? })
    }

    /// How many input tokens AWS counts. Counting is free of charge. `None` when the request fails.
    pub async fn count(&self, request: CountRequest) -> Option<u64> {
        let CountRequest { model, body } = request;
        timeout(COUNT_TIMEOUT, self.transport.count_tokens(&model, body)).await.ok()?
    }

    /// Embeds texts, in as few calls as the model allows and several calls at once. Bedrock's id is that of the first
    /// call.
    ///
    /// # Errors
    /// Any upstream kind of the table.
    pub async fn embed(&self, admitted: &AdmittedEmbedding, sending: &Sending) -> Result<(Embeddings, Option<String>)> {
        let bodies = embeddings::request_bodies(admitted).into_iter();
        let calls = bodies.map(|body| self.invoke(admitted, body, sending));
        let mut answers = futures_util::stream::iter(calls).buffered(EMBEDDINGS_AT_ONCE);
        let mut all = Embeddings { input_tokens: Some(0), ..Embeddings::default() };
        let mut first_id = None;
        while let Some(answer) = answers.next().await {
            let (Embeddings { vectors, input_tokens }, id) = answer?;
            all.vectors.extend(vectors);
            // When one call has no count, the sum is unknown.
            all.input_tokens = all.input_tokens.zip(input_tokens).map(|(sum, tokens)| sum + tokens);
            first_id = first_id.or(id);
        }
        if all.vectors.len() != admitted.texts().len() {
            return Err(Error::new(
                Kind::InvalidUpstreamResponse,
                "Bedrock returned a different number of embeddings than was requested",
            )
            .with_bedrock_request_id(first_id));
        }
        Ok((all, first_id))
    }

    async fn invoke(
        &self,
        admitted: &AdmittedEmbedding,
        body: Bytes,
        sending: &Sending,
    ) -> Result<(Embeddings, Option<String>)> {
        let outgoing = Outgoing {
            model: &admitted.model().id,
            max_bytes: bounds::embedding_bytes(admitted, body.len()),
            wait: AnswerWait::Complete(self.limits.answer),
            body,
            sending,
        };
        let reply = self.retries.run(sending, || self.transport.complete(Operation::Invoke, &outgoing)).await?;
        let embeddings = embeddings::parse_answer(&reply.body, reply.input_tokens)
            .map_err(|error| error.with_bedrock_request_id(reply.bedrock_request_id.clone()))?;
        Ok((embeddings, reply.bedrock_request_id))
    }

    /// Gets one complete answer.
    async fn complete(&self, admitted: &Admitted, encoded: EncodedRequest, sending: &Sending) -> Result<Accepted> {
        let model = admitted.model();
        let operation = match encoded.answer {
            AnswerForm::Converse(_) | AnswerForm::NativeConverse => Operation::Converse,
            AnswerForm::Messages => Operation::Invoke,
        };
        let outgoing = Outgoing {
            model: &model.id,
            body: encoded.body,
            max_bytes: bounds::answer_bytes(admitted),
            wait: AnswerWait::Complete(self.limits.answer),
            sending,
        };
        let reply = self.retries.run(sending, || self.transport.complete(operation, &outgoing)).await;
        let reply =
            reply.map_err(|error| in_words_of_clients(error, model.context_window, Some(admitted.input_bound())))?;
        let mut events = VecDeque::new();
        AnswerDecoder::new(encoded.answer)
            .complete(&reply.body, &mut events)
            .map_err(|error| error.with_bedrock_request_id(reply.bedrock_request_id.clone()))?;
        Ok(Accepted { answer: UpstreamAnswer::Complete(events), bedrock_request_id: reply.bedrock_request_id })
    }

    /// Starts a streamed answer. The call counts as accepted once its first event has come: until then Bedrock may still
    /// refuse it, in place of that event, and it can be sent again at no cost.
    async fn stream(&self, admitted: &Admitted, encoded: &EncodedRequest, sending: &Sending) -> Result<Accepted> {
        let model = admitted.model();
        let operation = match encoded.answer {
            AnswerForm::Converse(_) | AnswerForm::NativeConverse => Operation::ConverseStream,
            AnswerForm::Messages => Operation::InvokeStream,
        };
        let outgoing = Outgoing {
            model: &model.id,
            body: encoded.body.clone(),
            max_bytes: bounds::answer_bytes(admitted),
            wait: AnswerWait::FirstBytes(self.limits.stream_idle),
            sending,
        };
        let (stream, bedrock_request_id) = self
            .retries
            .run(sending, || async {
                let (frames, bedrock_request_id) = self.transport.stream(operation, &outgoing).await?;
                let setup = StreamSetup {
                    decoder: AnswerDecoder::new(encoded.answer.clone()),
                    model: Arc::clone(model),
                    destination: self.transport.destination(&model.id).await?,
                    idle: self.limits.stream_idle,
                    content_frames: bounds::content_frames(admitted),
                    bedrock_request_id: bedrock_request_id.clone(),
                };
                Ok((EventStream::begin(frames, setup).await?, bedrock_request_id))
            })
            .await
            .map_err(|error| in_words_of_clients(error, model.context_window, Some(admitted.input_bound())))?;
        Ok(Accepted { answer: UpstreamAnswer::Stream(Box::new(stream)), bedrock_request_id })
    }
}

/// A request for a count of input tokens.
pub struct CountRequest {
    /// The id of the foundation model.
    pub(crate) model: String,
    pub(crate) body: Bytes,
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
