//! What the keys with limits on requests, tokens and running calls have used. Only calls of such keys are in the indexes
//! that are read here, so that all others cost nothing more.

use crate::ledger::ids::KeyId;
use crate::ledger::posting::CallState;
use crate::ledger::rate::{RateDecision, RateRequest, RateUse, RecentCall, WINDOW};
use crate::ledger::sqlite::values::{state_number, unsigned};
use rusqlite::{Connection, Result, params};

/// The calls of a key in the window: those that began in the last 60 seconds, and those whose beginning lies in the
/// future, because setting the clock back must not open a limit again.
const RECENT: &str = "FROM calls WHERE key = ?1 AND at > ?2 AND rate_tokens IS NOT NULL";

/// Decides whether a key's limits let a call begin. `now`: milliseconds since 1970. `is_running`: whether the process that
/// booked calls under a name is running.
pub(super) fn decide(
    connection: &Connection,
    now: i64,
    key: KeyId,
    request: RateRequest,
    may_wait: bool,
    is_running: &dyn Fn(&str) -> bool,
) -> Result<RateDecision> {
    let since = now.saturating_sub(WINDOW);
    let mut used = RateUse::default();
    if request.limits.requests.is_some() || request.limits.tokens.is_some() {
        let sql = format!("SELECT COUNT(*), COALESCE(SUM(rate_tokens), 0) {RECENT}");
        let counts = connection
            .prepare_cached(&sql)?
            .query_row(params![key, since], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        (used.requests, used.tokens) = (unsigned(counts.0), unsigned(counts.1));
    }
    if let Some(limit) = request.limits.running {
        used.running = running(connection, key, u64::from(limit.get()), is_running)?;
    }
    request.decide(used, now, may_wait, || recent(connection, key, since))
}

/// The open reservations of a key. Those of ended processes are left out, which is looked at only when the limit is
/// reached with them.
fn running(connection: &Connection, key: KeyId, limit: u64, is_running: &dyn Fn(&str) -> bool) -> Result<u64> {
    // The state is part of the SQL text, so that SQLite can use the index of running calls.
    let open = state_number(CallState::Reserved);
    let sql = format!(
        "SELECT process, COUNT(*) FROM calls WHERE key = ?1 AND state = {open} AND rate_tokens IS NOT NULL GROUP BY process"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([key], |row| Ok((row.get::<_, String>(0)?, unsigned(row.get(1)?))))?;
    let counts: Vec<(String, u64)> = rows.collect::<Result<_>>()?;
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    if all < limit {
        return Ok(all);
    }
    Ok(counts.iter().filter(|(process, _)| is_running(process)).map(|(_, count)| count).sum())
}

/// The calls of a key in the window, oldest first.
fn recent(connection: &Connection, key: KeyId, since: i64) -> Result<Vec<RecentCall>> {
    let mut statement = connection.prepare_cached(&format!("SELECT at, rate_tokens {RECENT} ORDER BY at"))?;
    let calls = statement
        .query_map(params![key, since], |row| Ok(RecentCall { at: row.get(0)?, tokens: unsigned(row.get(1)?) }))?;
    calls.collect()
}
