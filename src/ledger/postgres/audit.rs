//! The table of changes that were made by hand. An entry is written in the transaction that makes the change.

use super::failure::Failure;
use super::values::Parameter;
use crate::ledger::audit::{AuditEntry, Author, Change};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

pub(super) async fn add(client: &Client, author: &Author, change: Change<'_>) -> Result<(), Failure> {
    let AuditEntry { at, actor, action, subject, detail } = change.entry(author);
    let sql = "INSERT INTO chatrix.audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)";
    let parameters: [Parameter<'_>; 5] =
        [(&at, Type::INT8), (&actor, Type::TEXT), (&action, Type::TEXT), (&subject, Type::TEXT), (&detail, Type::TEXT)];
    client.execute_typed(sql, &parameters).await?;
    Ok(())
}

/// The changes from a moment on (milliseconds since 1970), the newest last.
pub(super) async fn since(client: &Client, since: i64) -> Result<Vec<AuditEntry>, Failure> {
    let sql = "SELECT at, actor, action, subject, detail FROM chatrix.audit WHERE at >= $1 ORDER BY id";
    client.query_typed(sql, &[(&since, Type::INT8)]).await?.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<AuditEntry, Failure> {
    Ok(AuditEntry {
        at: row.try_get("at")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
    })
}
