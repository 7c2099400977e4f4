//! The ledger: what every store must do (`store`, against a plain model of itself and the calendar), and what the thread
//! in front of it does (`writer`).

mod rates;
mod store;
mod writer;

use chatrix::catalog::NanoDollars;
use chatrix::ledger::budget::{BudgetLimit, CostRange, LimitedKey, Period};
use chatrix::ledger::{CallId, Clock, KeyId, NewCall, Outcome, SettledCall, Settlement};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A clock that is set by hand, to noon of a day (days since 1970).
#[derive(Clone, Default)]
struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    fn at(day: i64) -> Self {
        let clock = Self::default();
        clock.set(day);
        clock
    }

    fn set(&self, day: i64) {
        self.0.store(day * DAY + DAY / 2, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.0);
        Clock::new(move || time.load(Ordering::SeqCst))
    }
}

fn new_call(key: Option<KeyId>) -> NewCall {
    let (requested_model, model, request_id) = ("m".into(), "us.m".into(), Some("req_1".into()));
    NewCall { command: "ask", key, requested_model, model, request_id, rate: None }
}

fn limit(key: Option<KeyId>, period: Period, amount: u64) -> BudgetLimit {
    let key = key.map(|id| LimitedKey { id, name: format!("k{}", id.0) });
    BudgetLimit { key, period, amount: NanoDollars(amount) }
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
