//! The running sums: `totals` for reports and `booked` for budgets, so that neither ever scans the calls.

use super::values::{StoredKey, unsigned};
use crate::catalog::NanoDollars;
use crate::ledger::budget::{BudgetLimit, BudgetStatus, BudgetTotals, date};
use crate::ledger::ids::KeyId;
use crate::ledger::posting::{Account, Delta, Posting};
use crate::ledger::report::{By, ReportRow, Sums};
use rusqlite::{Connection, Result, Row, named_params, params};

/// Adds to the sums. Budgets have two rows to add to: that of all calls together, and that of the API key.
pub(super) fn post(connection: &Connection, posting: &Posting) -> Result<()> {
    let Posting { account: Account { day, command, key, model }, delta } = posting;
    let Delta { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } = delta;
    connection
        .prepare_cached(
            "INSERT INTO totals (day, command, key, model, calls, input, output, cache_read, cache_write, settled,
             reserved, uncertain, unpriced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
             ON CONFLICT DO UPDATE SET calls = calls + ?5, input = input + ?6, output = output + ?7,
             cache_read = cache_read + ?8, cache_write = cache_write + ?9,
             settled = settled + ?10, reserved = reserved + ?11, uncertain = uncertain + ?12,
             unpriced = unpriced + ?13",
        )?
        .execute(params![
            day,
            command,
            StoredKey(*key),
            model,
            calls,
            input,
            output,
            cache_read,
            cache_write,
            settled,
            reserved,
            uncertain,
            unpriced,
        ])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO booked (key, day, settled, reserved, uncertain) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET settled = settled + ?3, reserved = reserved + ?4, uncertain = uncertain + ?5",
    )?;
    for key in [None].into_iter().chain(key.map(Some)) {
        statement.execute(params![StoredKey(key), day, settled, reserved, uncertain])?;
    }
    Ok(())
}

/// What is booked under each limit on a day (days since 1970).
pub(super) fn statuses(connection: &Connection, today: i64, limits: &[BudgetLimit]) -> Result<Vec<BudgetStatus>> {
    let mut statement = connection.prepare_cached(
        "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)
         FROM booked WHERE key = ?1 AND day >= ?2",
    )?;
    let statuses = limits.iter().map(|limit| {
        let key = StoredKey(limit.key.as_ref().map(|key| key.id));
        // All days from the period's first day on, even later ones: setting the clock back must not renew a budget.
        let day = limit.period.start(today);
        let totals = statement.query_row(params![key, day], budget_totals)?;
        Ok(BudgetStatus { limit: limit.clone(), totals, resets: limit.period.next(today) })
    });
    statuses.collect()
}

/// What a key has spent altogether.
pub(super) fn spent_with_key(connection: &Connection, key: KeyId) -> Result<NanoDollars> {
    let sql = "SELECT COALESCE(SUM(settled + uncertain), 0) FROM booked WHERE key = ?1";
    connection.query_row(sql, [key], |row| row.get(0))
}

/// Sums from a day on (days since 1970).
pub(super) fn report(connection: &Connection, by: By, since: i64) -> Result<Vec<ReportRow>> {
    let (name, group, order) = match by {
        By::Day => ("day", "day", "day"),
        By::Model => ("model", "model", "SUM(settled) + SUM(uncertain) DESC, model"),
        By::Key => ("(SELECT name FROM keys WHERE keys.id = totals.key)", "key", "SUM(settled) + SUM(uncertain) DESC"),
        By::Command => ("command", "command", "command"),
    };
    let mut statement = connection.prepare(&format!(
        "SELECT {name} AS name, SUM(calls) AS calls, SUM(input) AS input, SUM(output) AS output,
         SUM(cache_read) AS cache_read, SUM(cache_write) AS cache_write, SUM(settled) AS settled,
         SUM(reserved) AS reserved, SUM(uncertain) AS uncertain, SUM(unpriced) AS unpriced
         FROM totals WHERE day >= :since GROUP BY {group} HAVING SUM(calls) > 0 ORDER BY {order}"
    ))?;
    let rows = statement.query_map(named_params! { ":since": since }, |row| {
        let name = if by == By::Day { Some(date(row.get("name")?).to_string()) } else { row.get("name")? };
        Ok(ReportRow { name, sums: sums(row)? })
    })?;
    rows.collect()
}

/// Reads the columns that [`statuses`] selects.
fn budget_totals(row: &Row<'_>) -> Result<BudgetTotals> {
    Ok(BudgetTotals { settled: row.get(0)?, reserved: row.get(1)?, uncertain: row.get(2)? })
}

fn sums(row: &Row<'_>) -> Result<Sums> {
    let count = |column| row.get(column).map(unsigned);
    Ok(Sums {
        calls: count("calls")?,
        unpriced: count("unpriced")?,
        input: count("input")?,
        output: count("output")?,
        cache_read: count("cache_read")?,
        cache_write: count("cache_write")?,
        settled: row.get("settled")?,
        reserved: row.get("reserved")?,
        uncertain: row.get("uncertain")?,
    })
}
