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
use crate::ledger::{Granted, Ledger, NewCall, Refused, Reservation};
use crate::policy::{Admitted, AdmittedEmbedding};
use std::time::Duration;

/// What may be spent, and where it is booked.
#[derive(Debug, Clone)]
pub struct BudgetGuard {
    /// The operator's ceilings.
    pub budgets: Budgets,
    /// The ledger; `None` where there is no home folder for one.
    pub ledger: Option<Ledger>,
}

impl BudgetGuard {
    /// The ceilings of a caller that the ledger watches.
    #[must_use]
    pub fn limits(&self, key: Option<&Key>) -> Vec<Limit> {
        self.budgets.limits().chain(key.into_iter().flat_map(Key::limits)).collect()
    }

    /// How the operator's own ceilings stand; none where they cannot be read.
    #[must_use]
    pub fn statuses(&self) -> Vec<BudgetStatus> {
        let limits = self.limits(None);
        match &self.ledger {
            Some(ledger) if !limits.is_empty() => ledger.statuses(limits),
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
        let ceiling = caller.ceiling(&self.budgets);
        let floor = self.budgets.floor_tokens;
        if admitted.reserve(u32::MAX).is_none() {
            if !limits.is_empty() || ceiling.is_some() {
                return Err(unpriced(&admitted));
            }
            let wish = CostRange { full: NanoDollars(0), minimum: NanoDollars(0) };
            let booking = self.book(entry(&admitted, asked, caller), limits, wish, Duration::ZERO).await?;
            return Ok((admitted, ReservedCall { priced: false, ..booking }.counted_in(caller)));
        }
        // A count sharpens the bound where bytes alone would be too many; only once, and only where it can help.
        let mut countable = admitted.model().capabilities.features.count_tokens && !admitted.may_use_successor();
        loop {
            if let Some((amount, name)) = &ceiling
                && admitted.reserve(u32::MAX).is_some_and(|full| full > *amount)
            {
                if std::mem::take(&mut countable)
                    && let Some(tokens) = client.count(&admitted).await
                {
                    admitted = admitted.counted(with_margin(tokens));
                    continue;
                }
                let minimum = admitted.reserve(floor).unwrap_or_default();
                if minimum > *amount {
                    return Err(over_ceiling(&admitted, name, *amount, minimum, floor));
                }
                admitted = admitted.within(*amount);
            }
            let wish = CostRange {
                full: admitted.reserve(u32::MAX).unwrap_or_default(),
                minimum: admitted.reserve(floor).unwrap_or_default(),
            };
            // While a count may still help, nothing is lowered and nobody waits.
            let (first, patience) = if countable && !limits.is_empty() {
                (CostRange { minimum: wish.full, ..wish }, Duration::ZERO)
            } else {
                (wish, self.budgets.wait)
            };
            match self.book(entry(&admitted, asked.clone(), caller), limits.clone(), first, patience).await {
                Ok(booking) => {
                    let admitted = booking.within(admitted)?;
                    return Ok((admitted, booking.counted_in(caller)));
                }
                Err(error) if error.kind == Kind::BudgetExceeded && std::mem::take(&mut countable) => {
                    if let Some(tokens) = client.count(&admitted).await {
                        admitted = admitted.counted(with_margin(tokens));
                    }
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
        let key = caller.key.as_ref().map_or(0, |key| key.id);
        let model = admitted.model().id.clone();
        let entry = NewCall { command: caller.command, key, asked, model };
        let limits = self.limits(caller.key.as_deref());
        self.book(entry, limits, CostRange { full, minimum: full }, self.budgets.wait).await
    }

    async fn book(
        &self,
        entry: NewCall,
        limits: Vec<Limit>,
        wish: CostRange,
        patience: Duration,
    ) -> Result<ReservedCall> {
        let budgeted = !limits.is_empty();
        let later = entry.clone();
        let refused = match &self.ledger {
            Some(ledger) => match ledger.reserve(entry, limits, wish, patience).await {
                Ok(Granted { reservation, statuses }) => {
                    return Ok(ReservedCall { reservation, statuses, priced: true, unbooked: None });
                }
                Err(refused) => refused,
            },
            None => {
                Refused::Unavailable("there is no folder for the ledger: neither XDG_STATE_HOME nor HOME is set".into())
            }
        };
        match refused {
            Refused::OverBudget(status) => Err(over_budget(&status, wish)),
            Refused::Unavailable(reason) if budgeted => {
                Err(Error::new(Kind::LedgerUnavailable, reason)
                    .advise("a budget is set, so no call is made without it"))
            }
            Refused::Closed => Err(Error::new(Kind::ShuttingDown, "the call came too late: this process is ending")),
            Refused::Unavailable(reason) => Ok(ReservedCall {
                reservation: match &self.ledger {
                    Some(ledger) => ledger.book_later(later, wish.full),
                    None => Reservation::without_ledger(wish.full),
                },
                statuses: Vec::new(),
                priced: true,
                unbooked: Some(reason),
            }),
        }
    }
}

fn entry(admitted: &Admitted, asked: String, caller: &Caller) -> NewCall {
    NewCall {
        command: caller.command,
        key: caller.key.as_ref().map_or(0, |key| key.id),
        asked,
        model: admitted.model().id.clone(),
    }
}

/// What AWS counts is what it bills; a twentieth more, and the longest hidden text we know of besides, in case.
fn with_margin(tokens: u64) -> u64 {
    tokens.saturating_add(tokens / 20).saturating_add(64)
}

/// A model without a known price cannot be used under a budget (DESIGN §4).
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
    Error::new(Kind::BudgetExceeded, message).advise("shorten the input, or take a cheaper model: `chatrix models`")
}

/// A call that does not fit what is left of a budget.
#[must_use]
pub fn over_budget(status: &BudgetStatus, wish: CostRange) -> Error {
    let needed = if wish.minimum < wish.full {
        format!("{}, or at least {} with a short answer", wish.full.exact(), wish.minimum.exact())
    } else {
        wish.full.exact()
    };
    let message = format!("this call needs {needed}, and {} is left of the {status}", status.left().exact());
    // Kept from trying again by itself even so: who repeats what was refused keeps others waiting.
    let advice = if wish.minimum <= status.limit.amount - status.totals.spent() {
        "running calls hold what is missing; most of it comes back when they end"
    } else {
        "`chatrix usage` shows where it went"
    };
    Error::new(Kind::BudgetExceeded, message).advise(advice)
}
