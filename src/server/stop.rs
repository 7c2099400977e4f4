//! How far the server is on its way to its end. It only goes forward.

use std::time::Duration;
use tokio::sync::watch;

/// How long running answers may take once the server has been asked to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// How long an answer that is cut off then has to send its error.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Requests are answered.
    Running,
    /// No new connection is accepted, and running answers come to their end.
    Draining,
    /// Running answers are cut off with an error.
    CutOff,
    /// Nothing is waited for any more.
    Ended,
}

/// Waits until the end is at least this near. Each waiter has a receiver of its own.
pub(super) async fn reached(mut stop: watch::Receiver<Stop>, wanted: Stop) {
    // An error means that the sender, and so the server, is gone.
    let _ = stop.wait_for(|now| *now >= wanted).await;
}
