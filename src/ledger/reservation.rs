//! The guard of a call's money. It is made before the call is sent, and ends exactly once. Dropping it never refunds
//! what may have been billed.

use super::budget::BudgetStatus;
use super::call::{NewCall, Outcome, Receipt, SettledCall, Settlement};
use super::ids::CallId;
use super::rate::{RateRefusal, RateStatus};
use super::session_totals::SessionTotals;
use super::store::StoreError;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A reservation, and what is booked under the limits with it.
#[derive(Debug)]
pub struct Granted {
    /// The reservation.
    pub reservation: Reservation,
    /// One for each limit.
    pub statuses: Vec<BudgetStatus>,
    /// `None` where its key has no limits on requests, tokens and running calls.
    pub rates: Option<RateStatus>,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It does not fit under this limit.
    OverBudget(BudgetStatus),
    /// It is beyond a limit of its key on requests, tokens or running calls.
    OverRate(RateRefusal),
    /// The ledger cannot be read or written.
    Unavailable(StoreError),
    /// The process is ending.
    Closed,
}

/// Where the end of a call goes to be written.
pub(super) trait SettlementQueue: fmt::Debug + Send + Sync {
    /// Takes note of a reservation that is handed out.
    fn reserved(&self, amount: NanoDollars);

    /// Takes note of a call that begins and is not in the ledger, so that it is booked even if it does not end in time.
    fn began_late(&self, call: LateCall);

    /// Never waits, and never fails: a queue that is closed has booked every call that had not ended as uncertain.
    /// `reserved` is the amount of the reservation.
    fn settle(&self, settlement: Settlement, reserved: NanoDollars);
}

/// A call that runs and is not in the ledger.
#[derive(Debug)]
pub(super) struct LateCall {
    pub call: NewCall,
    pub reserved: NanoDollars,
    pub receipt: Receipt,
    /// How many requests Bedrock may have received a part of.
    pub sent: Arc<AtomicUsize>,
    pub began: Instant,
}

impl LateCall {
    /// Its end where its usage cannot arrive any more; `None` where nothing was sent, so that nothing is owed.
    pub(super) fn abandon(self) -> Option<Settlement> {
        let Self { call, reserved, receipt, sent, began } = self;
        (sent.load(Ordering::SeqCst) > 0).then(|| Settlement {
            model: call.model.clone(),
            call: SettledCall::Unwritten { call, reserved, receipt },
            outcome: Outcome::Uncertain,
            bedrock_request_id: None,
            milliseconds: milliseconds_since(began),
            edits: String::new(),
        })
    }
}

/// How a reservation is written in the ledger.
#[derive(Debug)]
enum Booking {
    /// It was committed before the call was sent.
    Booked(CallId, Arc<dyn SettlementQueue>),
    /// It could not be written when the call began; it will be, together with its end.
    Late(NewCall, Receipt, Arc<dyn SettlementQueue>),
    /// There is no ledger, or the end has been written.
    Unledgered,
}

/// The booked worst case of a call. Each call ends in exactly one of [`settle`](Self::settle),
/// [`estimate`](Self::estimate), [`release`](Self::release) and [`abandon`](Self::abandon), or is dropped: then it is
/// released if nothing was sent that may be billed, and uncertain otherwise.
#[derive(Debug)]
pub struct Reservation {
    amount: NanoDollars,
    /// How many requests Bedrock may have received a part of, without those that it has refused. While there is one, the
    /// call may be billed.
    sent: Arc<AtomicUsize>,
    /// Whether its end is booked.
    is_over: bool,
    began: Instant,
    booking: Booking,
    model: String,
    bedrock_request_id: Option<String>,
    edits: String,
    session_totals: Option<Arc<SessionTotals>>,
}

impl Reservation {
    /// A reservation that is in the ledger.
    pub(super) fn booked(id: CallId, amount: NanoDollars, model: String, queue: Arc<dyn SettlementQueue>) -> Self {
        queue.reserved(amount);
        Self::new(Booking::Booked(id, queue), amount, model)
    }

    /// A reservation that could not be written yet.
    pub(super) fn late(call: NewCall, amount: NanoDollars, queue: Arc<dyn SettlementQueue>) -> Self {
        let (model, receipt) = (call.model.clone(), Receipt::new());
        queue.reserved(amount);
        let mut reservation = Self::new(Booking::Unledgered, amount, model);
        let (sent, began) = (reservation.sent_count(), reservation.began);
        queue.began_late(LateCall { call: call.clone(), reserved: amount, receipt, sent, began });
        reservation.booking = Booking::Late(call, receipt, queue);
        reservation
    }

    /// A reservation that is written nowhere, for calls without a budget where there is no ledger.
    pub(crate) fn without_ledger(amount: NanoDollars) -> Self {
        Self::new(Booking::Unledgered, amount, String::new())
    }

    fn new(booking: Booking, amount: NanoDollars, model: String) -> Self {
        Self {
            amount,
            sent: Arc::default(),
            is_over: false,
            began: Instant::now(),
            booking,
            model,
            bedrock_request_id: None,
            edits: String::new(),
            session_totals: None,
        }
    }

    /// The most that the call may cost.
    #[must_use]
    pub fn amount(&self) -> NanoDollars {
        self.amount
    }

    /// Adds its end to the totals of a session as well.
    pub(crate) fn count_in(&mut self, session_totals: Arc<SessionTotals>) {
        self.session_totals = Some(session_totals);
    }

    /// Whether its end is booked.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Marks the request as sent: from here on it may be billed.
    pub fn sent(&mut self) {
        self.sent.fetch_add(1, Ordering::SeqCst);
    }

    /// The number of requests that may be billed, for those who know when one leaves and when one is refused.
    pub(crate) fn sent_count(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.sent)
    }

    /// Notes that Bedrock has accepted the call: which model answers, under which of Bedrock's request ids, and what
    /// the policy changed.
    pub(crate) fn accepted(&mut self, model: &str, bedrock_request_id: Option<String>, edits: String) {
        self.sent();
        model.clone_into(&mut self.model);
        self.bedrock_request_id = bedrock_request_id;
        self.edits = edits;
    }

    /// Notes Bedrock's id for a call that has failed. It is in the ledger if the call stays booked.
    pub(crate) fn set_bedrock_request_id(&mut self, id: Option<String>) {
        self.bedrock_request_id = id;
    }

    /// Books the usage and the real cost. `cost` is `None` where the model has no price.
    pub fn settle(&mut self, usage: Usage, cost: Option<NanoDollars>) {
        self.end(Outcome::Settled(usage, cost));
    }

    /// Books the best estimate for an answer whose service reports no usage.
    pub(crate) fn estimate(&mut self, cost: NanoDollars) {
        self.end(Outcome::Estimated(cost));
    }

    /// Books that nothing was generated, so that nothing is owed.
    pub(crate) fn release(&mut self) {
        self.end(Outcome::Released);
    }

    /// Books that the usage will not arrive, so that the call stays booked at its worst case.
    pub(crate) fn abandon(&mut self) {
        self.end(Outcome::Uncertain);
    }

    fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        if let Some(totals) = &self.session_totals {
            totals.add(outcome, self.amount);
        }
        let (call, queue) = match std::mem::replace(&mut self.booking, Booking::Unledgered) {
            Booking::Booked(id, queue) => (SettledCall::Booked(id), queue),
            Booking::Late(call, receipt, queue) => {
                (SettledCall::Unwritten { call, reserved: self.amount, receipt }, queue)
            }
            Booking::Unledgered => return,
        };
        let settlement = Settlement {
            call,
            outcome,
            model: std::mem::take(&mut self.model),
            bedrock_request_id: self.bedrock_request_id.take(),
            milliseconds: milliseconds_since(self.began),
            edits: std::mem::take(&mut self.edits),
        };
        queue.settle(settlement, self.amount);
    }
}

fn milliseconds_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.sent.load(Ordering::SeqCst) > 0 {
            self.abandon();
        } else {
            self.release();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::sync::Mutex;

    #[derive(Debug, Default)]
    struct Settlements(Mutex<Vec<Settlement>>);

    impl SettlementQueue for Settlements {
        fn reserved(&self, amount: NanoDollars) {
            assert_eq!(amount, NanoDollars(9));
        }

        fn began_late(&self, call: LateCall) {
            assert_eq!(call.reserved, NanoDollars(9));
        }

        fn settle(&self, settlement: Settlement, reserved: NanoDollars) {
            assert_eq!(reserved, NanoDollars(9));
            self.0.lock().unwrap().push(settlement);
        }
    }

    /// The settlements of a reservation after some work was done with it.
    fn settlements(work: impl FnOnce(Reservation)) -> Vec<(SettledCall, Outcome)> {
        let queue = Arc::new(Settlements::default());
        work(Reservation::booked(CallId(1), NanoDollars(9), "m".into(), Arc::clone(&queue) as _));
        let settlements = queue.0.lock().unwrap();
        settlements.iter().map(|settlement| (settlement.call.clone(), settlement.outcome)).collect()
    }

    #[test]
    fn a_reservation_ends_exactly_once() {
        let settled = Outcome::Settled(Usage::default(), Some(NanoDollars(4)));
        let cases: [(fn(Reservation), Outcome); 8] = [
            (drop, Outcome::Released),
            (|mut reservation| reservation.sent(), Outcome::Uncertain),
            (|mut reservation| reservation.release(), Outcome::Released),
            (|mut reservation| reservation.estimate(NanoDollars(4)), Outcome::Estimated(NanoDollars(4))),
            (|mut reservation| reservation.abandon(), Outcome::Uncertain),
            (|mut reservation| reservation.settle(Usage::default(), Some(NanoDollars(4))), settled),
            (
                |mut reservation| {
                    reservation.sent();
                    reservation.settle(Usage::default(), Some(NanoDollars(4)));
                    reservation.abandon();
                },
                settled,
            ),
            (
                |mut reservation| {
                    reservation.sent();
                    reservation.release();
                    reservation.settle(Usage::default(), Some(NanoDollars(4)));
                },
                Outcome::Released,
            ),
        ];
        for (work, outcome) in cases {
            assert_eq!(settlements(work), [(SettledCall::Booked(CallId(1)), outcome)]);
        }
    }

    #[test]
    fn a_late_reservation_takes_its_call_along() {
        let queue = Arc::new(Settlements::default());
        let call = NewCall {
            command: "ask",
            key: None,
            group: None,
            requested_model: "alias".into(),
            model: "m".into(),
            request_id: Some("req_1".into()),
            rate: None,
        };
        drop(Reservation::late(call.clone(), NanoDollars(9), Arc::clone(&queue) as _));
        let settlements = queue.0.lock().unwrap();
        let SettledCall::Unwritten { call: late, reserved, .. } = &settlements[0].call else {
            panic!("{settlements:?}")
        };
        assert_eq!((late, *reserved), (&call, NanoDollars(9)));
        assert_eq!(settlements[0].model, "m");
    }
}
