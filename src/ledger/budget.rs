//! Budgets: what may be booked in a day, a week or a month, and whether one more call fits. This is pure arithmetic on the
//! ledger's sums. It never reads a clock and never writes.

pub use super::limit::{BudgetLimit, Holder, PeriodLimits};
pub use super::period::Period;
pub(crate) use super::period::{date, days};

use crate::catalog::NanoDollars;
use crate::error::{BudgetPeriod, BudgetUse};
use std::fmt;
use std::time::Duration;

/// What the operator allows. `None` means that there is no such limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// For one call.
    pub request: Option<NanoDollars>,
    /// For a day, in UTC.
    pub day: Option<NanoDollars>,
    /// For a week, in UTC.
    pub week: Option<NanoDollars>,
    /// For a month, in UTC.
    pub month: Option<NanoDollars>,
    /// The lowest value that `max_tokens` is reduced to (tokens). A call that does not fit even then is refused.
    pub floor_tokens: u32,
    /// How long a call waits while only open reservations keep it from fitting.
    pub wait: Duration,
    /// The floor of a call that may call tools (tokens). Agents repeat a call that was cut, and pay for each round.
    pub tools_floor_tokens: u32,
    /// How long a call that may call tools waits. Agents run several calls at once, and each takes a while.
    pub tools_wait: Duration,
}

/// What is done for a call before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leniency {
    /// The shortest answer that is worth asking for (tokens).
    pub floor_tokens: u32,
    /// How long the call waits for running ones.
    pub wait: Duration,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            request: None,
            day: None,
            week: None,
            month: None,
            floor_tokens: 64,
            wait: Duration::from_secs(2),
            tools_floor_tokens: 4000,
            tools_wait: Duration::from_secs(30),
        }
    }
}

impl Budgets {
    /// What is done for a call before it is refused. Those that may call tools never get less than others.
    #[must_use]
    pub fn leniency(&self, with_tools: bool) -> Leniency {
        let (floor_tokens, wait) = (self.floor_tokens, self.wait);
        if with_tools {
            Leniency { floor_tokens: floor_tokens.max(self.tools_floor_tokens), wait: wait.max(self.tools_wait) }
        } else {
            Leniency { floor_tokens, wait }
        }
    }

    /// The limits that the ledger watches.
    pub(crate) fn limits(&self) -> impl Iterator<Item = BudgetLimit> + use<> {
        let Self { day, week, month, .. } = *self;
        PeriodLimits { day, week, month }.of(Holder::All)
    }
}

/// What is booked in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BudgetTotals {
    /// Calls whose cost is known.
    pub settled: NanoDollars,
    /// Calls that are running, at their worst case.
    pub reserved: NanoDollars,
    /// Calls whose usage never arrived, at their worst case.
    pub uncertain: NanoDollars,
}

impl BudgetTotals {
    /// What no running call can free again.
    #[must_use]
    pub fn spent(&self) -> NanoDollars {
        self.settled + self.uncertain
    }

    /// What is spent and what is reserved.
    #[must_use]
    pub fn all(&self) -> NanoDollars {
        self.spent() + self.reserved
    }
}

/// A limit and what is booked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetStatus {
    pub limit: BudgetLimit,
    /// What is booked in its period.
    pub totals: BudgetTotals,
    /// When the next period begins (days since 1970, UTC).
    pub resets: i64,
}

impl BudgetStatus {
    /// What a new call may reserve.
    #[must_use]
    pub fn left(&self) -> NanoDollars {
        self.limit.amount - self.totals.all()
    }

    /// How much of it is spent, for clients that watch their budgets.
    #[must_use]
    pub fn in_use(&self) -> BudgetUse {
        const NANO_DOLLARS_PER_CENT: u64 = 10_000_000;
        const SECONDS_PER_DAY: i64 = 86_400;
        let (spent, amount) = (self.totals.spent().0, self.limit.amount.0);
        let percent = u128::from(spent) * 100 / u128::from(amount.max(1));
        BudgetUse {
            period: match self.limit.period {
                Period::Day => BudgetPeriod::Day,
                Period::Week => BudgetPeriod::Week,
                Period::Month => BudgetPeriod::Month,
            },
            is_own: matches!(self.limit.holder, Holder::Key { .. }),
            amount_cents: amount / NANO_DOLLARS_PER_CENT,
            spent_cents: spent / NANO_DOLLARS_PER_CENT,
            percent: u64::try_from(percent).unwrap_or(u64::MAX),
            resets_at: self.resets.saturating_mul(SECONDS_PER_DAY),
        }
    }
}

impl fmt::Display for BudgetStatus {
    /// `day budget of $5.00: $4.97 spent, $0.01 uncertain (may have been billed), $0.00 reserved by running calls; it
    /// resets on …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, totals, resets } = self;
        write!(f, "{limit} of {}: {} spent", limit.amount, totals.settled)?;
        if totals.uncertain > NanoDollars(0) {
            write!(f, ", {} uncertain (may have been billed)", totals.uncertain)?;
        }
        write!(f, ", {} reserved by running calls; it resets on {} at 00:00 UTC", totals.reserved, date(*resets))
    }
}

/// What a call can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostRange {
    /// Its worst case.
    pub full: NanoDollars,
    /// Its worst case with the shortest answer that is worth asking for.
    pub minimum: NanoDollars,
}

/// Whether a call may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// This much may be reserved: the full cost, or what is left.
    Grant(NanoDollars),
    /// Not yet. Only running calls keep it from fitting, and most of what they have reserved will be freed.
    Wait,
    /// No, because of the limit with this index.
    Refuse(usize),
}

/// Decides whether a call fits. `may_wait`: whether it can wait for running calls.
#[must_use]
pub(crate) fn decide(statuses: &[BudgetStatus], cost: CostRange, may_wait: bool) -> Decision {
    let tightest = statuses.iter().enumerate().min_by_key(|(_, status)| status.left());
    let Some((index, tightest)) = tightest else {
        return Decision::Grant(cost.full);
    };
    let left = tightest.left();
    let once_idle = statuses.iter().map(|status| status.limit.amount - status.totals.spent()).min();
    let waiting_helps = |amount| may_wait && once_idle.is_some_and(|left| amount <= left);
    if cost.full <= left {
        Decision::Grant(cost.full)
    } else if waiting_helps(cost.full) {
        Decision::Wait
    } else if cost.minimum <= left {
        Decision::Grant(left)
    } else if waiting_helps(cost.minimum) {
        Decision::Wait
    } else {
        Decision::Refuse(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(amount: u64, settled: u64, reserved: u64) -> BudgetStatus {
        BudgetStatus {
            limit: BudgetLimit { holder: Holder::All, period: Period::Day, amount: NanoDollars(amount) },
            totals: BudgetTotals {
                settled: NanoDollars(settled),
                reserved: NanoDollars(reserved),
                uncertain: NanoDollars::default(),
            },
            resets: 0,
        }
    }

    #[test]
    fn open_reservations_are_waited_for_and_spent_money_is_not() {
        let cost = CostRange { full: NanoDollars(10), minimum: NanoDollars(4) };
        for (settled, reserved, may_wait, expected) in [
            (0, 0, true, Decision::Grant(NanoDollars(10))),
            (90, 0, true, Decision::Grant(NanoDollars(10))),
            (50, 45, true, Decision::Wait),
            (50, 45, false, Decision::Grant(NanoDollars(5))),
            (93, 0, true, Decision::Grant(NanoDollars(7))),
            (93, 5, true, Decision::Wait),
            (93, 5, false, Decision::Refuse(0)),
            (97, 0, true, Decision::Refuse(0)),
            (200, 0, true, Decision::Refuse(0)),
        ] {
            assert_eq!(decide(&[status(100, settled, reserved)], cost, may_wait), expected, "{settled} {reserved}");
        }
        assert_eq!(decide(&[], cost, true), Decision::Grant(cost.full));
        assert_eq!(decide(&[status(100, 0, 0), status(7, 0, 0)], cost, true), Decision::Grant(NanoDollars(7)));
        assert_eq!(decide(&[status(100, 0, 0), status(3, 0, 0)], cost, true), Decision::Refuse(1));
    }

    #[test]
    fn a_call_with_tools_gets_more_than_others_and_never_less() {
        let (short, long) = (Duration::from_secs(2), Duration::from_secs(30));
        for (floor_tokens, tools_floor_tokens, wait, tools_wait, expected) in [
            (64, 4000, short, long, (4000, long)),
            (5000, 4000, long, short, (5000, long)),
            (64, 1, short, Duration::ZERO, (64, short)),
        ] {
            let budgets = Budgets { floor_tokens, wait, tools_floor_tokens, tools_wait, ..Budgets::default() };
            assert_eq!(budgets.leniency(false), Leniency { floor_tokens, wait });
            assert_eq!(budgets.leniency(true), Leniency { floor_tokens: expected.0, wait: expected.1 });
        }
    }
}
