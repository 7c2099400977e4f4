//! Whether a ledger file is sound, and whether the operator has declared it to be the right one.

use super::values::{state_number, unsigned};
use super::{audit, retention, schema};
use crate::ledger::audit::{Author, Change};
use crate::ledger::budget::BudgetTotals;
use crate::ledger::posting::CallState;
use crate::ledger::report::Examination;
use rusqlite::{Connection, Result, Row};

/// Looks for damage, and counts what is booked.
pub(super) fn examine(connection: &Connection) -> Result<Examination> {
    // One transaction: the sums and the calls as they are at the same moment.
    let transaction = connection.unchecked_transaction()?;
    let version = schema::version(&transaction)?;
    let mut problems: Vec<String> = transaction
        .prepare("PRAGMA integrity_check")?
        .query_map([], |row| row.get(0))?
        .filter(|line| line.as_ref().map_or(true, |line| line != "ok"))
        .collect::<Result<_>>()?;
    let sums = "SELECT COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)
                FROM booked WHERE key = 0 AND day >= ?1";
    let totals = transaction.query_row(sums, [0], totals)?;
    // Of days before that, calls may have been deleted.
    let kept_from = retention::kept_from(&transaction)?;
    let of_budgets = transaction.query_row(sums, [kept_from], self::totals)?;
    let (open, uncertain) = (state_number(CallState::Reserved), state_number(CallState::Uncertain));
    let booked = format!(
        "SELECT COALESCE(SUM(CASE WHEN state IN ({open}, {uncertain}) THEN 0 ELSE settled END), 0),
         COALESCE(SUM(CASE WHEN state = {open} THEN reserved END), 0),
         COALESCE(SUM(CASE WHEN state = {uncertain} THEN reserved END), 0) FROM calls WHERE day >= ?1"
    );
    if transaction.query_row(&booked, [kept_from], self::totals)? != of_budgets {
        problems.push("the sums are not those of the calls".to_owned());
    }
    let count = |condition: &str| -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM calls WHERE {condition}");
        transaction.query_row(&sql, [], |row| row.get(0)).map(unsigned)
    };
    Ok(Examination {
        version,
        problems,
        calls: count("true")?,
        open: count(&format!("state = {open}"))?,
        uncertain: count(&format!("state = {uncertain}"))?,
        totals,
    })
}

fn totals(row: &Row<'_>) -> Result<BudgetTotals> {
    Ok(BudgetTotals { settled: row.get(0)?, reserved: row.get(1)?, uncertain: row.get(2)? })
}

/// Records that the operator declares this ledger to be right.
pub(super) fn accept(connection: &Connection, author: &Author) -> Result<()> {
    connection.execute("INSERT INTO acceptances (at) VALUES (?1)", [author.at])?;
    audit::add(connection, author, Change::LedgerAccepted)
}

/// When the operator last did so (milliseconds since 1970).
pub(super) fn accepted_at(connection: &Connection) -> Result<Option<i64>> {
    connection.prepare_cached("SELECT MAX(at) FROM acceptances")?.query_row([], |row| row.get(0))
}
