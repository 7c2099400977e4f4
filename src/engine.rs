//! The single entry point to a paid call. Every request, from the terminal or over HTTP, goes through [`Engine::ask`]
//! or [`Engine::embed`]: the policy admits it, the ledger reserves its worst case, Bedrock answers it, and its usage is
//! priced and settled.

mod admission;
mod call;
mod call_watch;
mod caller;
mod cost_check;
mod embedded;
mod heavy_work;
mod known_prompts;
mod learned;
mod loop_brake;
mod reasoning_cache;
mod refusal_cache;
mod reserved_call;
mod token_counts;
mod tool_call_guard;

pub use admission::BudgetGuard;
pub use call::Call;
pub use caller::{Caller, ImageSource};
pub use cost_check::{CallCeiling, DryRun, dry_run};
pub use embedded::Embedded;
pub use heavy_work::HeavyWork;
pub use reserved_call::Warning;

use crate::bedrock::{self, Accepted, Account, CallerIdentity, Client, Sending, refused_part};
pub use crate::bedrock::{MAX_ATTEMPTS, TraceContext};
use crate::catalog::{Lifecycle, Model};
use crate::conversation::{CutCalls, EmbeddingRequest, Request, Usage};
use crate::error::{Error, Field, Kind, Result, Retry};
use crate::ledger::budget::Budgets;
use crate::policy::{Admitted, AdmittedEmbedding, Policy, Refusable};
use crate::telemetry::Telemetry;
use admission::Counter;
use call::Start;
use call_watch::CallWatch;
use known_prompts::PromptRecorder;
use learned::Learned;
use loop_brake::{Brake, LoopBrake};
use reasoning_cache::ReasoningRecorder;
use reserved_call::ReservedCall;
use std::sync::Arc;
use std::time::Duration;

/// How many parts of a request are left out, one after the other, because the model refuses them. The next refusal is
/// final.
const REFUSALS_PER_CALL: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerMode {
    /// The answer comes in one piece.
    Complete,
    /// The answer comes event by event.
    Streamed,
}

/// The policy, the ledger and the connection to Bedrock.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    client: Arc<Client>,
    guard: BudgetGuard,
    learned: Learned,
    brake: Arc<LoopBrake>,
    heavy_work: HeavyWork,
    /// Whether an answer that nobody waits for any more is read to its end, so that its usage is known.
    drain: bool,
    telemetry: Telemetry,
}

/// A request that may be sent, and what is reserved for it.
struct ReadyCall {
    /// The model that was requested; its successor may answer instead.
    requested_model: Arc<Model>,
    admitted: Admitted,
    reserved: ReservedCall,
    sending: Sending,
    /// Where the tokens of the prompt are remembered; `None` where no later call can profit from them.
    prompt: Option<PromptRecorder>,
    /// `None` for a call that cannot be a part of a loop.
    brake: Option<Brake>,
    cut_calls: CutCalls,
}

impl Engine {
    /// With `drain`, an answer that nobody waits for any more is read to its end, so that its usage is known. Otherwise
    /// it is stopped and booked at its worst case.
    #[must_use]
    pub fn new(policy: Policy, client: Client, guard: BudgetGuard, drain: bool, telemetry: Telemetry) -> Self {
        let (client, learned) = (Arc::new(client), Learned::default());
        let (brake, heavy_work) = (Arc::default(), HeavyWork::default());
        Self { policy, client, guard, learned, brake, heavy_work, drain, telemetry }
    }

    /// The same engine with other settings. The connection, the ledger and what was learned are shared. Conversations that
    /// were refused because of the limits so far begin anew.
    #[must_use]
    pub fn with_settings(&self, policy: Policy, budgets: Budgets, drain: bool) -> Self {
        Self {
            policy,
            client: Arc::clone(&self.client),
            guard: BudgetGuard { budgets, ledger: self.guard.ledger.clone() },
            learned: self.learned.clone(),
            brake: Arc::default(),
            heavy_work: self.heavy_work.clone(),
            drain,
            telemetry: self.telemetry.clone(),
        }
    }

    /// Whose credentials are used.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.client.account()
    }

    /// Asks AWS whose credentials are used, which costs nothing. `None` where nobody can be asked.
    ///
    /// # Errors
    /// As [`Client::caller_identity`].
    pub async fn caller_identity(&self, limit: Duration) -> Result<Option<CallerIdentity>> {
        self.client.caller_identity(limit).await
    }

    /// Where all work on large requests is done.
    #[must_use]
    pub fn heavy_work(&self) -> &HeavyWork {
        &self.heavy_work
    }

    #[must_use]
    pub fn guard(&self) -> &BudgetGuard {
        &self.guard
    }

    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks a model, and returns as soon as Bedrock has accepted the call. The worst case is reserved before the
    /// request is sent, and the ledger records the call however it ends, even when this future or the [`Call`] is
    /// dropped.
    ///
    /// # Errors
    /// Refusals by the policy and the budgets, and any kind that Bedrock causes.
    pub async fn ask(self: &Arc<Self>, request: Request, mode: AnswerMode, caller: Caller) -> Result<Call> {
        let size = caller.request_bytes;
        let prepare = async { with_images(self.admit(request, &caller).await?, &caller).await };
        let ready = self.heavy_work.steps(size, Box::pin(prepare)).await?;
        if !self.drain {
            return self.heavy_work.steps(size, Box::pin(self.send(ready, mode))).await;
        }
        // In a task of its own, a call continues when its caller hangs up while it is being sent; its answer is then
        // drained. A call that still waits for its reservation ends with its caller.
        let engine = Arc::clone(self);
        let call = tokio::spawn(async move { engine.heavy_work.steps(size, engine.send(ready, mode)).await });
        call.await.map_err(|error| Error::new(Kind::Internal, format!("the task of a call has failed: {error}")))?
    }

    /// The input tokens of a request: counted by Bedrock, free of charge, where the model and the moment allow it, and
    /// estimated otherwise. Nothing is reserved or booked, whatever the budgets are.
    ///
    /// # Errors
    /// Refusals by the policy; `ModelNotAllowed`.
    pub async fn count(&self, request: Request, caller: &Caller) -> Result<Count> {
        let counted = async {
            let (admitted, _) = self.check(request, caller)?;
            let counted = self.learned.counts.of(&self.client, &admitted).await;
            let tokens = counted.unwrap_or_else(|| admitted.expected_input());
            Ok(Count { tokens, is_estimate: counted.is_none() })
        };
        self.heavy_work.steps(caller.request_bytes, Box::pin(counted)).await
    }

    /// Applies the policy to a request, and refuses models that its key does not allow. The model that was requested comes
    /// second.
    fn check(&self, mut request: Request, caller: &Caller) -> Result<(Admitted, Arc<Model>)> {
        self.learned.reasoning.restore(&mut request.messages);
        let mut admitted = self.policy.admit(request, caller.rules())?;
        caller.check(&self.policy.catalog, &admitted.model().id)?;
        let requested_model = Arc::clone(admitted.model());
        if self.learned.refusals.is_retired(&requested_model.id) {
            admitted = self.policy.admit_successor(admitted)?;
        }
        Ok((self.learned.refusals.apply(admitted), requested_model))
    }

    /// Applies the policy and the budgets to a request.
    async fn admit(&self, request: Request, caller: &Caller) -> Result<ReadyCall> {
        let requested_name = self.policy.model_name(&request.model).to_owned();
        let (mut admitted, requested_model) = self.check(request, caller)?;
        let brake = self.brake.check(&admitted, caller)?;
        if let (Some(scope), Some(alias)) = (&caller.request, &admitted.model().alias) {
            scope.set_model(alias);
        }
        let prompt = if self.guard.is_limited(caller) { bedrock::prompt(&admitted) } else { None };
        if let Some(bound) = prompt.as_ref().and_then(|prompt| self.learned.prompts.bound(prompt)) {
            admitted = admitted.with_known_beginning(bound);
        }
        let reasoning = admitted.reasoning();
        let counter = Counter { client: &self.client, counts: &self.learned.counts };
        let (admitted, reserved) = self.guard.reserve(&counter, admitted, requested_name, caller).await?;
        // With other reasoning, another prompt is sent.
        let prompt = prompt.filter(|_| admitted.reasoning() == reasoning);
        let prompt = prompt.map(|prompt| PromptRecorder::new(Arc::clone(&self.learned.prompts), prompt));
        let sending = caller.sending(reserved.reservation.sent_count());
        Ok(ReadyCall { requested_model, admitted, reserved, sending, prompt, brake, cut_calls: caller.cut_calls })
    }

    async fn send(&self, ready: ReadyCall, mode: AnswerMode) -> Result<Call> {
        let ReadyCall { requested_model, admitted, mut reserved, sending, mut prompt, brake, cut_calls } = ready;
        let mut watch = CallWatch::start(self.telemetry.clone(), sending.request.clone());
        match self.send_until_accepted(&requested_model, admitted, &mut reserved, mode, &sending, &mut prompt).await {
            Ok((admitted, accepted)) => {
                let recorder = ReasoningRecorder::new(Arc::clone(&self.learned.reasoning));
                Ok(Call::new(
                    admitted,
                    requested_model,
                    accepted,
                    recorder,
                    reserved,
                    Start { drain: self.drain, watch, prompt, brake, cut_calls },
                ))
            }
            Err(error) => {
                // A call that may have been billed stays booked, as uncertain.
                reserved.reservation.set_bedrock_request_id(error.bedrock_request_id.clone().map(String::from));
                if !error.may_be_billed() {
                    reserved.reservation.release();
                }
                watch.fail(&error);
                Err(error)
            }
        }
    }

    /// Sends a request. When the model refuses a part of it, the request is sent again without that part; when the
    /// model is retired, it is sent to the successor. Each repetition is free, because AWS refuses before anything is
    /// generated, so one reservation covers them all. `prompt` is taken where another prompt is sent.
    async fn send_until_accepted(
        &self,
        requested_model: &Model,
        mut admitted: Admitted,
        reserved: &mut ReservedCall,
        mode: AnswerMode,
        sending: &Sending,
        prompt: &mut Option<PromptRecorder>,
    ) -> Result<(Admitted, Accepted)> {
        let mut refusals = 0;
        loop {
            let error = match self.client.ask(&admitted, mode == AnswerMode::Streamed, sending).await {
                Ok(accepted) => return Ok((admitted, accepted)),
                Err(error) if error.may_be_billed() => return Err(error),
                Err(error) => error,
            };
            *prompt = None;
            let model = Arc::clone(admitted.model());
            if model.id == requested_model.id && is_end_of_life(&error, &model) {
                self.learned.refusals.add_retired(&requested_model.id);
                let successor = self.policy.admit_successor(admitted)?;
                admitted = reserved.shorten(self.learned.refusals.apply(successor))?;
                continue;
            }
            if model.id != requested_model.id && is_end_of_life(&error, &model) {
                let (first, second) = (requested_model.display_name(), model.display_name());
                let message = format!("AWS has retired {first}, and its successor {second} as well");
                return Err(Error::new(Kind::EndOfLife, message).at(Field::Model));
            }
            let Some(part) = refused_part(&error) else { return Err(error) };
            if refusals == REFUSALS_PER_CALL || !admitted.sends(&part) {
                return Err(error);
            }
            refusals += 1;
            // The bound of the input may be another one without the part.
            admitted = reserved.shorten(admitted.without(part.clone()))?;
            // An invalid signature is a fault of the conversation, so the model will not refuse reasoning in general.
            if part != Refusable::ReasoningHistory {
                self.learned.refusals.add_refused(&model.id, &part);
            }
        }
    }

    /// Embeds texts. The call is recorded in the ledger however it ends.
    ///
    /// # Errors
    /// Refusals by the policy and the budgets, and any kind that Bedrock causes.
    pub async fn embed(&self, request: EmbeddingRequest, caller: &Caller) -> Result<Embedded> {
        self.heavy_work.steps(caller.request_bytes, self.embed_in_steps(request, caller)).await
    }

    async fn embed_in_steps(&self, request: EmbeddingRequest, caller: &Caller) -> Result<Embedded> {
        let (admitted, mut reserved) = self.admit_embedding(request, caller).await?;
        let mut watch = CallWatch::start(self.telemetry.clone(), caller.request.clone());
        let calls = admitted.texts().len().div_ceil(admitted.model().batch.max(1));
        let sending = caller.sending(reserved.reservation.sent_count());
        let (embeddings, bedrock_request_id) = match self.client.embed(&admitted, &sending).await {
            Ok(answer) => answer,
            Err(error) => {
                reserved.reservation.set_bedrock_request_id(error.bedrock_request_id.clone().map(String::from));
                watch.fail(&error);
                if calls == 1 && !error.may_be_billed() {
                    reserved.reservation.release();
                }
                if calls == 1 || error.retry() != Retry::Free {
                    return Err(error);
                }
                // Others of the calls may have been answered, so sending the request again would not be free.
                let message = format!("some of the texts could not be embedded: {}", error.message);
                return Err(Error::new(Kind::ModelFailed, message).advise(error.advice().to_owned()));
            }
        };
        reserved.reservation.accepted(&admitted.model().id, bedrock_request_id.clone(), String::new());
        watch.accepted(&admitted.model().id, bedrock_request_id.as_deref(), false);
        let cost = embeddings.input_tokens.map(|tokens| admitted.model().price.cost(tokens));
        embedded::settle(&mut reserved.reservation, &embeddings, cost);
        let left = reserved.budget_left(cost);
        if let Some(input) = embeddings.input_tokens {
            watch.settled(Usage { input, ..Usage::default() }, cost, left);
        }
        let warnings = reserved.warnings(cost);
        let edits = admitted.edits().to_vec();
        let rates = reserved.rates;
        let model = admitted.model().id.clone();
        Ok(Embedded { model, bedrock_request_id, embeddings, cost, edits, left, rates, warnings })
    }

    async fn admit_embedding(
        &self,
        request: EmbeddingRequest,
        caller: &Caller,
    ) -> Result<(AdmittedEmbedding, ReservedCall)> {
        let requested_name = request.model.clone();
        let admitted = self.policy.admit_embedding(request)?;
        caller.check(&self.policy.catalog, &admitted.model().id)?;
        if let Some(scope) = &caller.request {
            scope.set_model(&admitted.model().alias);
        }
        let reserved = self.guard.reserve_embedding(&admitted, requested_name, caller).await?;
        Ok((admitted, reserved))
    }
}

/// Fetches the images that a request gives by URL. Where one cannot be had, nothing was sent and nothing is booked.
async fn with_images(mut ready: ReadyCall, caller: &Caller) -> Result<ReadyCall> {
    let urls = ready.admitted.image_urls();
    let Some(source) = caller.images.as_ref().filter(|_| !urls.is_empty()) else { return Ok(ready) };
    let mut images = Vec::with_capacity(urls.len());
    for url in &urls {
        match source.fetch(url).await {
            Ok(image) => images.push(image),
            Err(error) => {
                ready.reserved.reservation.release();
                return Err(error);
            }
        }
    }
    let mut images = images.into_iter();
    ready.admitted = ready.admitted.with_images(|_| images.next());
    Ok(ready)
}

/// The input tokens of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub tokens: u64,
    /// Whether they were not counted by Bedrock. An estimate is what is likely, and no bound.
    pub is_estimate: bool,
}

/// Whether an error means that AWS has retired the model. AWS reports that in several ways; for a model that the
/// catalog lists as retired, "no such model" is one of them.
fn is_end_of_life(error: &Error, model: &Model) -> bool {
    match error.kind {
        Kind::EndOfLife => true,
        Kind::ModelNotFound => model.lifecycle == Lifecycle::EndOfLife,
        _ => false,
    }
}
