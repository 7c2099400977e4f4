//! A transaction whose statements are prepared once. That of `rusqlite` parses them each time.

use rusqlite::{Connection, Result};

/// An open transaction for writing. Dropping it takes back what was written.
pub(super) struct CachedTransaction<'a> {
    connection: &'a Connection,
    is_open: bool,
}

impl<'a> CachedTransaction<'a> {
    /// # Errors
    /// When another process is writing, or the database cannot be used.
    pub(super) fn begin(connection: &'a Connection) -> Result<Self> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self { connection, is_open: true })
    }

    /// # Errors
    /// When it cannot be written. Nothing has changed then.
    pub(super) fn commit(mut self) -> Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for CachedTransaction<'_> {
    fn drop(&mut self) {
        if self.is_open && !self.connection.is_autocommit() {
            // A database that cannot even do this does it when the connection is closed.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}
