//! The running sums: `totals` for reports, `booked` for budgets, and `group_totals` for both of groups, so that neither
//! ever scans the calls.

use super::values::{StoredKey, unsigned};
use crate::catalog::NanoDollars;
use crate::ledger::budget::{BudgetLimit, BudgetStatus, BudgetTotals, Holder, date};
use crate::ledger::ids::GroupId;
use crate::ledger::posting::{Account, Delta, Posting};
use crate::ledger::report::{By, ReportRow, Sums};
use rusqlite::{Connection, Result, Row, named_params, params};

/// Adds to the sums. Budgets have up to three rows to add to: that of all calls together, that of the API key, and that of
/// its group.
pub(super) fn post(connection: &Connection, posting: &Posting) -> Result<()> {
    let Posting { account: Account { day, command, key, group, model }, delta } = posting;
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
    group.map_or(Ok(()), |group| post_to_group(connection, group, *day, delta))
}

fn post_to_group(connection: &Connection, group: GroupId, day: i64, delta: &Delta) -> Result<()> {
    let Delta { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } = delta;
    connection
        .prepare_cached(
            "INSERT INTO group_totals (group_id, day, calls, unpriced, input, output, cache_read, cache_write, settled,
             reserved, uncertain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT DO UPDATE SET calls = calls + ?3, unpriced = unpriced + ?4, input = input + ?5,
             output = output + ?6, cache_read = cache_read + ?7, cache_write = cache_write + ?8,
             settled = settled + ?9, reserved = reserved + ?10, uncertain = uncertain + ?11",
        )?
        .execute(params![
            group,
            day,
            calls,
            unpriced,
            input,
            output,
            cache_read,
            cache_write,
            settled,
            reserved,
            uncertain
        ])
        .map(drop)
}

/// The number of a holder in the table of its sums.
fn number(holder: &Holder) -> i64 {
    match holder {
        Holder::All => 0,
        Holder::Key { id, name: _ } => id.0,
        Holder::Group { id, name: _ } => id.0,
    }
}

/// What is booked under each limit on a day (days since 1970).
pub(super) fn statuses(connection: &Connection, today: i64, limits: &[BudgetLimit]) -> Result<Vec<BudgetStatus>> {
    let statuses = limits.iter().map(|limit| {
        let sql = match limit.holder {
            Holder::All | Holder::Key { .. } => {
                "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)
                 FROM booked WHERE key = ?1 AND day >= ?2"
            }
            Holder::Group { .. } => {
                "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)
                 FROM group_totals WHERE group_id = ?1 AND day >= ?2"
            }
        };
        // All days from the period's first day on, even later ones: setting the clock back must not renew a budget.
        let day = limit.period.start(today);
        let totals = connection.prepare_cached(sql)?.query_row(params![number(&limit.holder), day], budget_totals)?;
        Ok(BudgetStatus { limit: limit.clone(), totals, resets: limit.period.next(today) })
    });
    statuses.collect()
}

/// What a holder has spent altogether.
pub(super) fn spent(connection: &Connection, holder: &Holder) -> Result<NanoDollars> {
    let sql = match holder {
        Holder::All | Holder::Key { .. } => "SELECT COALESCE(SUM(settled + uncertain), 0) FROM booked WHERE key = ?1",
        Holder::Group { .. } => "SELECT COALESCE(SUM(settled + uncertain), 0) FROM group_totals WHERE group_id = ?1",
    };
    connection.query_row(sql, [number(holder)], |row| row.get(0))
}

/// Calls by group: those of each group, and all others, which are all calls without those of groups.
const GROUPED: &str =
    "(SELECT group_id, day, calls, input, output, cache_read, cache_write, settled, reserved, uncertain, unpriced
     FROM group_totals
     UNION ALL SELECT 0, day, calls, input, output, cache_read, cache_write, settled, reserved, uncertain, unpriced
     FROM totals
     UNION ALL SELECT 0, day, -calls, -input, -output, -cache_read, -cache_write, -settled, -reserved, -uncertain,
     -unpriced FROM group_totals)";

/// Sums from a day on (days since 1970).
pub(super) fn report(connection: &Connection, by: By, since: i64) -> Result<Vec<ReportRow>> {
    let dearest = "SUM(settled) + SUM(uncertain) DESC";
    let (name, from, group, order) = match by {
        By::Day => ("day", "totals", "day", "day"),
        By::Model => ("model", "totals", "model", "SUM(settled) + SUM(uncertain) DESC, model"),
        By::Key => ("(SELECT name FROM keys WHERE keys.id = totals.key)", "totals", "key", dearest),
        By::Group => ("(SELECT name FROM groups WHERE groups.id = group_id)", GROUPED, "group_id", dearest),
        By::Command => ("command", "totals", "command", "command"),
    };
    let mut statement = connection.prepare(&format!(
        "SELECT {name} AS name, SUM(calls) AS calls, SUM(input) AS input, SUM(output) AS output,
         SUM(cache_read) AS cache_read, SUM(cache_write) AS cache_write, SUM(settled) AS settled,
         SUM(reserved) AS reserved, SUM(uncertain) AS uncertain, SUM(unpriced) AS unpriced
         FROM {from} WHERE day >= :since GROUP BY {group} HAVING SUM(calls) > 0 ORDER BY {order}"
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
