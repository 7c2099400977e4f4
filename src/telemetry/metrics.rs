//! What is counted and measured. Counting is a look-up by labels and an addition, once for a request, a try or a
//! transaction, and never for an event of an answer.

mod exposition;
mod names;
mod readings;
mod series;

pub use readings::{BudgetReading, Readings};

use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::error::Kind;
use exposition::Exposition;
use series::{Counters, Histograms, Names, OTHER};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The provider, as OpenTelemetry calls it.
const PROVIDER: &str = "aws.bedrock";

#[derive(Debug)]
pub(super) struct Metrics {
    began: SystemTime,
    models: Names,
    keys: Names,
    requests: Counters<4>,
    refusals: Counters<1>,
    failures: Counters<1>,
    tokens: Counters<3>,
    costs: Counters<2>,
    token_usage: Histograms<4>,
    server_durations: Histograms<4>,
    first_tokens: Histograms<3>,
    upstream_durations: Histograms<4>,
    tries: Counters<1>,
    retries: Counters<0>,
    reservation_ends: Counters<1>,
    booked: Counters<1>,
    credential_renewals: Counters<1>,
    ledger_times: Histograms<0>,
    ledger_batches: Histograms<0>,
    ledger_failures: Counters<0>,
    pub(super) in_flight: AtomicU64,
    pub(super) streams: AtomicU64,
    /// Nano-dollars.
    reserved: AtomicU64,
}

/// A request that has ended, as it is counted.
#[derive(Debug)]
pub(super) struct EndedRequest<'a> {
    pub(super) route: &'static str,
    /// What was asked for, in OpenTelemetry's words; `None` for a route that asks no model.
    pub(super) operation: Option<&'static str>,
    /// Empty when no model is known.
    pub(super) model: &'a str,
    /// The name of the API key; empty without one.
    pub(super) key: &'a str,
    pub(super) status: u16,
    pub(super) error: Option<Kind>,
    /// Whether anything was sent to Bedrock.
    pub(super) was_sent: bool,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Option<NanoDollars>,
    pub(super) took: Duration,
    /// The time to the first event of a streamed answer.
    pub(super) first_event: Option<Duration>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            began: SystemTime::now(),
            models: Names::default(),
            keys: Names::default(),
            requests: Counters::new(names::REQUESTS),
            refusals: Counters::new(names::REFUSALS),
            failures: Counters::new(names::FAILURES),
            tokens: Counters::new(names::TOKENS),
            costs: Counters::new(names::COSTS),
            token_usage: Histograms::new(names::TOKEN_USAGE, names::TOKEN_BOUNDS),
            server_durations: Histograms::new(names::SERVER_DURATIONS, names::DURATION_BOUNDS),
            first_tokens: Histograms::new(names::FIRST_TOKENS, names::FIRST_TOKEN_BOUNDS),
            upstream_durations: Histograms::new(names::UPSTREAM_DURATIONS, names::DURATION_BOUNDS),
            tries: Counters::new(names::TRIES),
            retries: Counters::new(names::RETRIES),
            reservation_ends: Counters::new(names::RESERVATION_ENDS),
            booked: Counters::new(names::BOOKED),
            credential_renewals: Counters::new(names::CREDENTIAL_RENEWALS),
            ledger_times: Histograms::new(names::LEDGER_TIMES, names::TRANSACTION_BOUNDS),
            ledger_batches: Histograms::new(names::LEDGER_BATCHES, names::BATCH_BOUNDS),
            ledger_failures: Counters::new(names::LEDGER_FAILURES),
            in_flight: AtomicU64::new(0),
            streams: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(super) fn count_request(&self, request: &EndedRequest<'_>) {
        let EndedRequest { route, operation, model, key, status, error, was_sent, usage, cost, took, first_event } =
            *request;
        let (model, key) = (self.models.bounded(model), self.keys.bounded(key));
        self.requests.add([route, model, key, &status.to_string()], 1);
        let reason = error.map(|kind| format!("{kind:?}")).unwrap_or_default();
        if error.is_some() {
            let counter = if was_sent { &self.failures } else { &self.refusals };
            counter.add([&reason], 1);
        }
        let Some(operation) = operation else { return };
        let model_or_other = if model.is_empty() { OTHER } else { model };
        self.server_durations.observe([operation, PROVIDER, model_or_other, &reason], microseconds(took));
        if let Some(after) = first_event {
            self.first_tokens.observe([operation, PROVIDER, model_or_other], microseconds(after));
        }
        if let Some(usage) = usage {
            self.count_tokens(operation, model_or_other, key, &usage);
        }
        if let Some(cost) = cost {
            self.costs.add([model_or_other, key], cost.0);
        }
    }

    fn count_tokens(&self, operation: &str, model: &str, key: &str, usage: &Usage) {
        for (kind, tokens) in [
            ("input", usage.input),
            ("output", usage.output),
            ("cache_read", usage.cache_read),
            ("cache_write", usage.cache_write()),
        ] {
            self.tokens.add([model, key, kind], tokens);
        }
        for (kind, tokens) in [("input", usage.prompt()), ("output", usage.output)] {
            self.token_usage.observe([operation, PROVIDER, model, kind], tokens);
        }
    }

    /// Counts a call from sending it to the end of its answer.
    pub(super) fn count_call(&self, operation: &str, model: &str, error: Option<Kind>, took: Duration) {
        let reason = error.map(|kind| format!("{kind:?}")).unwrap_or_default();
        let model = self.models.bounded(model);
        let model = if model.is_empty() { OTHER } else { model };
        self.upstream_durations.observe([operation, PROVIDER, model, &reason], microseconds(took));
    }

    pub(super) fn count_try(&self, is_retry: bool, failure: Option<Kind>) {
        let outcome = failure.map_or_else(|| "accepted".to_owned(), |kind| format!("{kind:?}"));
        self.tries.add([&outcome], 1);
        self.retries.add([], u64::from(is_retry));
    }

    pub(super) fn count_reserved(&self, amount: NanoDollars) {
        self.reserved.fetch_add(amount.0, Ordering::Relaxed);
    }

    /// Counts the end of a reservation of an amount, of which `booked` stays booked.
    pub(super) fn count_reservation_end(&self, end: ReservationEnd, amount: NanoDollars, booked: NanoDollars) {
        let end = match end {
            ReservationEnd::Settled => "settled",
            ReservationEnd::Estimated => "estimated",
            ReservationEnd::Uncertain => "uncertain",
            ReservationEnd::Released => "released",
        };
        self.reservation_ends.add([end], 1);
        self.booked.add([end], booked.0);
        // An update whose function always gives a value cannot fail.
        let _ = self
            .reserved
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |reserved| Some(reserved.saturating_sub(amount.0)));
    }

    pub(super) fn count_credential_renewal(&self, loaded: bool) {
        self.credential_renewals.add([if loaded { "loaded" } else { "failed" }], 1);
    }

    pub(super) fn count_transaction(&self, took: Duration, entries: usize, committed: bool) {
        self.ledger_times.observe([], microseconds(took));
        self.ledger_batches.observe([], u64::try_from(entries).unwrap_or(u64::MAX));
        self.ledger_failures.add([], u64::from(!committed));
    }

    /// Everything in Prometheus's text format, with what is known elsewhere at this moment.
    pub(super) fn text(&self, readings: &Readings, dropped_lines: u64) -> String {
        let mut text = Exposition::default();
        self.requests.write(&mut text);
        self.refusals.write(&mut text);
        self.failures.write(&mut text);
        self.tokens.write(&mut text);
        self.costs.write(&mut text);
        self.token_usage.write(&mut text);
        self.server_durations.write(&mut text);
        self.first_tokens.write(&mut text);
        self.upstream_durations.write(&mut text);
        self.tries.write(&mut text);
        self.retries.write(&mut text);
        self.reservation_ends.write(&mut text);
        self.booked.write(&mut text);
        self.credential_renewals.write(&mut text);
        self.ledger_times.write(&mut text);
        self.ledger_batches.write(&mut text);
        self.ledger_failures.write(&mut text);
        let counted = readings::Counted {
            began: self.began.duration_since(UNIX_EPOCH).unwrap_or_default(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            streams: self.streams.load(Ordering::Relaxed),
            reserved: NanoDollars(self.reserved.load(Ordering::Relaxed)),
            dropped_lines,
        };
        readings.write(&counted, &mut text);
        text.into_text()
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
