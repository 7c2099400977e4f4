//! The API keys as `serve` sees them: read again once a second at most, so that a key that is revoked or added
//! counts at once, and a busy server does not read them for every request.

use super::clock::Clock;
use super::key::Key;
use super::sqlite::SqliteStore;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old what was read may be.
const FRESH: Duration = Duration::from_secs(1);

/// The keys of a ledger.
#[derive(Debug)]
pub struct KeyCache {
    path: PathBuf,
    read: Mutex<Read>,
}

/// Keys, or why they cannot be read.
type Keys = Result<Arc<[Key]>, String>;

#[derive(Debug, Default)]
struct Read {
    book: Option<SqliteStore>,
    /// What came of the last reading, a failure too: a ledger that is out of reach is not tried for every request.
    last: Option<(Instant, Keys)>,
}

impl KeyCache {
    /// The keys of the ledger in a file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::default() }
    }

    /// Every key, revoked ones too.
    ///
    /// # Errors
    /// In words, when the ledger cannot be read.
    pub fn keys(&self) -> Result<Arc<[Key]>, String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, keys)) = &read.last
            && at.elapsed() < FRESH
        {
            return keys.clone();
        }
        let keys = self.read(&mut read.book);
        read.last = Some((Instant::now(), keys.clone()));
        keys
    }

    fn read(&self, slot: &mut Option<SqliteStore>) -> Keys {
        if slot.as_ref().is_some_and(|book| !book.is_there()) {
            *slot = None;
        }
        let book = match slot {
            Some(book) => book,
            None => slot.insert(SqliteStore::open(&self.path, Clock::system())?),
        };
        let keys =
            book.keys().map_err(|error| format!("the ledger {} cannot be read: {error}", self.path.display()))?;
        Ok(keys.into())
    }
}
