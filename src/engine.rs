//! The single entry point to a paid call. Every question, from a terminal or over HTTP, goes through [`Engine::ask`]:
//! admitted by the policy, booked in the ledger, sent to Bedrock, its events counted and priced. Nothing below knows who
//! asked.

mod admission;
mod call;
mod caller;
mod reasoning_cache;
mod refusal_cache;
mod reserved_call;

pub use admission::{BudgetGuard, over_budget, over_ceiling, unpriced};
pub use call::Call;
pub use caller::Caller;
pub use reserved_call::Warning;

use crate::bedrock::{Accepted, Client, refused_part};
use crate::catalog::{Lifecycle, Model, NanoDollars};
use crate::conversation::{EmbeddingRequest, Embeddings, Request, Usage};
use crate::error::{Error, Kind, Result, Retry};
use crate::ledger::Reservation;
use crate::policy::{Admitted, AdmittedEmbedding, Policy, Refusable};
use crate::telemetry::Telemetry;
use call::Start;
use reasoning_cache::{ReasoningCache, ReasoningRecorder};
use refusal_cache::RefusalCache;
use reserved_call::ReservedCall;
use std::sync::Arc;
use std::time::Instant;

/// How many parts of a request a model may refuse one after the other before its refusal is taken for final.
const REFUSALS_PER_CALL: usize = 3;

/// How an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerMode {
    /// In one piece.
    Complete,
    /// As it comes.
    Streamed,
}

/// Policy, ledger and connection in one.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    client: Client,
    guard: BudgetGuard,
    refusals: RefusalCache,
    reasoning: Arc<ReasoningCache>,
    /// Whether an answer that nobody waits for any more is read on to its usage.
    drain: bool,
    telemetry: Telemetry,
}

/// A request that may be sent, and what is reserved for it.
struct Admission {
    /// The model that was asked for; a successor may answer in its place.
    asked: Arc<Model>,
    admitted: Admitted,
    reserved: ReservedCall,
    began: Instant,
}

impl Engine {
    /// An engine with its rules, its connection, and where it books what. `drain`: an answer that nobody waits for any
    /// more is read on to its usage, instead of being stopped and booked at its worst case.
    #[must_use]
    pub fn new(policy: Policy, client: Client, guard: BudgetGuard, drain: bool, telemetry: Telemetry) -> Self {
        Self { policy, client, guard, refusals: RefusalCache::default(), reasoning: Arc::default(), drain, telemetry }
    }

    /// What may be spent, and where it is booked.
    #[must_use]
    pub fn guard(&self) -> &BudgetGuard {
        &self.guard
    }

    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks a model. Returns once Bedrock has accepted the call. Its worst case is booked before it leaves; whichever
    /// way this ends, dropped included, the ledger has it.
    ///
    /// # Errors
    /// Refusals of the policy and of the budget, and any upstream kind.
    pub async fn ask(self: &Arc<Self>, request: Request, mode: AnswerMode, caller: Caller) -> Result<Call> {
        let admission = self.admit(request, &caller).await.inspect_err(|error| self.telemetry.refused(error.kind))?;
        if !self.drain {
            return self.send(admission, mode).await;
        }
        // On a task of its own a call that has left goes on when its caller hangs up; the answer that nobody takes is
        // drained. One that has not left yet, waiting for money, goes with its caller.
        let engine = Arc::clone(self);
        let call = tokio::spawn(async move { engine.send(admission, mode).await });
        call.await.map_err(|error| Error::new(Kind::Internal, format!("a call ended by itself: {error}")))?
    }

    /// What the policy and the budgets make of a request.
    async fn admit(&self, mut request: Request, caller: &Caller) -> Result<Admission> {
        let began = Instant::now();
        let asked_name = self.policy.model_name(&request.model).to_owned();
        self.reasoning.restore(&mut request.messages);
        let mut admitted = self.policy.admit(request)?;
        caller.check(&self.policy.catalog, &admitted.model().id)?;
        let asked = Arc::clone(admitted.model());
        if self.refusals.is_retired(&asked.id) {
            admitted = self.policy.admit_successor(admitted)?;
        }
        admitted = self.refusals.apply(admitted);
        let (admitted, reserved) = self.guard.reserve(&self.client, admitted, asked_name, caller).await?;
        Ok(Admission { asked, admitted, reserved, began })
    }

    async fn send(&self, admission: Admission, mode: AnswerMode) -> Result<Call> {
        let Admission { asked, admitted, mut reserved, began } = admission;
        match self.send_until_accepted(&asked, admitted, &mut reserved, mode).await {
            Ok((admitted, accepted)) => {
                let recorder = ReasoningRecorder::new(Arc::clone(&self.reasoning));
                let start = Start { began, drain: self.drain, telemetry: self.telemetry.clone() };
                Ok(Call::new(admitted, asked, accepted, recorder, reserved, start))
            }
            Err(error) => {
                // What may have been billed stays booked, as uncertain.
                if error.kind.spec().retry != Retry::MayBill {
                    reserved.reservation.release();
                }
                Err(error)
            }
        }
    }

    /// Sends a request, and sends it again without what the model refuses or to the successor of a retired model. Each
    /// repetition is free, because AWS refuses before anything is generated; one reservation covers them all.
    async fn send_until_accepted(
        &self,
        asked: &Model,
        mut admitted: Admitted,
        reserved: &mut ReservedCall,
        mode: AnswerMode,
    ) -> Result<(Admitted, Accepted)> {
        let mut refusals = 0;
        loop {
            reserved.reservation.sent();
            let error = match self.client.ask(&admitted, mode == AnswerMode::Streamed).await {
                Ok(accepted) => return Ok((admitted, accepted)),
                Err(error) if error.kind.spec().retry == Retry::MayBill => return Err(error),
                Err(error) => error,
            };
            let model = Arc::clone(admitted.model());
            if model.id == asked.id && is_end_of_life(&error, &model) {
                self.refusals.retire(&asked.id);
                let successor = self.policy.admit_successor(admitted)?;
                admitted = reserved.within(self.refusals.apply(successor))?;
                continue;
            }
            let refused = refused_part(&error).filter(|part| refusals < REFUSALS_PER_CALL && admitted.has(*part));
            let Some(part) = refused else { return Err(error) };
            refusals += 1;
            admitted = admitted.without(part);
            // A foreign signature is the conversation's, not the model's.
            if part != Refusable::ReasoningHistory {
                self.refusals.learn(&model.id, part);
            }
        }
    }

    /// Embeds texts.
    ///
    /// # Errors
    /// Refusals of the policy and of the budget, and any upstream kind.
    pub async fn embed(&self, request: EmbeddingRequest, caller: &Caller) -> Result<Embedded> {
        let admission = self.admit_embedding(request, caller).await;
        let (admitted, mut reserved) = admission.inspect_err(|error| self.telemetry.refused(error.kind))?;
        reserved.reservation.sent();
        let calls = admitted.texts().len().div_ceil(admitted.model().batch.max(1));
        let embeddings = match self.client.embed(&admitted).await {
            Ok(embeddings) => embeddings,
            Err(error) => {
                let retry = error.kind.spec().retry;
                if calls == 1 && retry != Retry::MayBill {
                    reserved.reservation.release();
                }
                if calls == 1 || retry != Retry::Free {
                    return Err(error);
                }
                // Of several calls, others may have been answered: trying again is not free.
                let message = format!("some of the texts could not be embedded: {}", error.message);
                return Err(Error::new(Kind::ModelFailed, message).advise(error.advice().to_owned()));
            }
        };
        reserved.reservation.accepted(&admitted.model().id, None, String::new());
        let cost = embeddings.input_tokens.map(|tokens| admitted.model().price.cost(tokens));
        settle_embedding(&mut reserved.reservation, &embeddings, cost);
        let left = reserved.left(cost);
        Ok(Embedded { model: admitted.model().id.clone(), embeddings, cost, left, warnings: reserved.warnings(cost) })
    }

    async fn admit_embedding(
        &self,
        request: EmbeddingRequest,
        caller: &Caller,
    ) -> Result<(AdmittedEmbedding, ReservedCall)> {
        let asked = request.model.clone();
        let admitted = self.policy.admit_embedding(request)?;
        caller.check(&self.policy.catalog, &admitted.model().id)?;
        let reserved = self.guard.reserve_embedding(&admitted, asked, caller).await?;
        Ok((admitted, reserved))
    }
}

/// A service that does not count is booked at its worst case: there is nothing better to know.
fn settle_embedding(reservation: &mut Reservation, embeddings: &Embeddings, cost: Option<NanoDollars>) {
    match (embeddings.input_tokens, cost) {
        (Some(input), cost) => reservation.settle(Usage { input, ..Usage::default() }, cost),
        (None, _) => reservation.estimate(reservation.amount()),
    }
}

/// Vectors, and what they took.
#[derive(Debug)]
pub struct Embedded {
    /// The Bedrock id that answered.
    pub model: String,
    pub embeddings: Embeddings,
    /// What they cost; `None` when the service did not count.
    pub cost: Option<NanoDollars>,
    /// What is left of the tightest budget; `None` without one.
    pub left: Option<NanoDollars>,
    /// Budgets that are nearly used up.
    pub warnings: Vec<Warning>,
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
