//! What is counted and logged while Chatrix runs. A [`Telemetry`] handle is passed down when things are built; each layer
//! reports to it what it alone knows. It never holds a prompt, an answer, a key's token or a credential.

mod log;
mod metrics;
mod request;

pub use metrics::{Metrics, ReservationEnd, Snapshot};
pub use request::RequestScope;

use crate::error::Kind;
use std::sync::Arc;
use std::time::Duration;

/// A handle to count and log through. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    metrics: Metrics,
    /// Whether requests are logged as well as counted.
    log: bool,
}

impl Telemetry {
    /// Counts, and writes one line on stderr for each request.
    #[must_use]
    pub fn with_log() -> Self {
        Self(Arc::new(Inner { metrics: Metrics::default(), log: true }))
    }

    /// A request has come in. It is counted at once, and logged when the last clone of the scope is dropped.
    #[must_use]
    pub fn request(&self, id: &str, method: &str, route: &'static str) -> RequestScope {
        self.0.metrics.count_request();
        RequestScope::new(id, method, route, self.0.log)
    }

    /// A request was refused before anything left for Bedrock: by policy, budget, key or origin.
    pub fn refused(&self, _kind: Kind) {
        self.0.metrics.count_refusal();
    }

    /// A call was sent to Bedrock; `failure` is what came back, if it was a failure. `attempt` begins at 1.
    pub fn tried(&self, attempt: u32, failure: Option<Kind>) {
        self.0.metrics.count_try(attempt > 1, failure.is_some());
    }

    /// The first event of an answer has come, so long after the call was asked for.
    pub fn first_event(&self, after: Duration) {
        self.0.metrics.count_first_event(after);
    }

    /// A reservation has ended.
    pub fn reservation_ended(&self, end: ReservationEnd) {
        self.0.metrics.count_reservation(end);
    }

    /// The ledger has committed a transaction, or failed to.
    pub fn ledger_transaction(&self, took: Duration, committed: bool) {
        self.0.metrics.count_transaction(took, committed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.metrics.snapshot()
    }

    /// Writes what was counted to the log, if there is one.
    pub fn log_summary(&self) {
        if self.0.log {
            log::write(&format!("summary {}", self.snapshot()));
        }
    }
}
