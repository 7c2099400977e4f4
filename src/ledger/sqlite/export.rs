//! Every row of a ledger, as PostgreSQL keeps it.

use crate::ledger::rows::{Row, TABLES, Table, Value, storable};
use crate::ledger::store::StoreResult;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

/// Hands out all rows, as they are at the same moment. The inner error is that of whoever takes them.
pub(super) fn export(connection: &Connection, take: &mut dyn FnMut(Row) -> StoreResult<()>) -> Result<StoreResult<()>> {
    let transaction = connection.unchecked_transaction()?;
    for table in &TABLES {
        let mut statement = transaction.prepare(&select(table))?;
        let width = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = (0..width).map(|n| Ok(value(row.get_ref(n)?))).collect::<Result<_>>()?;
            if let Err(error) = take(Row { table, values }) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(()))
}

fn value(stored: ValueRef<'_>) -> Value {
    match stored {
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Value::Text(storable(&String::from_utf8_lossy(text)).into_owned())
        }
        // The tables are strict, and hold no other numbers.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

/// What gives the rows of a table, with its columns in their order.
fn select(table: &Table) -> String {
    let Table { name, columns } = *table;
    match name {
        "holders" => "SELECT 0, 0 UNION ALL SELECT 1, id FROM keys UNION ALL SELECT 2, id FROM groups".to_owned(),
        // The budgets of groups are in the sums of groups.
        "booked" => "SELECT iif(key = 0, 0, 1), key, day, settled, reserved, uncertain FROM booked
                     UNION ALL SELECT 2, group_id, day, settled, reserved, uncertain FROM group_totals"
            .to_owned(),
        "alerts" => "SELECT CASE WHEN key = 0 THEN 0 WHEN key > 0 THEN 1 ELSE 2 END, abs(key), period, start, amount,
                     threshold, id, claimed, state FROM alerts"
            .to_owned(),
        "keys" => format!("SELECT {} FROM keys", columns.replace("group_id", "COALESCE(group_id, 0)")),
        // Receipts are for ends of calls that wait beside a database.
        "calls" => format!(
            "SELECT {} FROM calls ORDER BY id",
            columns.replace("group_id", "COALESCE(group_id, 0)").replace("receipt", "NULL")
        ),
        _ => format!("SELECT {columns} FROM {name}"),
    }
}
