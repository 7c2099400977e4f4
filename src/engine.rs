//! The one door. Every question, from a terminal or over HTTP, goes through [`Engine::ask`]:
//! admitted by the policy, sent to Bedrock, its events counted and priced. Nothing below knows who asked.

mod lessons;
mod thoughts;

use crate::bedrock::{Answering, Client, refused_param};
use crate::catalog::{Lifecycle, Model, NanoDollars};
use crate::conversation::{Answer, EmbeddingRequest, Embeddings, Event, Request, StopReason, Usage};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, Edit, Param, Policy, admit_embedding, price};
use lessons::Lessons;
use std::sync::Arc;
use thoughts::{Thoughts, Thread};

/// How many parameters a model may refuse one after the other before its refusal is taken for final.
const LESSONS_PER_CALL: usize = 3;

/// How an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In one piece.
    Complete,
    /// As it comes.
    Streamed,
}

/// Policy and connection in one.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    client: Client,
    lessons: Lessons,
    thoughts: Arc<Thoughts>,
}

impl Engine {
    /// An engine with its rules and its connection.
    #[must_use]
    pub fn new(policy: Policy, client: Client) -> Self {
        Self { policy, client, lessons: Lessons::default(), thoughts: Arc::default() }
    }

    /// The rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks a model. Returns once Bedrock has accepted the call.
    ///
    /// # Errors
    /// Refusals of the policy, and any upstream kind.
    pub async fn ask(&self, mut request: Request, delivery: Delivery) -> Result<Call> {
        self.thoughts.restore(&mut request.messages);
        let mut admitted = self.policy.admit(request)?;
        let asked = Arc::clone(admitted.model());
        if self.lessons.is_retired(&asked.id) {
            admitted = self.policy.succeed(admitted)?;
        }
        admitted = self.lessons.apply(admitted);
        let mut refusals = 0;
        // Each way round is free: AWS refuses before anything is generated.
        let answering = loop {
            let error = match self.client.ask(&admitted, delivery == Delivery::Streamed).await {
                Ok(answering) => break answering,
                Err(error) => error,
            };
            let model = Arc::clone(admitted.model());
            if model.id == asked.id && is_end_of_life(&error, &model) {
                admitted = self.lessons.apply(self.policy.succeed(admitted)?);
                self.lessons.retire(&asked.id);
                continue;
            }
            match refused_param(&error).filter(|param| refusals < LESSONS_PER_CALL && admitted.has(*param)) {
                Some(param) => {
                    refusals += 1;
                    admitted = admitted.without(param);
                    // A foreign signature is the conversation's, not the model's.
                    if param != Param::History {
                        self.lessons.learn(&model.id, param);
                    }
                }
                None => return Err(error),
            }
        };
        let thread = Thread::new(Arc::clone(&self.thoughts));
        Ok(Call { admitted, asked, answering, thread, usage: None })
    }

    /// Embeds texts.
    ///
    /// # Errors
    /// Refusals of the policy, and any upstream kind.
    pub async fn embed(&self, request: EmbeddingRequest) -> Result<Embedded> {
        let admitted = admit_embedding(request)?;
        let embeddings = self.client.embed(&admitted).await?;
        let cost = embeddings.input_tokens.map(|tokens| admitted.model().price.cost(tokens));
        Ok(Embedded { model: admitted.model().id.clone(), embeddings, cost })
    }
}

/// The model ended with something that is no answer, and said nothing else.
#[must_use]
pub fn malformed(reason: &str) -> Error {
    Error::new(Kind::ModelFailed, format!("the model produced no valid answer ({reason})"))
}

/// Vectors, and what they took.
#[derive(Debug)]
pub struct Embedded {
    /// The Bedrock id that answered.
    pub model: String,
    /// The vectors.
    pub embeddings: Embeddings,
    /// What they cost; `None` when the service did not count.
    pub cost: Option<NanoDollars>,
}

/// AWS tells the end of a model's life in several ways; for a model the catalog knows to be retired,
/// "no such model" is one of them.
fn is_end_of_life(error: &Error, model: &Model) -> bool {
    match error.kind {
        Kind::EndOfLife => true,
        Kind::ModelNotFound => model.lifecycle == Lifecycle::EndOfLife,
        _ => false,
    }
}

/// An accepted call: its events, and what it took. Dropping it ends the stream at Bedrock.
pub struct Call {
    admitted: Admitted,
    asked: Arc<Model>,
    answering: Answering,
    thread: Thread,
    usage: Option<Usage>,
}

impl Call {
    /// Who answers: the model asked for, or its successor.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        self.admitted.model()
    }

    /// What the policy changed.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        self.admitted.edits()
    }

    /// What the call can cost at most; `None` without a price.
    #[must_use]
    pub fn worst_case(&self) -> Option<NanoDollars> {
        self.admitted.worst_case()
    }

    /// What to tell a person when another model answers than the one that was asked.
    #[must_use]
    pub fn succession(&self) -> Option<String> {
        let model = self.model();
        (model.id != self.asked.id).then(|| {
            let date = self.asked.end_of_life.as_deref().map(|date| format!(" on {date}")).unwrap_or_default();
            let (from, to) = (self.asked.display_name(), model.display_name());
            format!("AWS has retired {from}{date}; {to} ({}) answers instead", model.id)
        })
    }

    /// The next event; `None` after the last one. Usage comes after the stop: read on.
    ///
    /// # Errors
    /// Any upstream kind; `Truncated` when the answer broke off.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        let event = match &mut self.answering {
            Answering::Complete(events) => events.pop_front(),
            Answering::Stream(stream) => stream.next().await?,
        };
        if let Some(event) = &event {
            self.thread.follow(event);
        }
        if let Some(Event::Usage(usage)) = &event {
            self.usage = Some(*usage);
        }
        Ok(event)
    }

    /// What the call took; `None` until its usage has come.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// What the call cost; `None` until its usage has come, or without a price.
    #[must_use]
    pub fn cost(&self) -> Option<NanoDollars> {
        Some(price::cost(self.model().prices.as_ref()?, self.usage.as_ref()?, self.admitted.tier()))
    }

    /// Reads on to the end.
    ///
    /// # Errors
    /// As [`Call::next`].
    pub async fn answer(&mut self) -> Result<Answer> {
        let mut answer = Answer::default();
        while let Some(event) = self.next().await? {
            answer.add(event);
        }
        match &answer.stop {
            // A malformed answer with something in it is still worth reading (cases.md X5).
            Some(StopReason::Malformed(reason)) if answer.text.is_empty() && answer.tool_calls.is_empty() => {
                Err(malformed(reason))
            }
            Some(_) => Ok(answer),
            None => Err(Error::new(Kind::Truncated, "the answer has no stop reason")),
        }
    }
}
