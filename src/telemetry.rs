//! Metrics and logs. A [`Telemetry`] handle is passed to each component when it is built, and the component reports
//! its events to it. Telemetry never contains a prompt, an answer, the token of an API key, a credential or an ARN.

mod log;
mod metrics;
mod redaction;
mod request;
mod sink;
mod writer;

pub use log::LogFormat;
pub use metrics::{BudgetReading, Readings, ReservationEnd};
pub use redaction::without_secrets;
pub use request::{RequestHead, RequestScope};

use crate::catalog::NanoDollars;
use crate::error::Kind;
use metrics::Metrics;
use sink::Sink;
use std::sync::Arc;
use std::time::Duration;
use writer::LineWriter;

/// A handle for counting and logging. It is cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Telemetry(Arc<Sink>);

impl Telemetry {
    /// Telemetry that counts, and writes the log and notices to stderr.
    #[must_use]
    pub fn with_log(format: LogFormat) -> Self {
        Self(Arc::new(Sink { metrics: Metrics::default(), writer: Some(LineWriter::start(format)) }))
    }

    /// Changes how the log is written from now on.
    pub fn set_log_format(&self, format: LogFormat) {
        if let Some(writer) = &self.0.writer {
            writer.set_format(format);
        }
    }

    /// Tells the operator something, in a line on stderr. Never waits.
    pub fn notice(&self, text: &str) {
        if let Some(writer) = &self.0.writer {
            writer.write(log::notice(writer.format(), text));
        }
    }

    /// Writes a line as it is, whatever the format, for programs that wait for it.
    pub(crate) fn plain_line(&self, line: String) {
        if let Some(writer) = &self.0.writer {
            writer.write(line);
        }
    }

    /// Waits until everything so far is on stderr, or until the time is up.
    pub fn flush(&self, limit: Duration) {
        if let Some(writer) = &self.0.writer {
            writer.flush(limit);
        }
    }

    /// A request that has come in. It is logged and counted when the last clone of the scope is dropped.
    #[must_use]
    pub fn request(&self, head: &RequestHead<'_>) -> RequestScope {
        RequestScope::new(head, Arc::clone(&self.0))
    }

    /// Counts an attempt to send a call to Bedrock. `attempt` begins at 1, and `failure` is `None` when Bedrock
    /// accepted the call.
    pub fn tried(&self, attempt: u32, failure: Option<Kind>) {
        self.0.metrics.count_try(attempt > 1, failure);
    }

    /// Counts a call that was made for a request, and the time from sending it to the end of its answer.
    pub(crate) fn call_ended(&self, request: &RequestScope, failure: Option<Kind>, took: Duration) {
        let (operation, model) = (request.operation().unwrap_or_default(), request.counted_model());
        self.0.metrics.count_call(operation, &model, failure, took);
    }

    /// Counts a load of AWS credentials after the first.
    pub fn credentials_renewed(&self, loaded: bool) {
        self.0.metrics.count_credential_renewal(loaded);
    }

    pub(crate) fn reserved(&self, amount: NanoDollars) {
        self.0.metrics.count_reserved(amount);
    }

    /// Counts the end of a reservation of an amount, of which `booked` stays booked.
    pub(crate) fn reservation_ended(&self, end: ReservationEnd, amount: NanoDollars, booked: NanoDollars) {
        self.0.metrics.count_reservation_end(end, amount, booked);
    }

    /// Counts a transaction of the ledger, the time that it took, and how many reservations and settlements it held.
    pub(crate) fn ledger_transaction(&self, took: Duration, entries: usize, committed: bool) {
        self.0.metrics.count_transaction(took, entries, committed);
    }

    /// Every metric in Prometheus's text format.
    #[must_use]
    pub fn prometheus(&self, readings: &Readings) -> String {
        let dropped = self.0.writer.as_ref().map_or(0, LineWriter::dropped);
        self.0.metrics.text(readings, dropped)
    }
}
