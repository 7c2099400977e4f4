//! What every request needs, and when it must end.

use super::images::Fetcher;
use super::keys::Keys;
use super::origin::OriginPolicy;
use crate::engine::{Call, Engine, Warning};
use crate::error::{Error, Kind};
use crate::telemetry::Telemetry;
use std::collections::HashSet;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

pub(super) struct State {
    pub(super) engine: Arc<Engine>,
    pub(super) origin: OriginPolicy,
    pub(super) keys: Keys,
    pub(super) telemetry: Telemetry,
    /// Fetches images; `None` unless the operator allows it.
    pub(super) fetcher: Option<Fetcher>,
    /// Turns true when the time of running answers is over.
    pub(super) closing: watch::Receiver<bool>,
    /// What the operator was told already.
    pub(super) announced: Mutex<HashSet<String>>,
}

impl State {
    /// Tells the operator once that a retired model is answered for by another, and what a call has to warn of.
    pub(super) fn announce(&self, call: &Call) {
        if let Some(text) = call.successor_notice() {
            self.say_once(text.clone(), &text);
        }
        self.warn(&call.warnings());
    }

    /// Tells the operator once in each period that a budget is nearly used up.
    pub(super) fn warn(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.say_once(warning.about.clone(), &warning.text);
        }
    }

    fn say_once(&self, about: String, text: &str) {
        if self.announced.lock().unwrap_or_else(PoisonError::into_inner).insert(about) {
            // A stderr that is gone is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// Resolves when the time of running answers is over. One future for each answer.
pub(super) async fn shutdown_deadline(mut closing: watch::Receiver<bool>) {
    // A sender that is gone means that the server is.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// What a running answer is told when its time is over.
pub(super) fn shutting_down() -> Error {
    Error::new(Kind::ShuttingDown, "the server was stopped before the answer was complete")
}
