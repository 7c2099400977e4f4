//! The API keys as `serve` sees them: in memory, read again on the ledger's thread once they are a second old, so that a
//! key that is revoked or added counts within a second, and a busy server does not read them for every request.

use super::command::{Command, CommandQueue, KeySnapshot};
use super::key::Key;
use super::store::{StoreError, StoreResult};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How old keys may be.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The keys of a ledger.
#[derive(Debug)]
pub struct KeyCache {
    queue: CommandQueue,
    /// What was read last, failures too. Held only to copy it.
    snapshot: Mutex<Option<KeySnapshot>>,
}

impl KeyCache {
    pub(super) fn new(queue: CommandQueue) -> Self {
        Self { queue, snapshot: Mutex::new(None) }
    }

    /// Every key, revoked ones too.
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
        let snapshot = answer.await.map_err(|_| closed())?;
        self.remember(snapshot.clone());
        snapshot.keys
    }

    fn last(&self) -> Option<KeySnapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers may overtake each other: the newest stays.
    fn remember(&self, snapshot: KeySnapshot) {
        let mut last = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.read_at < snapshot.read_at) {
            *last = Some(snapshot);
        }
    }
}
