//! A call's reservation, and what is booked under the budgets with it.

use super::caller::Caller;
use crate::catalog::NanoDollars;
use crate::error::{Error, Kind, Result};
use crate::ledger::Reservation;
use crate::ledger::budget::BudgetStatus;
use crate::ledger::store::StoreError;
use crate::policy::Admitted;
use std::sync::Arc;

/// What whoever pays should know: a budget is nearly used up, or a call is not in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What it is about: the same text as long as it need not be said again.
    pub about: String,
    /// The sentence.
    pub text: String,
}

/// A call's reservation, and what is booked with it.
#[derive(Debug)]
pub struct ReservedCall {
    /// Ends exactly once.
    pub reservation: Reservation,
    pub(super) statuses: Vec<BudgetStatus>,
    /// Whether the price is known, so that the reserved amount is a ceiling.
    pub(super) priced: bool,
    /// Why it is not in the ledger, where it is not.
    pub(super) unbooked: Option<StoreError>,
}

impl ReservedCall {
    /// A request that takes the place of the first one, shortened so that the reservation covers it.
    ///
    /// # Errors
    /// `BudgetExceeded` where not even the shortest does.
    pub fn within(&self, admitted: Admitted) -> Result<Admitted> {
        let amount = self.reservation.amount();
        if !self.priced {
            return Ok(admitted);
        }
        let admitted = admitted.within(amount);
        match admitted.reserve(u32::MAX) {
            Some(full) if full <= amount => Ok(admitted),
            _ => {
                let name = admitted.model().display_name();
                Err(Error::new(
                    Kind::BudgetExceeded,
                    format!("{name} can cost more than the {} reserved", amount.exact()),
                ))
            }
        }
    }

    /// What is left of the tightest budget, with the call at its cost, or at its worst case while that is unknown.
    pub fn left(&self, cost: Option<NanoDollars>) -> Option<NanoDollars> {
        let left = self.statuses.iter().map(BudgetStatus::left).min()?;
        Some(left + cost.map_or(NanoDollars(0), |cost| self.reservation.amount() - cost))
    }

    /// What whoever pays should know, with the call at its cost once that is known.
    pub fn warnings(&self, cost: Option<NanoDollars>) -> Vec<Warning> {
        let statuses = self.statuses.iter().map(|status| {
            let mut status = status.clone();
            let totals = &mut status.totals;
            totals.settled += cost.unwrap_or_default();
            // The call itself is not one of the running ones.
            totals.reserved = totals.reserved - self.reservation.amount();
            status
        });
        let near = statuses.filter(BudgetStatus::is_near_its_end).map(|status| {
            let share = u128::from(status.totals.spent().0) * 100 / u128::from(status.limit.amount.0.max(1));
            let about = format!("{} until {}", status.limit, status.resets);
            Warning { about, text: format!("{share} % is used of the {status}") }
        });
        let unbooked = self.unbooked.as_ref().map(|reason| Warning {
            about: "no ledger".to_owned(),
            text: format!(
                "warning: {reason}; calls go on, and are booked only if that changes while this process runs"
            ),
        });
        near.chain(unbooked).collect()
    }

    /// Adds its end to the totals of the caller's session as well.
    pub fn counted_in(mut self, caller: &Caller) -> Self {
        if let Some(totals) = &caller.session_totals {
            self.reservation.count_in(Arc::clone(totals));
        }
        self
    }

    /// The reservation, to be ended elsewhere.
    pub fn take(&mut self) -> Reservation {
        std::mem::replace(&mut self.reservation, Reservation::without_ledger(NanoDollars(0)))
    }
}
