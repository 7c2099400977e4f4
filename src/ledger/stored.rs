//! How the ledger's types are written in a database, whichever it is.

use super::budget::Period;
use super::posting::CallState;

/// A count as it is read. None is negative; if a sum ever were, it would count as zero.
pub(super) fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// The number of a state. The indexes of the schemas name two of them.
pub(super) const fn state_number(state: CallState) -> i64 {
    match state {
        CallState::Reserved => 0,
        CallState::Settled => 1,
        CallState::Estimated => 2,
        CallState::Uncertain => 3,
        CallState::Released => 4,
    }
}

/// The state with a number.
pub(super) fn state_of(number: i64) -> Option<CallState> {
    use CallState::{Estimated, Released, Reserved, Settled, Uncertain};
    [Reserved, Settled, Estimated, Uncertain, Released].into_iter().find(|state| state_number(*state) == number)
}

/// How periods are numbered in the table of alerts.
pub(super) const fn period_number(period: Period) -> i64 {
    match period {
        Period::Day => 0,
        Period::Month => 1,
        Period::Week => 2,
    }
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertState {
    Due = 0,
    Delivered = 1,
    GivenUp = 2,
}
