//! Whether calls can be answered. Whoever asks often gets the answer of a moment ago.

use super::keys::Keys;
use super::stop::Stop;
use crate::engine::Engine;
use crate::error::{Error, Result};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How old an answer may be.
const MAX_AGE: Duration = Duration::from_secs(1);
/// How long loaded credentials count as loaded. To load them may start a program or ask a service.
const CREDENTIALS_MAX_AGE: Duration = Duration::from_secs(30);
/// How long whoever asks waits for the credentials.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why no call can be answered. The words are for programs and hold no detail: anyone may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    Draining,
    /// The ledger cannot be used, and budgets or API keys depend on it.
    Ledger,
    Credentials,
}

impl Obstacle {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Ledger => "ledger",
            Self::Credentials => "credentials",
        }
    }
}

/// The last answers.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    ledger: Mutex<Option<(Instant, bool)>>,
    credentials: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// What stands in the way of calls.
    pub(super) async fn obstacles(&self, engine: &Engine, keys: &Keys, stop: &watch::Receiver<Stop>) -> Vec<Obstacle> {
        let draining = *stop.borrow() > Stop::Running;
        let needs_ledger = keys.required || engine.guard().budgets.limits().next().is_some();
        let (ledger, credentials) = tokio::join!(self.ledger(engine, keys), self.credentials(engine));
        [
            (draining, Obstacle::Draining),
            (needs_ledger && !ledger, Obstacle::Ledger),
            (!credentials, Obstacle::Credentials),
        ]
        .into_iter()
        .filter_map(|(stands, obstacle)| stands.then_some(obstacle))
        .collect()
    }

    /// Whether the ledger can be read, and could be written when that was last tried.
    pub(super) async fn ledger(&self, engine: &Engine, keys: &Keys) -> bool {
        let Some(ledger) = &engine.guard().ledger else { return false };
        if let Some(known) = fresh(&self.ledger, |_| MAX_AGE) {
            return known && ledger.health().is_ok();
        }
        // What could not be written is tried again: nobody else does where no calls come because the server is not ready.
        let usable = tokio::time::timeout(PATIENCE, async {
            if ledger.health().is_err() { ledger.check(false).await.is_ok() } else { keys.all().await.is_ok() }
        });
        remember(&self.ledger, usable.await.unwrap_or(false))
    }

    async fn credentials(&self, engine: &Engine) -> bool {
        if let Some(known) = fresh(&self.credentials, |loaded| if loaded { CREDENTIALS_MAX_AGE } else { MAX_AGE }) {
            return known;
        }
        let checked = tokio::time::timeout(PATIENCE, engine.account().check()).await;
        remember(&self.credentials, checked.is_ok_and(|checked: Result<(), Error>| checked.is_ok()))
    }
}

fn fresh(last: &Mutex<Option<(Instant, bool)>>, max_age: impl Fn(bool) -> Duration) -> Option<bool> {
    let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
    last.filter(|(at, answer)| at.elapsed() < max_age(*answer)).map(|(_, answer)| answer)
}

fn remember(last: &Mutex<Option<(Instant, bool)>>, answer: bool) -> bool {
    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answer));
    answer
}
