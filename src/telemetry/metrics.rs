//! Counters, which only grow. A snapshot reads them all.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservationEnd {
    /// It was settled at the cost of the call.
    Settled,
    /// It was settled at an estimate, because the service did not report the usage.
    Estimated,
    /// It stays booked at its worst case, because the usage never came.
    Uncertain,
    /// It was released, because nothing was generated.
    Released,
}

#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    refusals: AtomicU64,
    tries: AtomicU64,
    retries: AtomicU64,
    failed_tries: AtomicU64,
    first_events: AtomicU64,
    first_event_microseconds: AtomicU64,
    settled: AtomicU64,
    estimated: AtomicU64,
    uncertain: AtomicU64,
    released: AtomicU64,
    ledger_transactions: AtomicU64,
    ledger_failures: AtomicU64,
    ledger_microseconds: AtomicU64,
}

/// The values of the counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    pub requests: u64,
    /// Requests that were refused before anything was sent to Bedrock.
    pub refusals: u64,
    /// Attempts to send a call to Bedrock, including retries.
    pub tries: u64,
    pub retries: u64,
    pub failed_tries: u64,
    /// Answers whose first event has come.
    pub first_events: u64,
    /// The time to the first event, summed over all answers.
    pub first_event_time: Duration,
    pub settled: u64,
    pub estimated: u64,
    pub uncertain: u64,
    pub released: u64,
    pub ledger_transactions: u64,
    pub ledger_failures: u64,
    /// The time of all ledger transactions, summed.
    pub ledger_time: Duration,
}

impl Metrics {
    pub(super) fn count_request(&self) {
        add(&self.requests, 1);
    }

    pub(super) fn count_refusal(&self) {
        add(&self.refusals, 1);
    }

    pub(super) fn count_try(&self, is_retry: bool, failed: bool) {
        add(&self.tries, 1);
        add(&self.retries, u64::from(is_retry));
        add(&self.failed_tries, u64::from(failed));
    }

    pub(super) fn count_first_event(&self, after: Duration) {
        add(&self.first_events, 1);
        add(&self.first_event_microseconds, microseconds(after));
    }

    pub(super) fn count_reservation(&self, end: ReservationEnd) {
        let counter = match end {
            ReservationEnd::Settled => &self.settled,
            ReservationEnd::Estimated => &self.estimated,
            ReservationEnd::Uncertain => &self.uncertain,
            ReservationEnd::Released => &self.released,
        };
        add(counter, 1);
    }

    pub(super) fn count_transaction(&self, took: Duration, committed: bool) {
        add(if committed { &self.ledger_transactions } else { &self.ledger_failures }, 1);
        add(&self.ledger_microseconds, microseconds(took));
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            requests: read(&self.requests),
            refusals: read(&self.refusals),
            tries: read(&self.tries),
            retries: read(&self.retries),
            failed_tries: read(&self.failed_tries),
            first_events: read(&self.first_events),
            first_event_time: Duration::from_micros(read(&self.first_event_microseconds)),
            settled: read(&self.settled),
            estimated: read(&self.estimated),
            uncertain: read(&self.uncertain),
            released: read(&self.released),
            ledger_transactions: read(&self.ledger_transactions),
            ledger_failures: read(&self.ledger_failures),
            ledger_time: Duration::from_micros(read(&self.ledger_microseconds)),
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = |time: Duration, count: u64| {
            time.as_secs_f64() * 1000.0 / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
        };
        write!(
            f,
            "requests={} refused={} tries={} retries={} failed_tries={} first_event_ms={:.1} settled={} estimated={} \
             uncertain={} released={} ledger_transactions={} ledger_failures={} ledger_ms={:.3}",
            self.requests,
            self.refusals,
            self.tries,
            self.retries,
            self.failed_tries,
            mean(self.first_event_time, self.first_events),
            self.settled,
            self.estimated,
            self.uncertain,
            self.released,
            self.ledger_transactions,
            self.ledger_failures,
            mean(self.ledger_time, self.ledger_transactions + self.ledger_failures),
        )
    }
}
