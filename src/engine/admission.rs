//! Reserves the worst case of a call before it is sent, if the budgets allow it. The steps are tried in this order: the
//! call fits as it is; it fits once its input tokens are counted; it fits once running calls have ended, within a short
//! wait; it fits with a shorter answer; it is refused, with an error that names the amounts.

use super::caller::Caller;
use super::cost_check::{
    CallCeiling, cost_range, exceeds, explained_by_documents, has_price, over_budget, over_rate, within_ceiling,
};
use super::reserved_call::ReservedCall;
use super::token_counts::TokenCounts;
use crate::bedrock::Client;
use crate::catalog::NanoDollars;
use crate::error::{BudgetUse, Error, Kind, Result};
use crate::ledger::budget::{BudgetLimit, BudgetStatus, Budgets, CostRange, Holder, Leniency, PeriodLimits};
use crate::ledger::group::Group;
use crate::ledger::key::Key;
use crate::ledger::store::StoreError;
use crate::ledger::{Granted, Ledger, NewCall, RateRequest, Refused, Reservation};
use crate::policy::{Admitted, AdmittedEmbedding};
use std::time::Duration;

/// The budgets, and the ledger in which calls are booked.
#[derive(Debug, Clone)]
pub struct BudgetGuard {
    pub budgets: Budgets,
    /// `None` when there is no home folder for a ledger.
    pub ledger: Option<Ledger>,
}

impl BudgetGuard {
    /// The limits that apply to calls with an API key, or without one.
    #[must_use]
    pub fn limits(&self, key: Option<&Key>) -> Vec<BudgetLimit> {
        self.budgets.limits().chain(key.into_iter().flat_map(Key::budget_limits)).collect()
    }

    /// How much is used of the budgets that hold for calls with an API key, or without one. Empty when the ledger cannot be
    /// read.
    pub async fn budget_uses(&self, key: Option<&Key>) -> Vec<BudgetUse> {
        self.states(self.limits(key)).await.iter().map(BudgetStatus::in_use).collect()
    }

    /// What calls with an API key, or all calls, have spent in each period that is running.
    pub async fn spent(&self, key: Option<&Key>) -> Vec<BudgetUse> {
        let all = Some(NanoDollars(u64::MAX));
        let limits = PeriodLimits { day: all, week: all, month: all };
        self.states(limits.of(key.map_or(Holder::All, Key::holder)).collect())
            .await
            .iter()
            .map(BudgetStatus::in_use)
            .collect()
    }

    /// Whether anything limits what a call may cost or use, so that a sharper bound of it lets more calls pass.
    pub(super) fn is_limited(&self, caller: &Caller) -> bool {
        let is_rated = caller.rate_request(0).is_some();
        is_rated || caller.ceiling(&self.budgets).is_some() || !self.limits(caller.key.as_deref()).is_empty()
    }

    /// The state of the operator's budgets. Empty when the ledger cannot be read.
    pub async fn statuses(&self) -> Vec<BudgetStatus> {
        self.states(self.limits(None)).await
    }

    /// The state of the budgets that these keys share in their groups. Empty when the ledger cannot be read.
    pub async fn pool_statuses(&self, keys: &[Key]) -> Vec<BudgetStatus> {
        let usable = keys.iter().filter(|key| key.revoked.is_none());
        let mut groups: Vec<&Group> = usable.filter_map(|key| key.group.as_deref()).collect();
        groups.sort_by_key(|group| group.id);
        groups.dedup_by_key(|group| group.id);
        self.states(groups.into_iter().flat_map(Group::pool_limits).collect()).await
    }

    async fn states(&self, limits: Vec<BudgetLimit>) -> Vec<BudgetStatus> {
        match &self.ledger {
            Some(ledger) if !limits.is_empty() => ledger.statuses(limits).await,
            _ => Vec::new(),
        }
    }

    /// Reserves a request's worst case. The answer is shortened to what the budgets allow.
    ///
    /// # Errors
    /// `BudgetExceeded`; `RefusedByPolicy` for an unknown price under a budget; `LedgerUnavailable`; `ShuttingDown`.
    pub(super) async fn reserve(
        &self,
        counter: &Counter<'_>,
        mut admitted: Admitted,
        requested_name: String,
        caller: &Caller,
    ) -> Result<(Admitted, ReservedCall)> {
        let limits = self.limits(caller.key.as_deref());
        let ceiling = caller.ceiling(&self.budgets);
        let Leniency { floor_tokens: floor, wait } = self.budgets.leniency(admitted.may_call_tools());
        if !has_price(&admitted, !limits.is_empty() || ceiling.is_some())? {
            let cost = CostRange { full: NanoDollars(0), minimum: NanoDollars(0) };
            let rate = caller.rate_request(admitted.most_tokens());
            let call = new_call(caller, requested_name, admitted.model().id.clone(), rate);
            let reserved = self.book(call, limits, cost, Patience::Wait(wait)).await?;
            return Ok((admitted, ReservedCall { priced: false, ..reserved }.counted_in(caller)));
        }
        // Counting lowers the bound of the input tokens. It takes a request to Bedrock, so it is done at most once, and
        // only when the call does not fit without it.
        let mut countable = admitted.model().capabilities.features.count_tokens && !admitted.may_use_successor();
        if let Some(ceiling) = &ceiling {
            if countable && exceeds(&admitted, ceiling) {
                countable = false;
                admitted = with_counted_input(counter, admitted).await;
            }
            admitted = within_ceiling(admitted, ceiling, floor)?;
        }
        loop {
            let cost = cost_range(&admitted, floor);
            // As long as a count may help, the answer is not shortened and nothing is waited for.
            let counts_first = countable && !limits.is_empty();
            let cost = if counts_first { CostRange { minimum: cost.full, ..cost } } else { cost };
            let patience = if counts_first { Patience::CountFirst } else { Patience::Wait(wait) };
            let rate = caller.rate_request(admitted.most_tokens());
            let call = new_call(caller, requested_name.clone(), admitted.model().id.clone(), rate);
            match self.book(call, limits.clone(), cost, patience).await {
                Ok(reserved) => {
                    let admitted = reserved.shorten(admitted)?;
                    return Ok((admitted, reserved.counted_in(caller)));
                }
                Err(error) if countable && may_fit_once_counted(&error) => {
                    countable = false;
                    admitted = with_counted_input(counter, admitted).await;
                }
                Err(error) => return Err(explained_by_documents(error, &admitted)),
            }
        }
    }

    /// Reserves the worst case of embeddings.
    ///
    /// # Errors
    /// As [`BudgetGuard::reserve`].
    pub async fn reserve_embedding(
        &self,
        admitted: &AdmittedEmbedding,
        requested_name: String,
        caller: &Caller,
    ) -> Result<ReservedCall> {
        let full = admitted.worst_case();
        if let Some(CallCeiling { amount, name }) =
            caller.ceiling(&self.budgets).filter(|ceiling| full > ceiling.amount)
        {
            let message = format!("{name} allows {} per call, but this call can cost {}", amount.exact(), full.exact());
            return Err(Error::new(Kind::BudgetExceeded, message).advise("send fewer texts in one request"));
        }
        let rate = caller.rate_request(admitted.input_bound());
        let call = new_call(caller, requested_name, admitted.model().id.clone(), rate);
        let limits = self.limits(caller.key.as_deref());
        self.book(call, limits, CostRange { full, minimum: full }, Patience::Wait(self.budgets.wait)).await
    }

    /// Reserves a cost in the ledger. Without budgets, a ledger that cannot be written does not stop the call.
    async fn book(
        &self,
        call: NewCall,
        limits: Vec<BudgetLimit>,
        cost: CostRange,
        patience: Patience,
    ) -> Result<ReservedCall> {
        // Without the ledger, neither a budget nor a limit of the key can be kept.
        let kept = match (limits.is_empty(), call.rate) {
            (false, _) => Some("a budget is set, so no call is made without the ledger"),
            (true, Some(_)) => Some("the API key has limits, so no call is made without the ledger"),
            (true, None) => None,
        };
        let reserved = match &self.ledger {
            Some(ledger) => ledger.reserve(call.clone(), limits, cost, patience.wait()).await,
            None => Err(Refused::Unavailable(StoreError::no_folder())),
        };
        match reserved {
            Ok(Granted { reservation, statuses, rates }) => {
                Ok(ReservedCall { reservation, statuses, rates, priced: true, unbooked: None })
            }
            Err(Refused::OverBudget(status)) => {
                if let (Patience::Wait(_), Some(ledger)) = (patience, &self.ledger) {
                    ledger.note_refusal(status.limit.clone());
                }
                Err(over_budget(&status, cost))
            }
            Err(Refused::OverRate(refusal)) => Err(over_rate(&refusal)),
            Err(Refused::Unavailable(error)) if kept.is_some() => {
                Err(Error::new(Kind::LedgerUnavailable, error.to_string()).advise(kept.unwrap_or_default()))
            }
            Err(Refused::Closed) => {
                Err(Error::new(Kind::ShuttingDown, "the call came too late; this process is shutting down"))
            }
            Err(Refused::Unavailable(error)) => Ok(ReservedCall {
                reservation: match &self.ledger {
                    Some(ledger) => ledger.book_later(call, cost.full),
                    None => Reservation::without_ledger(cost.full),
                },
                statuses: Vec::new(),
                rates: None,
                priced: true,
                unbooked: Some(error),
            }),
        }
    }
}

/// What counts the input tokens of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter<'a> {
    pub(super) client: &'a Client,
    pub(super) counts: &'a TokenCounts,
}

/// What is done before a call is refused.
#[derive(Debug, Clone, Copy)]
enum Patience {
    /// Its input is counted, and then it is decided again.
    CountFirst,
    /// It waits for running calls, at most for this time. Then the refusal is final.
    Wait(Duration),
}

impl Patience {
    fn wait(self) -> Duration {
        match self {
            Self::CountFirst => Duration::ZERO,
            Self::Wait(time) => time,
        }
    }
}

/// Whether a refused call may fit when its input is counted: under a budget, under its key's tokens a minute, or behind
/// running calls, for which a call that is not counted yet does not wait.
fn may_fit_once_counted(error: &Error) -> bool {
    match error.kind {
        Kind::BudgetExceeded | Kind::RefusedByPolicy => true,
        Kind::RateLimited => error.retry_after.is_none(),
        _ => false,
    }
}

/// The request with the input tokens that Bedrock counts. Unchanged when the count fails.
async fn with_counted_input(counter: &Counter<'_>, admitted: Admitted) -> Admitted {
    match counter.counts.of(counter.client, &admitted).await {
        Some(tokens) => admitted.with_input_bound(with_margin(tokens)),
        None => admitted,
    }
}

fn new_call(caller: &Caller, requested_model: String, model: String, rate: Option<RateRequest>) -> NewCall {
    let key = caller.key.as_ref().map(|key| key.id);
    let group = caller.key.as_ref().and_then(|key| key.group.as_ref()).map(|group| group.id);
    let request_id = caller.request.as_ref().map(|request| request.id().to_owned());
    NewCall { command: caller.command, key, group, requested_model, model, request_id, rate }
}

/// Adds a safety margin of a twentieth and 64 tokens to counted tokens, although AWS bills what it counts.
fn with_margin(tokens: u64) -> u64 {
    tokens.saturating_add(tokens / 20).saturating_add(64)
}
