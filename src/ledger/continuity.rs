//! Whether an open ledger is still the one in which this process has booked its calls. A file can be removed, replaced
//! or set back to an older copy while a server runs. Its sums would then allow again what is already spent.

use super::clock::day_of;
use super::ids::CallId;

/// The last call that this process has seen in its ledger. Unless it is older than all that are kept, it must still be
/// there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCall {
    pub id: CallId,
    /// When it began (milliseconds since 1970).
    pub at: i64,
    /// The process that booked it.
    pub process: String,
}

/// What this process remembers of its ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `None` when there was no call yet.
    pub call: Option<SeenCall>,
    /// When the ledger was last found to be right (milliseconds since 1970).
    pub seen_at: i64,
}

/// What became of a ledger since a [`Mark`] was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// It is the same one.
    Same,
    /// It is another one, which the operator has accepted.
    Accepted,
    /// It is another one, or an older copy.
    Lost,
}

impl Mark {
    /// `found`: the call that now has the number of the remembered one. `kept_from`: calls of earlier days may have been
    /// deleted for their age (days since 1970). `accepted_at`: when the operator last accepted this ledger (milliseconds
    /// since 1970). `lacks_own`: whether the ledger is known to lack something that this process has written, whether or
    /// not the call is there.
    #[must_use]
    pub(super) fn compare(
        &self,
        found: Option<&SeenCall>,
        kept_from: i64,
        accepted_at: Option<i64>,
        lacks_own: bool,
    ) -> Continuity {
        let is_forgotten = found.is_none() && self.call.as_ref().is_some_and(|call| day_of(call.at) < kept_from);
        let has_call = self.call.is_none() || self.call.as_ref() == found || is_forgotten;
        if has_call && !lacks_own {
            Continuity::Same
        } else if accepted_at.is_some_and(|at| at >= self.seen_at) {
            Continuity::Accepted
        } else {
            Continuity::Lost
        }
    }
}

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It is created if there is none.
    Create,
    /// It must exist, because this process has already booked calls in it.
    Existing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_without_the_last_call_is_lost_until_it_is_accepted() {
        let call = |id, at, process: &str| SeenCall { id: CallId(id), at, process: process.to_owned() };
        let last = || Some(call(7, 100, "p"));
        for (remembered, found, kept_from, accepted_at, expected) in [
            (None, None, 0, None, Continuity::Same),
            (None, last(), 0, None, Continuity::Same),
            (last(), last(), 0, None, Continuity::Same),
            (last(), None, 0, None, Continuity::Lost),
            // Deleted for its age, which another call in its place would not be.
            (last(), None, 1, None, Continuity::Same),
            (last(), Some(call(7, 101, "p")), 1, None, Continuity::Lost),
            // An older copy in which others have booked since.
            (last(), Some(call(7, 101, "p")), 0, None, Continuity::Lost),
            (last(), Some(call(7, 100, "q")), 0, None, Continuity::Lost),
            // An acceptance that the copy brought along.
            (last(), None, 0, Some(199), Continuity::Lost),
            (last(), None, 0, Some(200), Continuity::Accepted),
            (last(), last(), 0, Some(200), Continuity::Same),
        ] {
            let mark = Mark { call: remembered, seen_at: 200 };
            let compared = mark.compare(found.as_ref(), kept_from, accepted_at, false);
            assert_eq!(compared, expected, "{mark:?} {found:?} {kept_from} {accepted_at:?}");
            // Where something of this process is missing, no call makes the ledger right, and only the operator does.
            let lacking = mark.compare(found.as_ref(), kept_from, accepted_at, true);
            let is_accepted = accepted_at.is_some_and(|at| at >= mark.seen_at);
            assert_eq!(
                lacking,
                if is_accepted { Continuity::Accepted } else { Continuity::Lost },
                "{mark:?} {accepted_at:?}"
            );
        }
    }
}
