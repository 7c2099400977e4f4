//! What a key or a group of keys has spent, and what is left of its own budgets, as lists show it.

use super::listing::NONE;
use crate::catalog::NanoDollars;
use crate::error::Error;
use crate::ledger::budget::{BudgetLimit, BudgetStatus, Holder, Period};
use crate::ledger::store::Store;

pub(super) struct Spending {
    /// What is booked under each of its own limits.
    statuses: Vec<BudgetStatus>,
    /// Altogether, uncertain calls at their worst case.
    pub spent: NanoDollars,
}

impl Spending {
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn of(ledger: &mut dyn Store, holder: &Holder, limits: &[BudgetLimit]) -> Result<Self, Error> {
        Ok(Self { statuses: ledger.statuses(limits)?, spent: ledger.spent(holder)? })
    }

    fn status(&self, period: Period) -> Option<&BudgetStatus> {
        self.statuses.iter().find(|status| status.limit.period == period)
    }

    /// What is left of its budget for a period, for people.
    pub(super) fn cell(&self, period: Period) -> String {
        match self.status(period) {
            Some(status) => format!("{} left of {}", status.left(), status.limit.amount),
            None => NONE.to_owned(),
        }
    }

    /// Its budget for a period, in dollars.
    pub(super) fn limit_usd(&self, period: Period) -> Option<f64> {
        self.status(period).map(|status| status.limit.amount.number())
    }

    /// What is left of that, in dollars.
    pub(super) fn left_usd(&self, period: Period) -> Option<f64> {
        self.status(period).map(|status| status.left().number())
    }
}
