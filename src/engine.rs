//! The one door. Every question, from a terminal or over HTTP, goes through [`Engine::ask`]:
//! admitted by the policy, sent to Bedrock, its events counted and priced. Nothing below knows who asked.

use crate::bedrock::{Client, EventStream};
use crate::catalog::Lifecycle;
use crate::catalog::{Model, NanoDollars};
use crate::conversation::{Answer, Event, Request, StopReason, Usage};
use crate::error::{Error, Kind, Result};
use crate::policy::{Admitted, Edit, Policy, price};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

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
    /// Ids that AWS has refused as retired. Asked once per process, then the successor goes first.
    retired: RwLock<HashSet<String>>,
}

impl Engine {
    /// An engine with its rules and its connection.
    #[must_use]
    pub fn new(policy: Policy, client: Client) -> Self {
        Self { policy, client, retired: RwLock::default() }
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
    pub async fn ask(&self, request: Request, delivery: Delivery) -> Result<Call> {
        let mut admitted = self.policy.admit(request)?;
        let asked = Arc::clone(admitted.model());
        let known = self.retired.read().unwrap_or_else(PoisonError::into_inner).contains(&asked.id);
        if known {
            admitted = self.policy.succeed(admitted)?;
        }
        let source = match self.send(&admitted, delivery).await {
            Err(error) if !known && is_end_of_life(&error, &asked) => {
                // Free: AWS refuses a retired model before anything is generated (bedrock.md trap 12).
                admitted = self.policy.succeed(admitted)?;
                let source = self.send(&admitted, delivery).await?;
                self.retired.write().unwrap_or_else(PoisonError::into_inner).insert(asked.id.clone());
                source
            }
            other => other?,
        };
        Ok(Call { admitted, asked, source, usage: None })
    }

    async fn send(&self, admitted: &Admitted, delivery: Delivery) -> Result<Source> {
        Ok(match delivery {
            Delivery::Complete => Source::Complete(self.client.converse(admitted).await?.into()),
            Delivery::Streamed => Source::Streamed(Box::new(self.client.converse_stream(admitted).await?)),
        })
    }
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

enum Source {
    Complete(VecDeque<Event>),
    Streamed(Box<EventStream>),
}

/// An accepted call: its events, and what it took. Dropping it ends the stream at Bedrock.
pub struct Call {
    admitted: Admitted,
    asked: Arc<Model>,
    source: Source,
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
            format!(
                "AWS has retired {}{date}; {} ({}) answers instead",
                self.asked.display_name(),
                model.display_name(),
                model.id
            )
        })
    }

    /// The next event; `None` after the last one. Usage comes after the stop: read on.
    ///
    /// # Errors
    /// Any upstream kind; `Truncated` when the answer broke off.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        let event = match &mut self.source {
            Source::Complete(events) => events.pop_front(),
            Source::Streamed(stream) => stream.next().await?,
        };
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
        Some(price::cost(self.model().prices.as_ref()?, self.usage.as_ref()?))
    }

    /// Reads on to the end.
    ///
    /// # Errors
    /// As [`Call::next`].
    pub async fn answer(&mut self) -> Result<Answer> {
        let (mut text, mut reasoning, mut stop) = (String::new(), String::new(), None::<StopReason>);
        while let Some(event) = self.next().await? {
            match event {
                Event::Text(more) => text.push_str(&more),
                Event::Reasoning(more) => reasoning.push_str(&more),
                Event::Stop(reason) => stop = Some(reason),
                Event::Usage(_) => {}
            }
        }
        let stop = stop.ok_or_else(|| Error::new(Kind::Truncated, "the answer has no stop reason"))?;
        Ok(Answer { text, reasoning, stop, usage: self.usage })
    }
}
