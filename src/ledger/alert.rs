//! When a budget is so far used up that its operator is told. This is pure arithmetic on the ledger's sums.

use super::budget::BudgetStatus;

/// The shares of a budget at which whoever makes the calls is warned (percent).
const WARNINGS: [u8; 2] = [80, 95];
/// The threshold that a refusal for money counts as (percent).
pub(super) const REFUSAL: u8 = 100;
/// The shares of a budget at which its operator is told (percent).
const THRESHOLDS: [u8; 3] = [WARNINGS[0], WARNINGS[1], REFUSAL];

/// A threshold that a budget has reached, which its operator is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetAlert {
    /// Identifies the alert to whoever receives it, however often it is sent.
    pub id: String,
    /// The threshold (percent).
    pub threshold: u8,
    /// The budget as it stands now.
    pub status: BudgetStatus,
}

/// The thresholds that a budget has reached.
pub(super) fn reached(status: &BudgetStatus) -> impl Iterator<Item = u8> + use<> {
    let (spent, limit) = (u128::from(status.totals.spent().0), u128::from(status.limit.amount.0));
    THRESHOLDS.into_iter().filter(move |threshold| limit > 0 && spent * 100 >= limit * u128::from(*threshold))
}

/// The highest share at which is warned that a budget has reached (percent).
pub(crate) fn warning(status: &BudgetStatus) -> Option<u8> {
    reached(status).filter(|threshold| WARNINGS.contains(threshold)).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::NanoDollars;
    use crate::ledger::budget::{BudgetLimit, BudgetTotals, Holder, Period};

    #[test]
    fn thresholds_are_reached_by_what_is_spent() {
        for (limit, settled, uncertain, expected) in [
            (1000, 799, 0, &[][..]),
            (1000, 800, 0, &[80]),
            (1000, 700, 100, &[80]),
            (1000, 949, 0, &[80]),
            (1000, 950, 0, &[80, 95]),
            (1000, 999, 0, &[80, 95]),
            (1000, 1000, 0, &[80, 95, 100]),
            (1000, 5000, 0, &[80, 95, 100]),
            // Where nothing may be spent, a refusal tells it.
            (0, 0, 0, &[]),
            (u64::MAX, u64::MAX, 0, &[80, 95, 100]),
        ] {
            let totals = BudgetTotals {
                settled: NanoDollars(settled),
                reserved: NanoDollars(limit),
                uncertain: NanoDollars(uncertain),
            };
            let limit = BudgetLimit { holder: Holder::All, period: Period::Day, amount: NanoDollars(limit) };
            let status = BudgetStatus { limit, totals, resets: 1 };
            assert_eq!(reached(&status).collect::<Vec<_>>(), expected, "{status:?}");
            assert_eq!(warning(&status), expected.get(..2).unwrap_or(expected).last().copied(), "{status:?}");
        }
    }
}
