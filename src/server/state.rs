//! The state that all requests share, and the end of the server.

use super::images::Fetcher;
use super::keys::Keys;
use super::origin::OriginPolicy;
use crate::engine::{Call, Engine, Warning};
use crate::error::{Error, Kind};
use crate::telemetry::Telemetry;
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// What was already announced to the operator.
    pub(super) announced: Mutex<HashSet<String>>,
}

impl State {
    /// Announces to the operator, once each, that a successor answers for a retired model, and the warnings of a call.
    pub(super) fn announce(&self, call: &Call) {
        if let Some(text) = call.successor_notice() {
            self.announce_once(text.clone(), &text);
        }
        self.warn(&call.warnings());
    }

    /// Warns the operator, once in each period, that a budget is nearly used up.
    pub(super) fn warn(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.announce_once(warning.about.clone(), &warning.text);
        }
    }

    fn announce_once(&self, about: String, text: &str) {
        if self.announced.lock().unwrap_or_else(PoisonError::into_inner).insert(about) {
            note(Printable::line(text));
        }
    }
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
