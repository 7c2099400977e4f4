//! Old calls, which are deleted where the operator wants that. Their sums are kept.

use super::failure::Failure;
use crate::ledger::posting::CallState;
use crate::ledger::retention::{MOST, OldCalls};
use crate::ledger::stored::state_number;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// The oldest calls behind a number that began before a day.
pub(super) async fn oldest(client: &Client, after: i64, before: i64) -> Result<OldCalls, Failure> {
    let sql = "SELECT MIN(id) FILTER (WHERE day >= $2), MAX(id), COUNT(*), (SELECT MAX(id) FROM chatrix.calls)
               FROM (SELECT id, day FROM chatrix.calls WHERE id > $1 ORDER BY id LIMIT $3) AS oldest";
    let parameters = [(&after as _, Type::INT8), (&before as _, Type::INT8), (&MOST as _, Type::INT8)];
    let row = client.query_typed_one(sql, &parameters).await?;
    Ok(OldCalls {
        first_kept: row.try_get(0)?,
        last: row.try_get(1)?,
        count: row.try_get(2)?,
        last_of_all: row.try_get(3)?,
    })
}

/// Deletes the calls behind a number up to another one, but for those that are running or whose usage never arrived, and
/// those that another process is just deleting. `before`: the day from which on calls are kept.
pub(super) async fn delete(client: &Client, after: i64, until: i64, before: i64) -> Result<(), Failure> {
    let (open, uncertain) = (state_number(CallState::Reserved), state_number(CallState::Uncertain));
    // Mostly another process has written it on the same day.
    let sql = "UPDATE chatrix.retention SET kept_from = $1 WHERE kept_from < $1";
    client.execute_typed(sql, &[(&before, Type::INT8)]).await?;
    let sql = format!(
        "DELETE FROM chatrix.calls WHERE id IN (SELECT id FROM chatrix.calls WHERE id > $1 AND id <= $2
         AND state NOT IN ({open}, {uncertain}) ORDER BY id FOR UPDATE SKIP LOCKED)"
    );
    client.execute_typed(&sql, &[(&after, Type::INT8), (&until, Type::INT8)]).await?;
    Ok(())
}

/// Calls of earlier days may have been deleted (days since 1970).
pub(super) async fn kept_from(client: &Client) -> Result<i64, Failure> {
    Ok(client.query_typed_one("SELECT MAX(kept_from) FROM chatrix.retention", &[]).await?.try_get(0)?)
}
