//! Groups of API keys: a budget that all keys of a group share, and one that each of them has unless it has its own.

use super::budget::{BudgetLimit, Holder, PeriodLimits};
use super::ids::GroupId;
use crate::catalog::NanoDollars;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    /// When it was made (milliseconds since 1970).
    pub made: i64,
    /// When it was removed (milliseconds since 1970). It is kept, because calls refer to it.
    pub removed: Option<i64>,
    pub limits: GroupLimits,
}

/// What the keys of a group may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupLimits {
    /// All of them together.
    pub pool: PeriodLimits,
    /// Each of them, where it has no limit of its own for the period.
    pub each: PeriodLimits,
}

impl Group {
    pub(crate) fn holder(&self) -> Holder {
        Holder::Group { id: self.id, name: self.name.clone() }
    }

    /// The limits that all its keys share, which the ledger watches.
    pub(crate) fn pool_limits(&self) -> impl Iterator<Item = BudgetLimit> + use<> {
        self.limits.pool.of(self.holder())
    }
}

/// What becomes of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitChange {
    #[default]
    Keep,
    Set(NanoDollars),
    Remove,
}

impl LimitChange {
    fn apply(self, limit: Option<NanoDollars>) -> Option<NanoDollars> {
        match self {
            Self::Keep => limit,
            Self::Set(amount) => Some(amount),
            Self::Remove => None,
        }
    }
}

/// What becomes of the limits for a day, a week and a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeriodChange {
    pub day: LimitChange,
    pub week: LimitChange,
    pub month: LimitChange,
}

impl PeriodChange {
    fn apply(self, limits: PeriodLimits) -> PeriodLimits {
        let Self { day, week, month } = self;
        PeriodLimits { day: day.apply(limits.day), week: week.apply(limits.week), month: month.apply(limits.month) }
    }
}

/// What becomes of the limits of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupChange {
    pub pool: PeriodChange,
    pub each: PeriodChange,
}

impl GroupChange {
    /// The limits after the change. Every store applies what is computed here.
    pub(crate) fn apply(self, limits: GroupLimits) -> GroupLimits {
        let Self { pool, each } = self;
        GroupLimits { pool: pool.apply(limits.pool), each: each.apply(limits.each) }
    }
}

/// The result of taking a group away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// There is no group of that name, or it was removed before.
    NoSuchGroup,
    /// These keys, which are not revoked, are in it.
    HasKeys(Vec<String>),
}

/// The result of moving a key to a group, or out of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Moved,
    /// It is there already.
    Unchanged,
    /// There is no key of that name, or it is revoked.
    NoSuchKey,
    NoSuchGroup,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let usd = |n| Some(NanoDollars(n));
        let pool = PeriodLimits { day: usd(1), week: usd(2), month: None };
        let before = GroupLimits { pool, each: pool };
        let set = PeriodChange {
            week: LimitChange::Remove,
            month: LimitChange::Set(NanoDollars(9)),
            ..PeriodChange::default()
        };
        let after = GroupChange { pool: set, ..GroupChange::default() }.apply(before);
        assert_eq!(after, GroupLimits { pool: PeriodLimits { day: usd(1), week: None, month: usd(9) }, each: pool });
    }
}
