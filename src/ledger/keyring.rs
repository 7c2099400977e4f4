//! The API keys as `serve` sees them: read again once a second at most, so that a key that is revoked or added
//! counts at once, and a busy server does not read them for every request.

use super::clock::Clock;
use super::key::Key;
use super::sqlite::Book;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old what was read may be.
const FRESH: Duration = Duration::from_secs(1);

/// The keys of a ledger.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    read: Mutex<Option<Read>>,
}

#[derive(Debug)]
struct Read {
    book: Book,
    keys: Arc<[Key]>,
    at: Instant,
}

impl Keyring {
    /// The keys of the ledger in a file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::new(None) }
    }

    /// Every key, revoked ones too.
    ///
    /// # Errors
    /// In words, when the ledger cannot be read.
    pub fn keys(&self) -> Result<Arc<[Key]>, String> {
        let told =
            |error: &dyn std::fmt::Display| format!("the ledger {} cannot be read: {error}", self.path.display());
        let mut slot = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = slot.as_ref().filter(|read| read.at.elapsed() < FRESH) {
            return Ok(Arc::clone(&read.keys));
        }
        let book = match slot.take() {
            Some(read) => read.book,
            None => Book::open(&self.path, Clock::system())?,
        };
        let keys: Arc<[Key]> = book.keys().map_err(|error| told(&error))?.into();
        *slot = Some(Read { book, keys: Arc::clone(&keys), at: Instant::now() });
        Ok(keys)
    }
}
