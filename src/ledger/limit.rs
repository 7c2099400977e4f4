//! The limits of budgets: of whom, in which period, and how much.

use super::ids::{GroupId, KeyId};
use super::period::Period;
use crate::catalog::NanoDollars;
use std::fmt;

/// Whose calls a budget is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// All calls together.
    All,
    Key {
        id: KeyId,
        /// Its name, for messages.
        name: String,
    },
    /// All keys of a group together.
    Group {
        id: GroupId,
        /// Its name, for messages.
        name: String,
    },
}

impl Holder {
    /// The name of the API key, if it is one.
    pub(crate) fn key_name(&self) -> Option<&str> {
        match self {
            Self::Key { id: _, name } => Some(name),
            Self::All | Self::Group { .. } => None,
        }
    }

    /// The name of the group, if it is one.
    pub(crate) fn group_name(&self) -> Option<&str> {
        match self {
            Self::Group { id: _, name } => Some(name),
            Self::All | Self::Key { .. } => None,
        }
    }
}

/// The most that may be booked in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BudgetLimit {
    pub holder: Holder,
    pub period: Period,
    pub amount: NanoDollars,
}

impl fmt::Display for BudgetLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} budget", self.period.as_str())?;
        match &self.holder {
            Holder::All => Ok(()),
            Holder::Key { id: _, name } => write!(f, " of key {name}"),
            Holder::Group { id: _, name } => write!(f, " of group {name}"),
        }
    }
}

/// What may be spent in a day, a week and a month, in UTC. `None` means that there is no such limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeriodLimits {
    pub day: Option<NanoDollars>,
    pub week: Option<NanoDollars>,
    pub month: Option<NanoDollars>,
}

impl PeriodLimits {
    /// The limits as the ledger watches them.
    pub(crate) fn of(self, holder: Holder) -> impl Iterator<Item = BudgetLimit> {
        let Self { day, week, month } = self;
        let periods = [(Period::Day, day), (Period::Week, week), (Period::Month, month)];
        let limit = move |(period, amount): (_, Option<_>)| {
            Some(BudgetLimit { holder: holder.clone(), period, amount: amount? })
        };
        periods.into_iter().filter_map(limit)
    }

    /// These limits, and those of others where there is none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let Self { day, week, month } = other;
        Self { day: self.day.or(day), week: self.week.or(week), month: self.month.or(month) }
    }
}
