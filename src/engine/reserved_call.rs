//! A call's reservation, and the state of the budgets when it was made.

use super::caller::Caller;
use crate::catalog::NanoDollars;
use crate::error::{BudgetUse, Error, Kind, Result};
use crate::ledger::alert;
use crate::ledger::budget::BudgetStatus;
use crate::ledger::store::StoreError;
use crate::ledger::{RateStatus, Reservation};
use crate::policy::Admitted;
use std::sync::Arc;

/// A warning for the person who pays: a budget is nearly used up, or a call is not in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Identifies the reason. A warning with the same value need not be shown again.
    pub about: String,
    pub text: String,
}

/// A call's reservation, and the state of the budgets when it was made.
#[derive(Debug)]
pub struct ReservedCall {
    pub reservation: Reservation,
    /// The budgets that apply to the call.
    pub(super) statuses: Vec<BudgetStatus>,
    /// What is left of the key's limits on requests and tokens; `None` where it has none.
    pub(super) rates: Option<RateStatus>,
    /// Whether the price is known, so that the reserved amount limits the cost.
    pub(super) priced: bool,
    /// Why the call is not in the ledger; `None` when it is.
    pub(super) unbooked: Option<StoreError>,
}

impl ReservedCall {
    /// Shortens the answer of a request until the reservation covers it.
    ///
    /// # Errors
    /// `BudgetExceeded` when it does not cover even the shortest answer.
    pub fn shorten(&self, admitted: Admitted) -> Result<Admitted> {
        let amount = self.reservation.amount();
        if !self.priced {
            return Ok(admitted);
        }
        let admitted = admitted.shortened_to_fit(amount);
        match admitted.amount_to_reserve(u32::MAX) {
            Some(full) if full <= amount => Ok(admitted),
            _ => {
                let name = admitted.model().display_name();
                Err(Error::new(
                    Kind::BudgetExceeded,
                    format!("a call to {name} can cost more than the {} that is reserved for it", amount.exact()),
                ))
            }
        }
    }

    /// What is left of the budget with the least left. The call counts at its cost, or at its worst case while that is
    /// unknown.
    pub fn budget_left(&self, cost: Option<NanoDollars>) -> Option<NanoDollars> {
        let left = self.statuses.iter().map(BudgetStatus::left).min()?;
        Some(left + cost.map_or(NanoDollars(0), |cost| self.reservation.amount() - cost))
    }

    /// How much is used of the budget of which the largest share is spent.
    pub fn budget_use(&self) -> Option<BudgetUse> {
        self.statuses.iter().map(BudgetStatus::in_use).max_by_key(|budget| budget.percent)
    }

    /// The warnings after the call. The call counts at its cost once that is known.
    pub fn warnings(&self, cost: Option<NanoDollars>) -> Vec<Warning> {
        let statuses = self.statuses.iter().map(|status| {
            let mut status = status.clone();
            let totals = &mut status.totals;
            totals.settled += cost.unwrap_or_default();
            // This call no longer counts as running.
            totals.reserved = totals.reserved - self.reservation.amount();
            status
        });
        let near = statuses.filter_map(|status| {
            let threshold = alert::warning(&status)?;
            let BudgetStatus { limit, totals, resets } = &status;
            let share = u128::from(totals.spent().0) * 100 / u128::from(limit.amount.0.max(1));
            let about = format!("{threshold} % of the {limit} of {} until {resets}", limit.amount.exact());
            Some(Warning { about, text: format!("{share} % is used of the {status}") })
        });
        let unbooked = self.unbooked.as_ref().map(|reason| Warning {
            about: "no ledger".to_owned(),
            text: format!(
                "warning: {reason}; calls continue, but are booked only if that changes while this process runs"
            ),
        });
        near.chain(unbooked).collect()
    }

    /// Also adds the cost of the call to the totals of the caller's session, when the call ends.
    pub fn counted_in(mut self, caller: &Caller) -> Self {
        if let Some(totals) = &caller.session_totals {
            self.reservation.count_in(Arc::clone(totals));
        }
        self
    }

    /// Takes the reservation out, for a task that settles it later.
    pub fn take_reservation(&mut self) -> Reservation {
        std::mem::replace(&mut self.reservation, Reservation::without_ledger(NanoDollars(0)))
    }
}
