//! Keeps the API keys in memory for `serve`. They are read again, on the ledger's thread, once they are a second old.
//! So a key that is added or revoked takes effect within a second, and a busy server does not read the keys for every
//! request.

use super::command::{Command, CommandQueue, KeySnapshot};
use super::key::Key;
use super::key_settings::KeySettings;
use super::store::{StoreError, StoreResult};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How old the keys in memory may be.
const MAX_AGE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct KeyCache {
    queue: CommandQueue,
    settings: KeySettings,
    /// The result of the last read, which may be a failure. Locked only to copy it.
    snapshot: Mutex<Option<KeySnapshot>>,
}

impl KeyCache {
    pub(super) fn new(queue: CommandQueue, settings: KeySettings) -> Self {
        Self { queue, settings, snapshot: Mutex::new(None) }
    }

    /// Every key, revoked ones too, with the limits that hold for it.
    ///
    /// # Errors
    /// When the ledger cannot be read, or is closed.
    pub async fn keys(&self) -> StoreResult<Arc<[Key]>> {
        if let Some(fresh) = self.last().filter(|snapshot| snapshot.read_at.elapsed() < MAX_AGE) {
            return fresh.keys;
        }
        let closed = || StoreError::new("the ledger is closed: this process is shutting down");
        let (reply, answer) = oneshot::channel();
        self.queue.send(Command::ReadKeys(reply)).map_err(|_| closed())?;
        let KeySnapshot { read_at, keys } = answer.await.map_err(|_| closed())?;
        let keys = keys.map(|keys| keys.iter().map(|key| self.settings.apply(key.clone())).collect());
        let snapshot = KeySnapshot { read_at, keys };
        self.remember(snapshot.clone());
        snapshot.keys
    }

    fn last(&self) -> Option<KeySnapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the newest snapshot, because answers may overtake each other.
    fn remember(&self, snapshot: KeySnapshot) {
        let mut last = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.read_at < snapshot.read_at) {
            *last = Some(snapshot);
        }
    }
}
