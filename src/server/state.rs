//! The state that all requests share, and the end of the server.

use super::console::Console;
use super::images::Fetcher;
use super::keys::Keys;
use super::origin::OriginPolicy;
use crate::engine::Engine;
use crate::error::{Error, Kind};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use tokio::sync::watch;

pub(super) struct State {
    pub(super) engine: Arc<Engine>,
    pub(super) origin: OriginPolicy,
    pub(super) keys: Keys,
    pub(super) telemetry: Telemetry,
    /// Fetches images; `None` unless the operator allows it.
    pub(super) fetcher: Option<Fetcher>,
    /// Becomes true when running answers must end.
    pub(super) closing: watch::Receiver<bool>,
    pub(super) console: Console,
}

/// Resolves when running answers must end. Each answer waits on a future of its own.
pub(super) async fn shutdown_deadline(mut closing: watch::Receiver<bool>) {
    // An error means that the sender, and so the server, is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// The error of an answer that the shutdown cuts off.
pub(super) fn shutdown_error() -> Error {
    Error::new(Kind::ShuttingDown, "the server was stopped before the answer was complete")
}
