//! What the calls of one session have cost, however each of them ended. Their reservations add to the sums, so that
//! neither an error nor an interrupt leaves a call out.

use super::call::Outcome;
use crate::catalog::NanoDollars;
use std::sync::atomic::{AtomicU64, Ordering};

/// The sums of a session, without running calls.
#[derive(Debug, Default)]
pub struct SessionTotals {
    settled: AtomicU64,
    uncertain: AtomicU64,
}

impl SessionTotals {
    /// The cost of the calls whose cost is known.
    pub(crate) fn settled(&self) -> NanoDollars {
        NanoDollars(self.settled.load(Ordering::SeqCst))
    }

    /// The worst case of the others.
    pub(crate) fn uncertain(&self) -> NanoDollars {
        NanoDollars(self.uncertain.load(Ordering::SeqCst))
    }

    /// Adds the end of a call that had reserved this amount.
    pub(super) fn add(&self, outcome: Outcome, reserved: NanoDollars) {
        let (sum, amount) = match outcome {
            Outcome::Settled(_, cost) => (&self.settled, cost.unwrap_or_default()),
            Outcome::Estimated(cost) => (&self.settled, cost),
            Outcome::Uncertain => (&self.uncertain, reserved),
            Outcome::Released => return,
        };
        sum.fetch_add(amount.0, Ordering::SeqCst);
    }
}
