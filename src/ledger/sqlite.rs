//! The ledger's tables, in SQLite: one row for each call, and running sums beside them, so that no check has to scan.
//! The only room that names `rusqlite`. Every change is made inside one transaction ([`SqliteStore::transact`]), together
//! with the sums it changes; who waits and who is told is the clerk's business, not this file's.

mod keys;
pub mod process_lock;
mod report;
mod schema;
mod transaction;

pub use report::{By, Row, Sums, Uncertain};
pub use transaction::SqliteTransaction;

use super::budget::{BudgetStatus, Limit};
use super::clock::Clock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Result, Transaction, TransactionBehavior};
use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What came of a statement.
pub type StoreResult<T> = Result<T>;

/// How long another process may hold the ledger before it counts as out of reach.
const BUSY: Duration = Duration::from_secs(3);

/// An open ledger.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Which file was opened, however it is called by now.
    file: Option<(u64, u64)>,
    lock_folder: PathBuf,
    clock: Clock,
}

/// The folder beside a ledger in which processes show that they are there.
pub fn lock_folder(path: &Path) -> PathBuf {
    path.with_extension("running")
}

impl SqliteStore {
    /// Opens a ledger, makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    /// In words, naming the file.
    pub fn open(path: &Path, clock: Clock) -> std::result::Result<Self, String> {
        let told = |error: &dyn fmt::Display| format!("the ledger {} cannot be opened: {error}", path.display());
        create_private(path).map_err(|error| told(&error))?;
        let connection = Connection::open(path).map_err(|error| told(&error))?;
        let (file, lock_folder) = (identity(path), lock_folder(path));
        let mut book = Self { connection, path: path.to_owned(), file, lock_folder, clock };
        book.prepare().map_err(|error| told(&error))?;
        Ok(book)
    }

    fn prepare(&mut self) -> std::result::Result<(), String> {
        let connection = &self.connection;
        let set =
            |name: &str, value: &str| connection.pragma_update(None, name, value).map_err(|error| error.to_string());
        connection.busy_timeout(BUSY).map_err(|error| error.to_string())?;
        // A killed process loses nothing that was committed; only a power cut can take the last moments (README).
        set("journal_mode", "WAL")?;
        set("synchronous", "NORMAL")?;
        // The next one who writes goes on where this one ends: a short `ask` need not wait for the disk when it closes.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| error.to_string())?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut self.connection)
    }

    /// Whether the ledger's file is still the one that was opened: not when somebody has removed or replaced it.
    #[must_use]
    pub fn is_there(&self) -> bool {
        identity(&self.path) == self.file
    }

    /// Does some work in one transaction that no other process can come between.
    pub fn transact<T>(&mut self, work: impl FnOnce(&mut SqliteTransaction<'_>) -> Result<T>) -> Result<T> {
        // Taken for writing at once: what is read stays true until what is written is committed.
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let mut pages =
            SqliteTransaction { transaction: &transaction, clock: &self.clock, lock_folder: &self.lock_folder };
        let result = work(&mut pages)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Books the open reservations of ended processes as uncertain: AWS may bill them whole.
    ///
    /// # Errors
    /// SQLite's.
    pub fn recover(&mut self) -> Result<()> {
        self.transact(|pages| {
            pages.recover()?;
            Ok(())
        })
    }

    /// What is booked under each limit now.
    pub fn statuses(&mut self, limits: &[Limit]) -> Result<Vec<BudgetStatus>> {
        let transaction = self.connection.transaction()?;
        SqliteTransaction { transaction: &transaction, clock: &self.clock, lock_folder: &self.lock_folder }
            .statuses(limits)
    }
}

/// What a file is, whatever its name: device and number.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Makes the file with its folder, for this user alone. SQLite gives its helper files the same rights.
fn create_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
