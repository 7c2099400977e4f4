//! Whether an open ledger is still the one in which this process has booked its calls. A file can be removed, replaced
//! or set back to an older copy while a server runs. Its sums would then allow again what is already spent.

use super::ids::CallId;

/// The last call that this process has seen in its ledger. Calls are never removed, so it must still be there.
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
    /// `found`: the call that now has the number of the remembered one. `accepted_at`: when the operator last accepted
    /// this ledger (milliseconds since 1970).
    #[must_use]
    pub(super) fn compare(&self, found: Option<&SeenCall>, accepted_at: Option<i64>) -> Continuity {
        if self.call.is_none() || self.call.as_ref() == found {
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
        for (remembered, found, accepted_at, expected) in [
            (None, None, None, Continuity::Same),
            (None, last(), None, Continuity::Same),
            (last(), last(), None, Continuity::Same),
            (last(), None, None, Continuity::Lost),
            // An older copy in which others have booked since.
            (last(), Some(call(7, 101, "p")), None, Continuity::Lost),
            (last(), Some(call(7, 100, "q")), None, Continuity::Lost),
            // An acceptance that the copy brought along.
            (last(), None, Some(199), Continuity::Lost),
            (last(), None, Some(200), Continuity::Accepted),
            (last(), last(), Some(200), Continuity::Same),
        ] {
            let mark = Mark { call: remembered, seen_at: 200 };
            assert_eq!(mark.compare(found.as_ref(), accepted_at), expected, "{mark:?} {found:?} {accepted_at:?}");
        }
    }
}
