//! Bookkeeping without a database: which state a call enters, and what that adds to the sums or takes from them.
//! Every store applies what is computed here, in the transaction that also changes the call.

use super::call::{NewCall, Outcome};
use super::ids::{GroupId, KeyId};
use super::rate::used_tokens;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use std::ops::{AddAssign, Sub};

/// How far a call has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// It is running, and is booked at its worst case.
    Reserved,
    /// Its usage arrived, or a person has settled it.
    Settled,
    /// It ended without usage, and is booked at the best estimate.
    Estimated,
    /// Its usage never arrived, and it is booked at its worst case.
    Uncertain,
    /// Nothing was generated, and nothing is owed.
    Released,
}

impl CallState {
    /// The word for the state in messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Settled => "settled",
            Self::Estimated => "estimated",
            Self::Uncertain => "uncertain",
            Self::Released => "released",
        }
    }
}

/// The row of sums that a call counts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// The day on which the call began (days since 1970, UTC): its cost counts there, whenever it ends.
    pub day: i64,
    pub command: String,
    pub key: Option<KeyId>,
    /// The group that the key was in when the call began.
    pub group: Option<GroupId>,
    /// The Bedrock id.
    pub model: String,
}

/// A call as it is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BookedCall {
    pub account: Account,
    pub reserved: NanoDollars,
    pub settled: Option<NanoDollars>,
    pub state: CallState,
    /// Whether Bedrock reported its usage.
    pub has_usage: bool,
    /// Whether its tokens count for a limit of its key.
    pub is_rated: bool,
}

/// What is added to a row of sums (amounts in nano-dollars).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Delta {
    pub calls: i64,
    /// Those of the calls whose usage arrived, but whose model has no price.
    pub unpriced: i64,
    pub input: i64,
    pub output: i64,
    pub cache_read: i64,
    pub cache_write: i64,
    pub settled: i64,
    pub reserved: i64,
    pub uncertain: i64,
}

/// A change of one row of sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Posting {
    pub account: Account,
    pub delta: Delta,
}

/// What becomes of a call, and of the sums with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub state: CallState,
    /// `None` where the cost is not known.
    pub settled: Option<NanoDollars>,
    /// `None` where Bedrock reported none.
    pub usage: Option<Usage>,
    pub postings: Vec<Posting>,
}

/// An amount or a count as a signed integer, which is what databases store. Larger amounts than any call can cost are
/// reduced to nine million dollars, so that a thousand of them can still be added up.
pub(super) fn signed(amount: u64) -> i64 {
    const MOST: i64 = i64::MAX / 1024;
    i64::try_from(amount).unwrap_or(MOST).min(MOST)
}

/// A call that begins on a day, at its worst case.
pub(super) fn reserve(call: &NewCall, day: i64, reserved: NanoDollars) -> Posting {
    let NewCall { command, key, group, requested_model: _, model, request_id: _, rate: _ } = call;
    let account = Account { day, command: (*command).to_owned(), key: *key, group: *group, model: model.clone() };
    Posting { account, delta: contribution(CallState::Reserved, reserved, None, None) }
}

/// A call as it is booked when it begins on a day.
pub(super) fn begun(call: &NewCall, day: i64, reserved: NanoDollars) -> BookedCall {
    let Posting { account, delta: _ } = reserve(call, day, reserved);
    let (settled, state) = (None, CallState::Reserved);
    BookedCall { account, reserved, settled, state, has_usage: false, is_rated: call.rate.is_some() }
}

impl Change {
    /// What the call counts for in its key's tokens a minute from now on. `None` where that is not known: the most that it
    /// can have used stays counted.
    pub(super) fn rate_tokens(&self) -> Option<u64> {
        match (self.state, &self.usage) {
            (CallState::Released, _) => Some(0),
            (_, usage) => usage.as_ref().map(used_tokens),
        }
    }
}

impl BookedCall {
    /// Books how a call ended, and which model answered. `None` where the call has its end already, which is not
    /// replaced. An uncertain call may still be settled, because another process may have wrongly assumed that this one
    /// had ended; and what a person has meanwhile settled it at gives way to the cost of the usage that Bedrock
    /// reports.
    pub(super) fn settle(&self, outcome: Outcome, model: &str) -> Option<Change> {
        match (self.state, outcome) {
            (CallState::Reserved, _) => {}
            (CallState::Uncertain, Outcome::Settled(..) | Outcome::Estimated(_) | Outcome::Released) => {}
            (CallState::Settled, Outcome::Settled(_, Some(_))) if !self.has_usage => {}
            (CallState::Uncertain, Outcome::Uncertain)
            | (CallState::Settled | CallState::Estimated | CallState::Released, _) => return None,
        }
        let (state, settled, usage) = match outcome {
            Outcome::Settled(usage, cost) => (CallState::Settled, cost, Some(usage)),
            Outcome::Estimated(cost) => (CallState::Estimated, Some(cost), None),
            Outcome::Uncertain => (CallState::Uncertain, None, None),
            Outcome::Released => (CallState::Released, Some(NanoDollars(0)), None),
        };
        let before = contribution(self.state, self.reserved, self.settled, None);
        let after = contribution(state, self.reserved, settled, usage);
        let postings = if self.account.model == model {
            vec![Posting { account: self.account.clone(), delta: after - before }]
        } else {
            // A successor answered: the call moves to that model's row.
            let successor = Account { model: model.to_owned(), ..self.account.clone() };
            vec![
                Posting { account: self.account.clone(), delta: Delta::default() - before },
                Posting { account: successor, delta: after },
            ]
        };
        Some(Change { state, settled, usage, postings })
    }

    /// Whether the call can have cost that much.
    pub(super) fn can_cost(&self, cost: NanoDollars) -> bool {
        // A model without a price reserves nothing.
        cost <= self.reserved || self.reserved == NanoDollars(0)
    }

    /// Books the cost that a person gives for a call. `None` where Bedrock has reported the usage, where the call is
    /// still running, and where nothing is owed. A call that a person has settled can be settled again, to correct a
    /// mistake.
    pub(super) fn correct(&self, cost: NanoDollars) -> Option<Change> {
        match self.state {
            CallState::Uncertain | CallState::Estimated => {}
            CallState::Settled if !self.has_usage => {}
            CallState::Settled | CallState::Reserved | CallState::Released => return None,
        }
        let before = contribution(self.state, self.reserved, self.settled, None);
        let after = contribution(CallState::Settled, self.reserved, Some(cost), None);
        let postings = vec![Posting { account: self.account.clone(), delta: after - before }];
        Some(Change { state: CallState::Settled, settled: Some(cost), usage: None, postings })
    }
}

/// What a call in some state adds to its row of sums.
fn contribution(state: CallState, reserved: NanoDollars, settled: Option<NanoDollars>, usage: Option<Usage>) -> Delta {
    let tokens = usage.unwrap_or_default();
    let counted = Delta {
        calls: 1,
        input: signed(tokens.input),
        output: signed(tokens.output),
        cache_read: signed(tokens.cache_read),
        cache_write: signed(tokens.cache_write()),
        ..Delta::default()
    };
    match state {
        CallState::Reserved => Delta { reserved: signed(reserved.0), ..counted },
        CallState::Uncertain => Delta { uncertain: signed(reserved.0), ..counted },
        CallState::Settled | CallState::Estimated => {
            let unpriced = i64::from(settled.is_none());
            Delta { settled: signed(settled.unwrap_or_default().0), unpriced, ..counted }
        }
        // A call that cost nothing is not one of those that a person wants to count.
        CallState::Released => Delta::default(),
    }
}

impl AddAssign for Delta {
    fn add_assign(&mut self, other: Self) {
        let Self { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } = other;
        self.calls += calls;
        self.unpriced += unpriced;
        self.input += input;
        self.output += output;
        self.cache_read += cache_read;
        self.cache_write += cache_write;
        self.settled += settled;
        self.reserved += reserved;
        self.uncertain += uncertain;
    }
}

impl Sub for Delta {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let Self { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } = self;
        Self {
            calls: calls - other.calls,
            unpriced: unpriced - other.unpriced,
            input: input - other.input,
            output: output - other.output,
            cache_read: cache_read - other.cache_read,
            cache_write: cache_write - other.cache_write,
            settled: settled - other.settled,
            reserved: reserved - other.reserved,
            uncertain: uncertain - other.uncertain,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use CallState::{Estimated, Released, Reserved, Settled, Uncertain};

    const STATES: [CallState; 5] = [Reserved, Settled, Estimated, Uncertain, Released];
    const USAGE: Usage = Usage { input: 7, output: 5, cache_read: 3, cache_write_5m: 2, cache_write_1h: 1 };

    fn account(model: &str) -> Account {
        Account {
            day: 20_000,
            command: "serve".into(),
            key: Some(KeyId(4)),
            group: Some(GroupId(2)),
            model: model.into(),
        }
    }

    /// A call that reserved 90 nano-dollars; where it is settled, at 40.
    fn booked(state: CallState, has_usage: bool) -> BookedCall {
        let settled = match state {
            Settled | Estimated => Some(NanoDollars(40)),
            Released => Some(NanoDollars(0)),
            Reserved | Uncertain => None,
        };
        BookedCall { account: account("m"), reserved: NanoDollars(90), settled, state, has_usage, is_rated: false }
    }

    fn money(settled: i64, reserved: i64, uncertain: i64) -> Delta {
        Delta { settled, reserved, uncertain, ..Delta::default() }
    }

    fn outcomes() -> [Outcome; 5] {
        [
            Outcome::Settled(USAGE, Some(NanoDollars(30))),
            Outcome::Settled(USAGE, None),
            Outcome::Estimated(NanoDollars(20)),
            Outcome::Uncertain,
            Outcome::Released,
        ]
    }

    #[test]
    fn a_reservation_is_one_call_at_its_worst_case() {
        let call = NewCall {
            command: "serve",
            key: Some(KeyId(4)),
            group: Some(GroupId(2)),
            requested_model: "alias".into(),
            model: "m".into(),
            request_id: None,
            rate: None,
        };
        let delta = Delta { calls: 1, ..money(0, 90, 0) };
        assert_eq!(reserve(&call, 20_000, NanoDollars(90)), Posting { account: account("m"), delta });
    }

    #[test]
    fn every_state_takes_every_outcome_or_keeps_what_it_has() {
        let with_tokens = |delta: Delta| Delta { input: 7, output: 5, cache_read: 3, cache_write: 3, ..delta };
        // In the order of `outcomes`: the new state, what is settled, and what changes in the sums.
        let of_reserved = [
            (Settled, Some(30), with_tokens(money(30, -90, 0))),
            (Settled, None, Delta { unpriced: 1, ..with_tokens(money(0, -90, 0)) }),
            (Estimated, Some(20), money(20, -90, 0)),
            (Uncertain, None, money(0, -90, 90)),
            (Released, Some(0), Delta { calls: -1, ..money(0, -90, 0) }),
        ];
        let of_uncertain = [
            Some((Settled, Some(30), with_tokens(money(30, 0, -90)))),
            Some((Settled, None, Delta { unpriced: 1, ..with_tokens(money(0, 0, -90)) })),
            Some((Estimated, Some(20), money(20, 0, -90))),
            None,
            Some((Released, Some(0), Delta { calls: -1, ..money(0, 0, -90) })),
        ];
        let of_corrected = [Some((Settled, Some(30), with_tokens(money(-10, 0, 0)))), None, None, None, None];
        for (state, has_usage) in STATES.into_iter().map(|state| (state, false)).chain([(Settled, true)]) {
            for (n, outcome) in outcomes().into_iter().enumerate() {
                let expected = match (state, has_usage) {
                    (Reserved, _) => Some(of_reserved[n]),
                    (Uncertain, _) => of_uncertain[n],
                    // A person has settled it.
                    (Settled, false) => of_corrected[n],
                    (Settled | Estimated | Released, _) => None,
                };
                let expected = expected.map(|(state, settled, delta)| Change {
                    state,
                    settled: settled.map(NanoDollars),
                    usage: matches!(outcome, Outcome::Settled(..)).then_some(USAGE),
                    postings: vec![Posting { account: account("m"), delta }],
                });
                assert_eq!(
                    booked(state, has_usage).settle(outcome, "m"),
                    expected,
                    "{state:?} {has_usage} {outcome:?}"
                );
            }
        }
    }

    #[test]
    fn a_call_that_a_successor_answered_moves_to_its_row() {
        for state in [Reserved, Uncertain] {
            for outcome in outcomes() {
                let call = booked(state, false);
                let (Some(moved), Some(stayed)) = (call.settle(outcome, "successor"), call.settle(outcome, "m")) else {
                    assert_eq!((state, outcome), (Uncertain, Outcome::Uncertain));
                    continue;
                };
                let [from, to] = &moved.postings[..] else { panic!("{moved:?}") };
                assert_eq!((&from.account, &to.account), (&account("m"), &account("successor")));
                let expected = if state == Reserved { money(0, -90, 0) } else { money(0, 0, -90) };
                assert_eq!(from.delta, Delta { calls: -1, ..expected });
                assert_eq!(to.delta.calls, i64::from(outcome != Outcome::Released));
                // Whichever row it is in, all rows together change by as much.
                assert_eq!(to.delta - (Delta::default() - from.delta), stayed.postings[0].delta);
                assert_eq!((moved.state, moved.settled, moved.usage), (stayed.state, stayed.settled, stayed.usage));
            }
        }
    }

    #[test]
    fn a_person_settles_what_bedrock_has_not() {
        let cases = [
            (Reserved, false, None),
            (Settled, true, None),
            (Settled, false, Some(money(-29, 0, 0))),
            (Estimated, false, Some(money(-29, 0, 0))),
            (Uncertain, false, Some(money(11, 0, -90))),
            (Released, false, None),
        ];
        for (state, has_usage, delta) in cases {
            let change = booked(state, has_usage).correct(NanoDollars(11));
            let expected = delta.map(|delta| Change {
                state: Settled,
                settled: Some(NanoDollars(11)),
                usage: None,
                postings: vec![Posting { account: account("m"), delta }],
            });
            assert_eq!(change, expected, "{state:?}");
        }
    }

    #[test]
    fn no_amount_is_too_large_for_a_database() {
        assert_eq!((signed(0), signed(5)), (0, 5));
        assert_eq!(signed(u64::MAX), i64::MAX / 1024);
        let call = BookedCall { reserved: NanoDollars(u64::MAX), ..booked(Reserved, false) };
        let change = call.settle(Outcome::Uncertain, "m").unwrap();
        assert_eq!(change.postings[0].delta.uncertain, i64::MAX / 1024);
    }
}
