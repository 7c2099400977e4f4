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
    unpriced: AtomicU64,
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

    /// The number of calls whose model has no price, so that neither sum says what they cost.
    pub(crate) fn unpriced(&self) -> u64 {
        self.unpriced.load(Ordering::SeqCst)
    }

    /// Adds the end of a call that had reserved this amount. A model without a price reserves nothing.
    pub(super) fn add(&self, outcome: Outcome, reserved: NanoDollars) {
        let (sum, addend) = match outcome {
            Outcome::Settled(_, Some(cost)) | Outcome::Estimated(cost) => (&self.settled, cost.0),
            Outcome::Uncertain if reserved > NanoDollars(0) => (&self.uncertain, reserved.0),
            Outcome::Settled(_, None) | Outcome::Uncertain => (&self.unpriced, 1),
            Outcome::Released => return,
        };
        sum.fetch_add(addend, Ordering::SeqCst);
    }
}
