//! The table of changes that were made by hand. The caller holds the transaction that makes the change.

use crate::ledger::audit::{AuditEntry, Author, Change};
use rusqlite::{Connection, Result, Row, params};

pub(super) fn add(connection: &Connection, author: &Author, change: Change<'_>) -> Result<()> {
    let AuditEntry { at, actor, action, subject, detail } = change.entry(author);
    let sql = "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.execute(sql, params![at, actor, action, subject, detail]).map(drop)
}

/// The changes from a moment on (milliseconds since 1970), the newest last.
pub(super) fn since(connection: &Connection, since: i64) -> Result<Vec<AuditEntry>> {
    let sql = "SELECT at, actor, action, subject, detail FROM audit WHERE at >= ?1 ORDER BY id";
    connection.prepare(sql)?.query_map([since], entry)?.collect()
}

fn entry(row: &Row<'_>) -> Result<AuditEntry> {
    Ok(AuditEntry {
        at: row.get("at")?,
        actor: row.get("actor")?,
        action: row.get("action")?,
        subject: row.get("subject")?,
        detail: row.get("detail")?,
    })
}
