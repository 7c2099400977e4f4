//! The limits of a key on requests, tokens and running calls, as every store must keep them.

use super::{Make, cost, new_call, settlement, with_every_store};
use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::store::{Batch, ReserveOutcome, ReserveRequest, Store};
use chatrix::ledger::{CallId, KeyId, NewCall, Outcome, RateLimits, RateRefusal, RateRequest};
use std::num::NonZeroU32;

with_every_store! {
    a_clock_set_back_opens_no_limit_again,
    tokens_are_those_that_were_used_once_that_is_known,
    calls_of_a_killed_process_do_not_run,
}

const KEY: KeyId = KeyId(1);

fn limits(requests: u32, tokens: u32, running: u32) -> RateLimits {
    let [requests, tokens, running] = [requests, tokens, running].map(NonZeroU32::new);
    RateLimits { requests, tokens, running }
}

fn try_reserve(store: &mut dyn Store, key: KeyId, limits: RateLimits, tokens: u64) -> ReserveOutcome {
    let call = NewCall { rate: Some(RateRequest { limits, tokens }), ..new_call(Some(key)) };
    let request = ReserveRequest { call: &call, limits: &[], cost: cost(1, 1), may_wait: false };
    store.post(&Batch { settlements: &[], reservations: &[request] }).unwrap().remove(0)
}

fn reserve(store: &mut dyn Store, limits: RateLimits, tokens: u64) -> Result<CallId, RateRefusal> {
    match try_reserve(store, KEY, limits, tokens) {
        ReserveOutcome::Reserved { id, .. } => Ok(id),
        ReserveOutcome::OverRate(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn end(store: &mut dyn Store, id: CallId, outcome: Outcome) {
    store.post(&Batch { settlements: &[settlement(id, outcome)], reservations: &[] }).unwrap();
}

fn a_clock_set_back_opens_no_limit_again(make: Make) {
    let Some(ledger) = make() else { return };
    let mut store = ledger.open();
    let one = limits(1, 0, 0);
    reserve(store.as_mut(), one, 1).unwrap();
    let tokens = limits(0, 10, 0);
    assert!(matches!(reserve(store.as_mut(), one, 1), Err(RateRefusal::Requests { .. })));
    ledger.set_day(19_999);
    assert!(matches!(reserve(store.as_mut(), one, 1), Err(RateRefusal::Requests { .. })));
    assert!(matches!(reserve(store.as_mut(), tokens, 10), Err(RateRefusal::Tokens { .. })));
    assert!(matches!(try_reserve(store.as_mut(), KeyId(2), one, 1), ReserveOutcome::Reserved { .. }), "another key");
    ledger.set_day(20_001);
    reserve(store.as_mut(), one, 1).unwrap();
}

fn tokens_are_those_that_were_used_once_that_is_known(make: Make) {
    let usage = Usage { input: 3, output: 1, ..Usage::default() };
    for (outcome, left) in [
        (Outcome::Released, 100),
        (Outcome::Settled(usage, None), 96),
        (Outcome::Estimated(NanoDollars(1)), 60),
        (Outcome::Uncertain, 60),
    ] {
        let Some(ledger) = make() else { return };
        let mut store = ledger.open();
        let id = reserve(store.as_mut(), limits(0, 100, 0), 40).unwrap();
        end(store.as_mut(), id, outcome);
        assert!(reserve(store.as_mut(), limits(0, 100, 0), left + 1).is_err(), "{outcome:?}");
        reserve(store.as_mut(), limits(0, 100, 0), left).unwrap();
    }
}

fn calls_of_a_killed_process_do_not_run(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut killed, mut other) = (ledger.open(), ledger.open());
    let one = limits(0, 0, 1);
    reserve(killed.as_mut(), one, 1).unwrap();
    assert!(matches!(reserve(other.as_mut(), one, 1), Err(RateRefusal::Running { .. })));
    ledger.kill(killed);
    let id = reserve(other.as_mut(), one, 1).unwrap();
    assert!(reserve(other.as_mut(), one, 1).is_err());
    end(other.as_mut(), id, Outcome::Uncertain);
    reserve(other.as_mut(), one, 1).unwrap();
}
