//! Calls that are deleted for their age, as every store must do it: no sum changes, nothing that may still be settled is
//! lost, and no process takes its ledger for another one.

use super::store::{post, reserved};
use super::{Make, cost, limit, new_call, settlement, with_every_store};
use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::budget::Period;
use chatrix::ledger::continuity::Continuity;
use chatrix::ledger::report::By;
use chatrix::ledger::store::{Batch, Correction, ReserveRequest, Store};
use chatrix::ledger::{CallId, NewCall, Outcome};

with_every_store! {
    deletes_old_calls_and_keeps_what_may_still_change_and_every_sum,
    deletes_many_calls_a_few_at_a_time,
}

/// Reserves calls in one transaction.
fn begin(store: &mut dyn Store, calls: &[NewCall]) -> Vec<CallId> {
    let limits = [limit(None, Period::Month, 1_000_000)];
    let request = |call| ReserveRequest { call, limits: &limits, cost: cost(9, 9), may_wait: false };
    let reservations: Vec<_> = calls.iter().map(request).collect();
    let outcomes = store.post(&Batch { settlements: &[], reservations: &reservations }).unwrap();
    outcomes.iter().map(|outcome| reserved(outcome).unwrap().0).collect()
}

fn end(store: &mut dyn Store, ids: &[CallId]) {
    let outcome = Outcome::Settled(Usage { input: 1, ..Usage::default() }, Some(NanoDollars(5)));
    let ends: Vec<_> = ids.iter().map(|id| settlement(*id, outcome)).collect();
    post(store, &ends);
}

fn deletes_old_calls_and_keeps_what_may_still_change_and_every_sum(make: Make) {
    let Some(ledger) = make() else { return };
    let (mut store, mut other) = (ledger.open(), ledger.open());
    let old = begin(store.as_mut(), &vec![new_call(None); 4]);
    let [first, uncertain, open, last_of_other] = old[..] else { panic!("{old:?}") };
    end(store.as_mut(), &[first, last_of_other]);
    post(store.as_mut(), &[settlement(uncertain, Outcome::Uncertain)]);
    let mark = other.mark().unwrap();
    assert_eq!(mark.call.as_ref().map(|call| call.id), Some(last_of_other));
    ledger.set_day(20_005);
    let sums = |store: &mut dyn Store| {
        let limits = [limit(None, Period::Day, 1), limit(None, Period::Month, 1)];
        (store.report(By::Day, 0).unwrap(), store.report(By::Model, 0).unwrap(), store.statuses(&limits).unwrap())
    };
    let before = sums(store.as_mut());
    assert_eq!(store.forget_calls(5), Ok(false));
    assert_eq!(store.examine().unwrap().calls, 4, "nothing is old enough yet");
    ledger.set_day(20_006);
    assert_eq!(store.forget_calls(5), Ok(false));
    assert_eq!(store.examine().unwrap().calls, 3, "the last call stays, whatever its age");
    let young = begin(store.as_mut(), &[new_call(None)]);
    assert_eq!(store.forget_calls(5), Ok(false));
    end(store.as_mut(), &young);
    let examined = store.examine().unwrap();
    assert_eq!((examined.calls, examined.open, examined.uncertain), (3, 1, 1), "running and uncertain calls stay");
    assert_eq!(examined.problems, Vec::<String>::new());
    assert_eq!(
        before.0,
        sums(store.as_mut()).0.into_iter().filter(|row| row.name.as_deref() != Some("2024-10-10")).collect::<Vec<_>>()
    );
    assert_eq!(other.continuity(&mark), Ok(Continuity::Same), "a call that was deleted for its age is not missed");
    let late = begin(other.as_mut(), &[new_call(None)]);
    end(other.as_mut(), &late);
    end(store.as_mut(), &[open]);
    assert_eq!(store.correct(uncertain, NanoDollars(1), false), Ok(Correction::Booked));
    // Settled by now, they are as old as the others.
    drop(store);
    let mut store = ledger.open();
    assert_eq!(store.forget_calls(5), Ok(false));
    let examined = store.examine().unwrap();
    assert_eq!((examined.calls, examined.problems), (2, Vec::new()));
    assert_eq!(examined.totals.settled, NanoDollars(5 * 5 + 1));
}

fn deletes_many_calls_a_few_at_a_time(make: Make) {
    let Some(ledger) = make() else { return };
    let mut store = ledger.open();
    for _ in 0..5 {
        let ids = begin(store.as_mut(), &vec![new_call(None); 500]);
        end(store.as_mut(), &ids);
    }
    ledger.set_day(20_100);
    let ids = begin(store.as_mut(), &[new_call(None)]);
    end(store.as_mut(), &ids);
    let mut steps = Vec::new();
    let mut left = Vec::new();
    for _ in 0..3 {
        steps.push(store.forget_calls(30).unwrap());
        left.push(store.examine().unwrap().calls);
    }
    assert_eq!((steps, left), (vec![true, true, false], vec![1501, 501, 1]));
    let examined = store.examine().unwrap();
    assert_eq!((examined.problems, examined.totals.settled), (Vec::new(), NanoDollars(2501 * 5)));
}
