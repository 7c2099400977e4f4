//! The state that all requests share, and the end of the server.

use super::console::Console;
use super::images::Fetcher;
use super::keys::Keys;
use super::limits::Timeouts;
use super::load::Load;
use super::origin::OriginPolicy;
use super::readiness::Readiness;
use super::stop::Stop;
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
    pub(super) fetcher: Option<Arc<Fetcher>>,
    pub(super) stop: watch::Receiver<Stop>,
    pub(super) timeouts: Timeouts,
    pub(super) load: Load,
    pub(super) console: Console,
    pub(super) readiness: Arc<Readiness>,
}

impl State {
    /// The state after a reload. What was counted, held or said is kept.
    pub(super) fn with(
        &self,
        engine: Arc<Engine>,
        origin: OriginPolicy,
        keys: Keys,
        fetcher: Option<Arc<Fetcher>>,
    ) -> Self {
        Self {
            engine,
            origin,
            keys,
            fetcher,
            telemetry: self.telemetry.clone(),
            stop: self.stop.clone(),
            timeouts: self.timeouts,
            load: self.load.clone(),
            console: self.console.clone(),
            readiness: Arc::clone(&self.readiness),
        }
    }
}

/// The error of an answer that the shutdown cuts off.
pub(super) fn shutdown_error() -> Error {
    Error::new(Kind::ShuttingDown, "the server was stopped before the answer was complete")
}
