//! Which calls are old enough to be deleted, whichever database they are in. They are looked at in the order of their
//! numbers, which is nearly that of their days, and a few at a time, so that nobody waits long for that.

use super::store::Store;
use std::num::NonZeroU16;
use std::time::{Duration, Instant};

/// How often old calls are looked for.
const EVERY: Duration = Duration::from_mins(10);
/// How soon they are looked for again where there were more than one transaction deletes, and after the start.
const SOON: Duration = Duration::from_millis(200);
/// How soon it is asked again whether the ledger is open.
const UNOPENED: Duration = Duration::from_secs(1);

/// For how long calls are kept, and when older ones are looked for.
#[derive(Debug)]
pub(super) struct Retention {
    days: i64,
    next: Instant,
}

impl Retention {
    pub(super) fn of(days: NonZeroU16) -> Self {
        Self { days: i64::from(days.get()), next: Instant::now() + SOON }
    }

    /// How long to wait until older calls are looked for.
    pub(super) fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Deletes older calls, if it is time for that. `store`: the ledger, if it is open.
    pub(super) fn keep(&mut self, store: Option<&mut dyn Store>) {
        if !self.wait().is_zero() {
            return;
        }
        let pause = match store.map(|store| store.forget_calls(self.days)) {
            None => UNOPENED,
            Some(Ok(true)) => SOON,
            // If it failed, the next time does it.
            Some(Ok(false) | Err(_)) => EVERY,
        };
        self.next = Instant::now() + pause;
    }
}

/// How many calls are looked at in one transaction.
pub(super) const MOST: i64 = 1_000;

/// The oldest calls behind those that were looked at before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OldCalls {
    /// The first of them that is too young to be deleted.
    pub first_kept: Option<i64>,
    /// The last of them.
    pub last: Option<i64>,
    pub count: i64,
    /// The last call of the ledger. It always stays: SQLite gives its number to the next call otherwise.
    pub last_of_all: Option<i64>,
}

impl OldCalls {
    /// The number up to which calls can be deleted, and whether more can be behind it; `None` where there are none.
    pub(super) fn end(&self) -> Option<(i64, bool)> {
        let Self { first_kept, last, count, last_of_all } = *self;
        let before = |id: i64| id.saturating_sub(1);
        let end = first_kept.map_or(last?, before).min(before(last_of_all?));
        Some((end, first_kept.is_none() && count == MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_deleted_up_to_the_first_young_one_and_never_the_last() {
        for (first_kept, last, count, last_of_all, end) in [
            (None, None, 0, None, None),
            (None, Some(9), 4, Some(9), Some((8, false))),
            (Some(7), Some(9), 4, Some(9), Some((6, false))),
            (None, Some(9), MOST, Some(2000), Some((9, true))),
            (Some(9), Some(9), MOST, Some(2000), Some((8, false))),
        ] {
            assert_eq!(OldCalls { first_kept, last, count, last_of_all }.end(), end);
        }
    }
}
