//! Old calls, which are deleted where the operator wants that. Their sums are kept.

use super::values::state_number;
use crate::ledger::posting::CallState;
use crate::ledger::retention::{MOST, OldCalls};
use rusqlite::{Connection, Result, params};

/// The oldest calls behind a number that began before a day.
pub(super) fn oldest(connection: &Connection, after: i64, before: i64) -> Result<OldCalls> {
    let sql = "SELECT MIN(id) FILTER (WHERE day >= ?2), MAX(id), COUNT(*), (SELECT MAX(id) FROM calls)
               FROM (SELECT id, day FROM calls WHERE id > ?1 ORDER BY id LIMIT ?3)";
    connection.prepare_cached(sql)?.query_row(params![after, before, MOST], |row| {
        Ok(OldCalls { first_kept: row.get(0)?, last: row.get(1)?, count: row.get(2)?, last_of_all: row.get(3)? })
    })
}

/// Deletes the calls behind a number up to another one, but for those that are running or whose usage never arrived.
/// `before`: the day from which on calls are kept.
pub(super) fn delete(connection: &Connection, after: i64, until: i64, before: i64) -> Result<()> {
    let (open, uncertain) = (state_number(CallState::Reserved), state_number(CallState::Uncertain));
    // In this order, so that no other process can miss a call and not see why.
    connection.execute("UPDATE retention SET kept_from = MAX(kept_from, ?1)", [before])?;
    let sql = format!("DELETE FROM calls WHERE id > ?1 AND id <= ?2 AND state NOT IN ({open}, {uncertain})");
    connection.prepare_cached(&sql)?.execute([after, until]).map(drop)
}

/// Calls of earlier days may have been deleted (days since 1970).
pub(super) fn kept_from(connection: &Connection) -> Result<i64> {
    connection.prepare_cached("SELECT MAX(kept_from) FROM retention")?.query_row([], |row| row.get(0))
}
