//! Counters and logs. A [`Telemetry`] handle is passed to each component when it is built, and the component reports
//! its events to it. Telemetry never contains a prompt, an answer, the token of an API key or a credential.

mod log;
mod metrics;
mod request;

pub use metrics::{Metrics, ReservationEnd, Snapshot};
pub use request::RequestScope;

use crate::error::Kind;
use std::sync::Arc;
use std::time::Duration;

/// A handle for counting and logging. It is cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    metrics: Metrics,
    /// Whether requests are logged as well as counted.
    log: bool,
}

impl Telemetry {
    /// Telemetry that counts, and also writes one line to stderr for each request.
    #[must_use]
    pub fn with_log() -> Self {
        Self(Arc::new(Inner { metrics: Metrics::default(), log: true }))
    }

    /// Counts a request that has come in. It is logged when the last clone of the scope is dropped.
    #[must_use]
    pub fn request(&self, id: &str, method: &str, route: &'static str) -> RequestScope {
        self.0.metrics.count_request();
        RequestScope::new(id, method, route, self.0.log)
    }

    /// Counts a request that was refused before anything was sent to Bedrock: by the policy, a budget, its key or its
    /// origin.
    pub fn refused(&self, _kind: Kind) {
        self.0.metrics.count_refusal();
    }

    /// Counts an attempt to send a call to Bedrock. `attempt` begins at 1, and `failure` is `None` when Bedrock
    /// accepted the call.
    pub fn tried(&self, attempt: u32, failure: Option<Kind>) {
        self.0.metrics.count_try(attempt > 1, failure.is_some());
    }

    /// Counts the first event of an answer, and the time since the call began.
    pub fn first_event(&self, after: Duration) {
        self.0.metrics.count_first_event(after);
    }

    pub fn reservation_ended(&self, end: ReservationEnd) {
        self.0.metrics.count_reservation(end);
    }

    /// Counts a transaction of the ledger, and the time that it took.
    pub fn ledger_transaction(&self, took: Duration, committed: bool) {
        self.0.metrics.count_transaction(took, committed);
    }

    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.metrics.snapshot()
    }

    /// Writes the counters to the log, if there is one.
    pub fn log_summary(&self) {
        if self.0.log {
            log::Line::summary(&self.snapshot()).write();
        }
    }
}
