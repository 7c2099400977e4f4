//! Ends of calls that come late, twice or from elsewhere, ledgers that are not what they were, and text that a database
//! does not take as it is.

use super::store::{post, reserve, reserved};
use super::{Make, NewLedger, cost, limit, new_call, settlement, with_every_store};
use chatrix::catalog::NanoDollars;
use chatrix::ledger::budget::{BudgetTotals, Period};
use chatrix::ledger::continuity::Continuity;
use chatrix::ledger::copy::copy;
use chatrix::ledger::store::{Batch, Store};
use chatrix::ledger::{Outcome, Receipt, SettledCall, Settlement};

with_every_store! {
    books_a_call_whatever_its_text_holds,
}

/// Settled and reserved today, of all calls.
fn booked(store: &mut dyn Store) -> (NanoDollars, NanoDollars) {
    let BudgetTotals { settled, reserved, .. } = store.statuses(&[limit(None, Period::Day, 99)]).unwrap()[0].totals;
    (settled, reserved)
}

fn books_a_call_whatever_its_text_holds(make: Make) {
    let Some(ledger) = make() else { return };
    let mut store = ledger.open();
    for (n, text) in
        ["", "\0", "a\0b", "\u{1}\u{7f}\u{85}", "\u{fffe}\u{202e}", "'; DROP TABLE calls; --", "{\"a\",\\N}"]
            .into_iter()
            .enumerate()
    {
        let mut call = new_call(None);
        text.clone_into(&mut call.requested_model);
        let end = Settlement {
            call: SettledCall::Unwritten { call, reserved: NanoDollars(9), receipt: Receipt(n as u128) },
            edits: text.to_owned(),
            ..settlement(chatrix::ledger::CallId(0), Outcome::Estimated(NanoDollars(1)))
        };
        post(store.as_mut(), &[end]);
        assert_eq!(booked(store.as_mut()), (NanoDollars(n as u64 + 1), NanoDollars(0)), "{text:?}");
    }
}

/// Where a database was set back, other calls get the numbers that it has forgotten.
#[test]
fn the_end_of_a_call_is_not_booked_for_another_one_of_its_number() {
    let Some(ledger) = NewLedger::postgres() else { return };
    let mut store = ledger.open();
    let (id, ..) = reserved(&reserve(store.as_mut(), None, &[], cost(90, 90))).unwrap();
    let own = store.process().unwrap().to_owned();
    for (process, settled, open) in [("another", 0, 90), (&own, 5, 0), (&own, 5, 0)] {
        let call = SettledCall::BookedBy { process: process.to_owned(), id };
        let end = Settlement { call, ..settlement(id, Outcome::Estimated(NanoDollars(5))) };
        store.post(&Batch { settlements: &[end], reservations: &[] }).unwrap();
        assert_eq!(booked(store.as_mut()), (NanoDollars(settled), NanoDollars(open)), "{process}");
    }
}

/// The row of a process says how many transactions it has made, whatever is known of calls.
#[test]
fn a_database_without_the_last_transaction_of_a_process_is_not_its_own() {
    for set_back in ["UPDATE processes SET batch = batch - 1", "DELETE FROM processes"] {
        let Some(ledger) = NewLedger::postgres() else { return };
        let (mut own, mut other) = (ledger.open(), ledger.open());
        for store in [&mut own, &mut other] {
            reserved(&reserve(store.as_mut(), None, &[], cost(90, 90))).unwrap();
        }
        // The last call is another's, and is still there.
        let mark = own.mark().unwrap();
        let nothing = Batch { settlements: &[], reservations: &[] };
        own.post(&nothing).unwrap();
        ledger.sql(set_back);
        own.post(&nothing).unwrap_err();
        assert_eq!(own.continuity(&mark), Ok(Continuity::Lost), "{set_back}");
        own.accept().unwrap();
        assert_eq!(own.continuity(&mark), Ok(Continuity::Accepted), "{set_back}");
        own.post(&nothing).unwrap();
    }
}

/// Nobody would end it in the copy.
#[test]
fn a_ledger_with_a_running_call_is_not_copied() {
    let (Some(from), Some(to)) = (NewLedger::sqlite(), NewLedger::postgres()) else { return };
    let (mut from, mut to) = (from.open(), to.open());
    let (id, ..) = reserved(&reserve(from.as_mut(), None, &[], cost(90, 90))).unwrap();
    let refused = copy(from.as_mut(), to.as_mut()).unwrap_err().to_string();
    assert!(refused.contains("1 calls that are booked in the other ledger are running"), "{refused}");
    assert_eq!(booked(to.as_mut()), (NanoDollars(0), NanoDollars(0)));
    post(from.as_mut(), &[settlement(id, Outcome::Estimated(NanoDollars(5)))]);
    copy(from.as_mut(), to.as_mut()).unwrap();
    assert_eq!(booked(to.as_mut()), (NanoDollars(5), NanoDollars(0)));
}
