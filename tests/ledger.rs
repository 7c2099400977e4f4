//! The ledger: what every store must do (`store`, against a plain model of itself and the calendar), and what the thread
//! in front of it does (`writer`). Each of these tests runs with every kind of store.

mod ends;
mod groups;
mod new_ledger;
mod rates;
mod retention;
mod store;
mod writer;

use chatrix::catalog::NanoDollars;
use chatrix::ledger::budget::{BudgetLimit, CostRange, Holder, Period};
use chatrix::ledger::{CallId, GroupId, KeyId, NewCall, Outcome, SettledCall, Settlement};
use new_ledger::NewLedger;

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Makes a test for every kind of store of each function, which takes what makes a new ledger, or is asynchronous and takes
/// a new ledger.
macro_rules! with_every_store {
    (async $($test:ident),* $(,)?) => {
        fn run(make: crate::ledger::Make, test: impl AsyncFn(&crate::ledger::NewLedger)) {
            let Some(new) = make() else { return };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(test(&new));
        }
        mod sqlite {
            $(#[test] fn $test() { super::run(crate::ledger::NewLedger::sqlite, super::$test); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::run(crate::ledger::NewLedger::postgres, super::$test); })*
        }
    };
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(crate::ledger::NewLedger::sqlite); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::$test(crate::ledger::NewLedger::postgres); })*
        }
    };
}
use with_every_store;

/// Makes a new ledger; `None` where its database is not installed.
type Make = fn() -> Option<NewLedger>;

fn new_call(key: Option<KeyId>) -> NewCall {
    let (requested_model, model, request_id) = ("m".into(), "us.m".into(), Some("req_1".into()));
    NewCall { command: "ask", key, group: None, requested_model, model, request_id, rate: None }
}

fn holder(key: KeyId) -> Holder {
    Holder::Key { id: key, name: format!("k{}", key.0) }
}

fn group_holder(group: GroupId) -> Holder {
    Holder::Group { id: group, name: format!("g{}", group.0) }
}

fn limit(key: Option<KeyId>, period: Period, amount: u64) -> BudgetLimit {
    let holder = key.map_or(Holder::All, holder);
    BudgetLimit { holder, period, amount: NanoDollars(amount) }
}

fn cost(full: u64, minimum: u64) -> CostRange {
    CostRange { full: NanoDollars(full), minimum: NanoDollars(minimum) }
}

fn settlement(id: CallId, outcome: Outcome) -> Settlement {
    Settlement {
        call: SettledCall::Booked(id),
        outcome,
        model: "us.m".into(),
        bedrock_request_id: Some("aws-1".into()),
        milliseconds: 1,
        edits: String::new(),
    }
}
