//! The ledger after the trouble, compared with what Bedrock was asked and what clients were answered. The lengths of the
//! prompts all differ, so that the worst case of a call tells which one it is.

use super::{MAX_TOKENS, Witness, cost, worst};
use crate::support::postgres::Database;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What may be known of the end of a call that was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Its cost is booked.
    AreKnown,
    /// Its server may have been killed before it could book that, so that it is booked at its worst case.
    MayBeUncertain,
}

const SETTLED: i64 = 1;
const UNCERTAIN: i64 = 3;
const RELEASED: i64 = 4;

pub(super) struct Books {
    /// The calls in the ledger, by the length of their prompts.
    calls: BTreeMap<usize, Entry>,
    /// How many were released: a call that was refused and sent again has several.
    released: usize,
    /// All that is booked (nano-dollars).
    sum: usize,
}

struct Entry {
    state: i64,
    settled: Option<usize>,
}

impl Books {
    pub(super) fn read(database: &Database<'_>) -> Self {
        let (mut calls, mut released) = (BTreeMap::<usize, Entry>::new(), 0);
        for row in database.sql("SELECT reserved, state, settled FROM calls") {
            let number = |n: usize| row[n].as_deref().map(|number| number.parse::<usize>().unwrap());
            let length = (number(0).unwrap() - worst(0, MAX_TOKENS)) / 35;
            let entry = Entry { state: i64::try_from(number(1).unwrap()).unwrap(), settled: number(2) };
            if entry.state == RELEASED {
                released += 1;
                calls.entry(length).or_insert(entry);
                continue;
            }
            let earlier = calls.insert(length, entry);
            let is_first = earlier.is_none_or(|earlier| earlier.state == RELEASED);
            assert!(is_first, "the call of length {length} is booked twice");
        }
        let (settled, reserved, uncertain) = database.booked();
        let sum = usize::try_from(settled + reserved + uncertain).unwrap();
        Self { calls, released, sum }
    }

    fn count(&self, state: i64) -> usize {
        self.calls.values().filter(|entry| entry.state == state).count()
    }

    fn booked(&self, length: usize) -> usize {
        let Some(entry) = self.calls.get(&length) else { return 0 };
        match entry.state {
            RELEASED => 0,
            UNCERTAIN => worst(length, MAX_TOKENS),
            _ => entry.settled.unwrap(),
        }
    }

    pub(super) fn compare(&self, witness: &Witness, budget: usize, ends: Ends) {
        let mut asked = BTreeSet::new();
        for length in witness.asked.lock().unwrap().iter() {
            assert!(asked.insert(*length), "Bedrock was asked twice for {length}");
            let booked = self.booked(*length);
            assert!(booked >= cost(*length), "Bedrock was asked for {length}, and {booked} is booked for it");
        }
        for length in witness.answered.lock().unwrap().iter() {
            let entry = &self.calls[length];
            let is_known = entry.state == SETTLED && entry.settled == Some(cost(*length));
            let is_uncertain = ends == Ends::MayBeUncertain && entry.state == UNCERTAIN;
            assert!(is_known || is_uncertain, "{length}: state {}, settled {:?}", entry.state, entry.settled);
        }
        let unsent = self.calls.iter().filter(|(length, _)| !asked.contains(length));
        for (length, entry) in unsent {
            assert!(entry.state != SETTLED, "{length} is settled, but Bedrock was never asked");
        }
        let sum: usize = self.calls.keys().map(|length| self.booked(*length)).sum();
        assert_eq!(self.sum, sum, "the sums are those of the calls");
        let spent: usize = asked.iter().map(|length| cost(*length)).sum();
        assert!(spent <= sum && sum <= budget, "{spent} was spent, {sum} is booked, {budget} is the budget");
        // The next call would be the longest of all.
        let next = worst(self.calls.keys().max().unwrap() + 2, MAX_TOKENS);
        assert!(budget - sum < next, "{} is left, which is enough for another call", budget - sum);
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [settled, uncertain] = [SETTLED, UNCERTAIN].map(|state| self.count(state));
        write!(f, "{settled} settled, {uncertain} uncertain, {} released", self.released)
    }
}
