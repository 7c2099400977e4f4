//! The table of alerts: which thresholds of budgets were reached, and whether that was told. The caller holds the
//! transaction.

use super::values::StoredHolder;
use super::{groups, keys, sums};
use crate::ledger::alert::{BudgetAlert, reached};
use crate::ledger::budget::{BudgetLimit, BudgetStatus};
use crate::ledger::group::Group;
use crate::ledger::key::Key;
use crate::ledger::key_settings::WatchedBudgets;
use crate::ledger::stored::{AlertState, period_number};
use rusqlite::{Connection, OptionalExtension, Result, params};

/// Notes that a budget has reached a threshold (percent), if that is not noted yet. `today`: days since 1970.
pub(super) fn note(connection: &Connection, today: i64, limit: &BudgetLimit, threshold: u8) -> Result<()> {
    let BudgetLimit { holder, period, amount } = limit;
    let key = StoredHolder::of(holder);
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO alerts (key, period, start, amount, threshold, id, claimed, state)
             VALUES (?1, ?2, ?3, ?4, ?5, 'alert_' || lower(hex(randomblob(12))), 0, ?6)",
        )?
        .execute(params![
            key,
            period_number(*period),
            period.start(today),
            amount,
            threshold,
            AlertState::Due as i64,
        ])?;
    Ok(())
}

/// The budgets that the operator, the keys and the groups have, as they stand now.
pub(super) fn statuses(connection: &Connection, today: i64, watched: &WatchedBudgets) -> Result<Vec<BudgetStatus>> {
    let WatchedBudgets { common, keys: settings } = watched;
    let usable = keys::all(connection)?.into_iter().filter(|key| key.revoked.is_none());
    let keys: Vec<Key> = usable.map(|key| settings.apply(key)).collect();
    let groups: Vec<Group> = groups::all(connection)?.into_iter().filter(|group| group.removed.is_none()).collect();
    let mut limits = common.clone();
    limits.extend(keys.iter().flat_map(Key::own_limits));
    limits.extend(groups.iter().flat_map(Group::pool_limits));
    sums::statuses(connection, today, &limits)
}

/// Whether a threshold was reached that is not noted yet, or an alert is due.
pub(super) fn is_any_due(connection: &Connection, now: i64, today: i64, statuses: &[BudgetStatus]) -> Result<bool> {
    for status in statuses {
        if !due(connection, now, today, status)?.is_empty() {
            return Ok(true);
        }
        for threshold in reached(status) {
            if !is_noted(connection, today, &status.limit, threshold)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Notes the thresholds that were reached, and claims up to `most` of the alerts that are due, until a time
/// (milliseconds since 1970). Whoever has claimed an alert tells it, and nobody else meanwhile.
pub(super) fn claim(
    connection: &Connection,
    now: i64,
    today: i64,
    until: i64,
    statuses: &[BudgetStatus],
    most: usize,
) -> Result<Vec<BudgetAlert>> {
    let mut claimed = Vec::new();
    for status in statuses {
        reached(status).try_for_each(|threshold| note(connection, today, &status.limit, threshold))?;
        for (id, threshold) in due(connection, now, today, status)? {
            if claimed.len() == most {
                return Ok(claimed);
            }
            connection.execute("UPDATE alerts SET claimed = ?2 WHERE id = ?1", params![id, until])?;
            claimed.push(BudgetAlert { id, threshold, status: status.clone() });
        }
    }
    Ok(claimed)
}

/// Notes what became of an alert.
pub(super) fn finish(connection: &Connection, id: &str, delivered: bool) -> Result<()> {
    let state = if delivered { AlertState::Delivered } else { AlertState::GivenUp };
    connection.execute("UPDATE alerts SET state = ?2 WHERE id = ?1", params![id, state as i64]).map(drop)
}

/// Whether it is noted that a budget has reached a threshold (percent) in its present period.
pub(super) fn is_noted(connection: &Connection, today: i64, limit: &BudgetLimit, threshold: u8) -> Result<bool> {
    let BudgetLimit { holder, period, amount } = limit;
    let key = StoredHolder::of(holder);
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM alerts WHERE key = ?1 AND period = ?2 AND start = ?3 AND amount = ?4 AND threshold = ?5",
    )?;
    let row = params![key, period_number(*period), period.start(today), amount, threshold];
    Ok(statement.query_row(row, |_| Ok(())).optional()?.is_some())
}

/// The alerts of a budget's present period that nobody has told, or is telling: id and threshold.
fn due(connection: &Connection, now: i64, today: i64, status: &BudgetStatus) -> Result<Vec<(String, u8)>> {
    let BudgetLimit { holder, period, amount } = &status.limit;
    let key = StoredHolder::of(holder);
    let mut statement = connection.prepare_cached(
        "SELECT id, threshold FROM alerts WHERE key = ?1 AND period = ?2 AND start = ?3 AND amount = ?4
         AND state = ?5 AND claimed <= ?6 ORDER BY threshold",
    )?;
    let row = params![key, period_number(*period), period.start(today), amount, AlertState::Due as i64, now];
    statement.query_map(row, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
