//! Moves what was committed from the write-ahead log into the database (<https://www.sqlite.org/wal.html>). SQLite would do
//! that within a transaction now and then, which waits for the disk. Here a second connection does it beside the
//! transactions of the first.

use super::schema::APPLICATION;
use crate::ledger::store::Upkeep;
use rusqlite::{Connection, OpenFlags, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// From how many pages on the log is moved. It is SQLite's own number.
const PAGES: i32 = 1000;

/// How long other processes are waited for. What cannot be done now is done the next time.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Checkpoints {
    path: PathBuf,
    /// How many pages the log had after the last commit.
    pages: Arc<AtomicI32>,
}

impl Checkpoints {
    /// Takes over from a connection.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(super) fn take_over(connection: &mut Connection, path: &Path) -> Result<Self> {
        let pages = Arc::new(AtomicI32::new(0));
        let counted = Arc::clone(&pages);
        // This takes the place of SQLite's own, which is such a function too.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            counted.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { path: path.to_owned(), pages })
    }

    /// The work, if it is time for it.
    pub(super) fn upkeep(&self) -> Option<Upkeep> {
        if self.pages.load(Ordering::Relaxed) < PAGES {
            return None;
        }
        let (path, pages) = (self.path.clone(), Arc::clone(&self.pages));
        Some(Box::new(move || {
            // The next commit counts them again.
            pages.store(0, Ordering::Relaxed);
            // If it cannot be done now, the log only grows until the next time.
            let _ = checkpoint(&path);
        }))
    }
}

fn checkpoint(path: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.busy_timeout(PATIENCE)?;
    // The first step moves most of the log while others go on writing. The second one keeps them waiting, moves the little
    // that has come meanwhile, and lets the next transaction begin the log anew.
    for step in ["PASSIVE", "RESTART"] {
        connection.query_row(&format!("PRAGMA wal_checkpoint({step})"), [], |_| Ok(()))?;
    }
    // The transaction that begins the log anew waits for the disk. This one changes nothing, and does that in the place of the
    // next reservation.
    connection.pragma_update(None, "application_id", APPLICATION)
}
