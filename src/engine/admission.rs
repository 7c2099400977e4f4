//! Whether a call can be paid for, and its worst case booked before it leaves. In this order: it fits; it fits once its
//! tokens are counted; it fits once running calls have ended, within a short wait; it fits with a shorter answer; it is
//! refused, with the sums.

use super::caller::Caller;
use super::reserved_call::ReservedCall;
use crate::bedrock::Client;
use crate::catalog::NanoDollars;
use crate::error::{Error, Field, Kind, Result};
use crate::ledger::budget::{BudgetStatus, Budgets, CostRange, Limit};
use crate::ledger::key::Key;
use crate::ledger::store::StoreError;
use crate::ledger::{Granted, Ledger, NewCall, Refused, Reservation};
use crate::policy::{Admitted, AdmittedEmbedding};
use std::time::Duration;

/// What may be spent, and where it is booked.
#[derive(Debug, Clone)]
pub struct BudgetGuard {
    /// The operator's budgets.
    pub budgets: Budgets,
    /// The ledger; `None` where there is no home folder for one.
    pub ledger: Option<Ledger>,
}

/// The most that one call of a caller may cost, and what that is called in messages.
struct CallCeiling {
    amount: NanoDollars,
    name: String,
}

impl BudgetGuard {
    /// The limits a caller is under, as the ledger watches them.
    #[must_use]
    pub fn limits(&self, key: Option<&Key>) -> Vec<Limit> {
        self.budgets.limits().chain(key.into_iter().flat_map(Key::budget_limits)).collect()
    }

    /// What is booked under the operator's own limits; nothing where the ledger cannot be read.
    pub async fn statuses(&self) -> Vec<BudgetStatus> {
        let limits = self.limits(None);
        match &self.ledger {
            Some(ledger) if !limits.is_empty() => ledger.statuses(limits).await,
            _ => Vec::new(),
        }
    }

    /// Books a request's worst case, lowering its answer to what can be paid.
    ///
    /// # Errors
    /// `BudgetExceeded` with the sums; `RefusedByPolicy` for an unknown price under a budget; `LedgerUnavailable`.
    pub async fn reserve(
        &self,
        client: &Client,
        mut admitted: Admitted,
        asked: String,
        caller: &Caller,
    ) -> Result<(Admitted, ReservedCall)> {
        let limits = self.limits(caller.key.as_deref());
        let ceiling = caller.ceiling(&self.budgets).map(|(amount, name)| CallCeiling { amount, name });
        let floor = self.budgets.floor_tokens;
        if admitted.reserve(u32::MAX).is_none() {
            if !limits.is_empty() || ceiling.is_some() {
                return Err(unpriced(&admitted));
            }
            let cost = CostRange { full: NanoDollars(0), minimum: NanoDollars(0) };
            let call = new_call(caller, asked, admitted.model().id.clone());
            let reserved = self.book(call, limits, cost, Duration::ZERO).await?;
            return Ok((admitted, ReservedCall { priced: false, ..reserved }.counted_in(caller)));
        }
        // A count sharpens the bound where bytes alone would be too many; only once, and only where it can help.
        let mut countable = admitted.model().capabilities.features.count_tokens && !admitted.may_use_successor();
        if let Some(ceiling) = &ceiling {
            admitted = within_ceiling(client, admitted, ceiling, floor, &mut countable).await?;
        }
        loop {
            let cost = CostRange {
                full: admitted.reserve(u32::MAX).unwrap_or_default(),
                minimum: admitted.reserve(floor).unwrap_or_default(),
            };
            // While a count may still help, nothing is lowered and nobody waits.
            let (first, patience) = if countable && !limits.is_empty() {
                (CostRange { minimum: cost.full, ..cost }, Duration::ZERO)
            } else {
                (cost, self.budgets.wait)
            };
            let call = new_call(caller, asked.clone(), admitted.model().id.clone());
            match self.book(call, limits.clone(), first, patience).await {
                Ok(reserved) => {
                    let admitted = reserved.within(admitted)?;
                    return Ok((admitted, reserved.counted_in(caller)));
                }
                Err(error) if error.kind == Kind::BudgetExceeded && std::mem::take(&mut countable) => {
                    admitted = counted(client, admitted).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Books the worst case of embeddings.
    ///
    /// # Errors
    /// As [`BudgetGuard::reserve`].
    pub async fn reserve_embedding(
        &self,
        admitted: &AdmittedEmbedding,
        asked: String,
        caller: &Caller,
    ) -> Result<ReservedCall> {
        let full = admitted.worst_case();
        if let Some((amount, name)) = caller.ceiling(&self.budgets).filter(|(amount, _)| full > *amount) {
            let message =
                format!("{name} allows {} for a call, and this one can cost {}", amount.exact(), full.exact());
            return Err(Error::new(Kind::BudgetExceeded, message).advise("send fewer texts at once"));
        }
        let call = new_call(caller, asked, admitted.model().id.clone());
        let limits = self.limits(caller.key.as_deref());
        self.book(call, limits, CostRange { full, minimum: full }, self.budgets.wait).await
    }

    async fn book(
        &self,
        call: NewCall,
        limits: Vec<Limit>,
        cost: CostRange,
        patience: Duration,
    ) -> Result<ReservedCall> {
        let budgeted = !limits.is_empty();
        let reserved = match &self.ledger {
            Some(ledger) => ledger.reserve(call.clone(), limits, cost, patience).await,
            None => Err(Refused::Unavailable(StoreError::no_folder())),
        };
        match reserved {
            Ok(Granted { reservation, statuses }) => {
                Ok(ReservedCall { reservation, statuses, priced: true, unbooked: None })
            }
            Err(Refused::OverBudget(status)) => Err(over_budget(&status, cost)),
            Err(Refused::Unavailable(error)) if budgeted => Err(Error::new(Kind::LedgerUnavailable, error.to_string())
                .advise("a budget is set, so no call is made without the ledger")),
            Err(Refused::Closed) => {
                Err(Error::new(Kind::ShuttingDown, "the call came too late: this process is shutting down"))
            }
            Err(Refused::Unavailable(error)) => Ok(ReservedCall {
                reservation: match &self.ledger {
                    Some(ledger) => ledger.book_later(call, cost.full),
                    None => Reservation::without_ledger(cost.full),
                },
                statuses: Vec::new(),
                priced: true,
                unbooked: Some(error),
            }),
        }
    }
}

/// Shortens the answer until the call costs no more than one call may. Counts the tokens first where that can help.
async fn within_ceiling(
    client: &Client,
    mut admitted: Admitted,
    ceiling: &CallCeiling,
    floor: u32,
    countable: &mut bool,
) -> Result<Admitted> {
    let CallCeiling { amount, name } = ceiling;
    let too_dear = |admitted: &Admitted| admitted.reserve(u32::MAX).is_some_and(|full| full > *amount);
    if too_dear(&admitted) && std::mem::take(countable) {
        admitted = counted(client, admitted).await;
    }
    if !too_dear(&admitted) {
        return Ok(admitted);
    }
    let minimum = admitted.reserve(floor).unwrap_or_default();
    if minimum > *amount {
        return Err(over_ceiling(&admitted, name, *amount, minimum, floor));
    }
    Ok(admitted.within(*amount))
}

/// The request with its tokens counted, where Bedrock counts them.
async fn counted(client: &Client, admitted: Admitted) -> Admitted {
    match client.count(&admitted).await {
        Some(tokens) => admitted.counted(with_margin(tokens)),
        None => admitted,
    }
}

fn new_call(caller: &Caller, requested_model: String, model: String) -> NewCall {
    let key = caller.key.as_ref().map(|key| key.id);
    NewCall { command: caller.command, key, requested_model, model, request_id: caller.request_id.clone() }
}

/// What AWS counts is what it bills; a twentieth more, and the longest hidden text we know of, for safety.
fn with_margin(tokens: u64) -> u64 {
    tokens.saturating_add(tokens / 20).saturating_add(64)
}

/// A model without a known price cannot be used under a budget.
#[must_use]
pub fn unpriced(admitted: &Admitted) -> Error {
    let name = admitted.model().display_name();
    Error::new(Kind::RefusedByPolicy, format!("the price of {name} is not known, and a budget is set")).at(Field::Model).advise(
        format!("set it in the config file: [models.{name:?}] price = {{ input = …, output = … }}, in dollars per million tokens"),
    )
}

/// A call that costs more than one call may.
#[must_use]
pub fn over_ceiling(admitted: &Admitted, name: &str, amount: NanoDollars, minimum: NanoDollars, floor: u32) -> Error {
    let (amount, minimum) = (amount.exact(), minimum.exact());
    let tokens = floor.min(admitted.max_tokens());
    let bound = admitted.input_bound();
    let message = format!(
        "{name} allows {amount} for a call, and this one can cost {minimum} even with an answer of only {tokens} tokens \
         (its input can have up to {bound})"
    );
    Error::new(Kind::BudgetExceeded, message).advise("shorten the input, or choose a cheaper model: `chatrix models`")
}

/// A call that does not fit what is left of a budget.
#[must_use]
pub fn over_budget(status: &BudgetStatus, cost: CostRange) -> Error {
    let needed = if cost.minimum < cost.full {
        format!("{}, or at least {} with a short answer", cost.full.exact(), cost.minimum.exact())
    } else {
        cost.full.exact()
    };
    let message = format!("this call needs {needed}, and {} is left of the {status}", status.left().exact());
    // Clients are told not to retry even then: whoever repeats what was refused keeps others waiting.
    let advice = if cost.minimum <= status.limit.amount - status.totals.spent() {
        "running calls hold what is missing; most of it comes back when they end"
    } else {
        "`chatrix usage` shows where it went"
    };
    Error::new(Kind::BudgetExceeded, message).advise(advice)
}
