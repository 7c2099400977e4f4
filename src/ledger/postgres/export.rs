//! Every row of a ledger.

use super::failure::Failure;
use crate::ledger::rows::{Row, TABLES, Table, Value};
use futures_util::TryStreamExt;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// Hands out all rows. The transaction that it is in says as of which moment.
pub(super) async fn export(client: &Client, mut take: impl FnMut(Row) -> Result<(), Failure>) -> Result<(), Failure> {
    for table in &TABLES {
        let Table { name, columns } = table;
        let sql = format!("SELECT {columns} FROM chatrix.{name}");
        let rows = client.query_typed_raw(&sql, std::iter::empty::<(i64, Type)>()).await?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await? {
            take(Row { table, values: values(&row)? })?;
        }
    }
    Ok(())
}

fn values(row: &tokio_postgres::Row) -> Result<Vec<Value>, Failure> {
    let values = row.columns().iter().enumerate().map(|(n, column)| {
        let number = match *column.type_() {
            Type::INT2 => row.try_get::<_, Option<i16>>(n)?.map(i64::from),
            Type::BOOL => row.try_get::<_, Option<bool>>(n)?.map(i64::from),
            Type::TEXT => return Ok(row.try_get::<_, Option<String>>(n)?.map_or(Value::Null, Value::Text)),
            _ => row.try_get::<_, Option<i64>>(n)?,
        };
        Ok(number.map_or(Value::Null, Value::Number))
    });
    values.collect()
}
