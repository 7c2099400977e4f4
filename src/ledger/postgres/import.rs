//! Takes the rows of another ledger over, in one transaction, and compares what arrived before it is committed.

use super::failure::Failure;
use super::transaction::roll_back;
use super::{audit, export};
use crate::catalog::NanoDollars;
use crate::ledger::audit::{Author, Change};
use crate::ledger::posting::CallState;
use crate::ledger::rows::{Fingerprint, Piece, Row, TABLES, Table, Value};
use crate::ledger::store::StoreResult;
use crate::ledger::stored::{state_number, unsigned};
use bytes::Bytes;
use futures_util::SinkExt;
use std::pin::Pin;
use tokio_postgres::{Client, CopyInSink};

/// How many bytes are gathered before they are sent.
const ENOUGH: usize = 64 << 10;

/// The tables that hold a row from the start, which the copy brings along.
const PREPARED: [&str; 2] = ["holders", "retention"];

/// No process has the tables meanwhile. The limits of other transactions do not hold: all rows may take an hour.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '4s'; SET LOCAL statement_timeout = 0; \
     SET LOCAL idle_in_transaction_session_timeout = 0; \
     LOCK TABLE chatrix.calls, chatrix.keys, chatrix.groups, chatrix.holders IN ACCESS EXCLUSIVE MODE; \
     DELETE FROM chatrix.holders; DELETE FROM chatrix.retention";

/// The next numbers are those behind the ones that came.
const SEQUENCES: &str = "
    SELECT setval('chatrix.call_ids', MAX(id)) FROM chatrix.calls HAVING MAX(id) IS NOT NULL;
    SELECT setval(pg_get_serial_sequence('chatrix.keys', 'id'), MAX(id)) FROM chatrix.keys HAVING MAX(id) IS NOT NULL;
    SELECT setval(pg_get_serial_sequence('chatrix.groups', 'id'), MAX(id)) FROM chatrix.groups
        HAVING MAX(id) IS NOT NULL;
    SELECT setval(pg_get_serial_sequence('chatrix.audit', 'id'), MAX(id)) FROM chatrix.audit
        HAVING MAX(id) IS NOT NULL";

/// Takes all rows over.
///
/// # Errors
/// When there is something in the tables already, when a row cannot be written, or when something else arrived than left.
/// Nothing is changed then.
pub(super) async fn import(
    client: &Client,
    author: &Author,
    pieces: &mut dyn Iterator<Item = StoreResult<Piece>>,
) -> Result<Fingerprint, Failure> {
    match import_in_transaction(client, author, pieces).await {
        Ok(imported) => {
            client.batch_execute("COMMIT").await?;
            Ok(imported)
        }
        Err(failure) => {
            roll_back(client).await;
            Err(failure)
        }
    }
}

async fn import_in_transaction(
    client: &Client,
    author: &Author,
    pieces: &mut dyn Iterator<Item = StoreResult<Piece>>,
) -> Result<Fingerprint, Failure> {
    client.batch_execute(BEGIN).await?;
    check_emptiness(client).await?;
    let left = write_all(client, pieces).await?;
    let mut arrived = Fingerprint::default();
    export::export(client, |row| {
        arrived.add(&row);
        Ok(())
    })
    .await?;
    if let Some((table, left, arrived)) = left.difference(&arrived) {
        let difference =
            format!("of {left} rows of {table} that left, {arrived} arrived, or others; nothing is copied");
        return Err(Failure::Refused(difference));
    }
    check_ends(client).await?;
    client.batch_execute(SEQUENCES).await?;
    let [settled, ..] = arrived.booked();
    let spent = NanoDollars(unsigned(settled));
    audit::add(client, author, Change::LedgerCopied { calls: arrived.rows("calls"), spent }).await?;
    Ok(arrived)
}

async fn check_emptiness(client: &Client) -> Result<(), Failure> {
    for Table { name, .. } in TABLES.iter().filter(|table| !PREPARED.contains(&table.name)) {
        if client.query_typed_opt(&format!("SELECT 1 FROM chatrix.{name} LIMIT 1"), &[]).await?.is_some() {
            let found = format!("there are {name} in it already, and a ledger is copied into an empty one only");
            return Err(Failure::Refused(found));
        }
    }
    Ok(())
}

/// A call that still runs is booked where it began, and nobody would ever end it here.
async fn check_ends(client: &Client) -> Result<(), Failure> {
    let open = state_number(CallState::Reserved);
    let sql = format!("SELECT COUNT(*) FROM chatrix.calls WHERE state = {open}");
    match client.query_typed_one(&sql, &[]).await?.try_get(0)? {
        0_i64 => Ok(()),
        running => Err(Failure::Refused(format!(
            "{running} calls that are booked in the other ledger are running; stop the servers that use it, and try again"
        ))),
    }
}

/// Writes all rows, and tells what they were.
async fn write_all(
    client: &Client,
    pieces: &mut dyn Iterator<Item = StoreResult<Piece>>,
) -> Result<Fingerprint, Failure> {
    let mut left = Fingerprint::default();
    let mut writing: Option<Writing> = None;
    for piece in pieces {
        let row = match piece.map_err(|error| Failure::Refused(error.to_string()))? {
            Piece::Row(row) => row,
            Piece::End => {
                if let Some(done) = writing {
                    done.finish().await?;
                }
                return Ok(left);
            }
        };
        left.add(&row);
        let mut of_table = match writing.take() {
            Some(same) if same.table == row.table => same,
            other => {
                if let Some(done) = other {
                    done.finish().await?;
                }
                Writing::begin(client, row.table).await?
            }
        };
        of_table.add(&row).await?;
        writing = Some(of_table);
    }
    Err(Failure::Refused("the rows ended too early".to_owned()))
}

/// A table that rows are written to, in PostgreSQL's text format:
/// <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>
struct Writing {
    table: &'static Table,
    sink: Pin<Box<CopyInSink<Bytes>>>,
    text: String,
}

impl Writing {
    async fn begin(client: &Client, table: &'static Table) -> Result<Self, Failure> {
        let sql = format!("COPY chatrix.{} ({}) FROM STDIN", table.name, table.columns);
        Ok(Self { table, sink: Box::pin(client.copy_in(&sql).await?), text: String::new() })
    }

    async fn add(&mut self, row: &Row) -> Result<(), Failure> {
        push_line(&mut self.text, &row.values);
        if self.text.len() >= ENOUGH { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let text = std::mem::take(&mut self.text);
        Ok(self.sink.send(text.into()).await?)
    }

    async fn finish(mut self) -> Result<(), Failure> {
        self.send().await?;
        self.sink.as_mut().finish().await?;
        Ok(())
    }
}

fn push_line(line: &mut String, values: &[Value]) {
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            line.push('\t');
        }
        match value {
            Value::Null => line.push_str("\\N"),
            Value::Number(number) => line.push_str(&number.to_string()),
            Value::Text(text) => push_escaped(line, text),
        }
    }
    line.push('\n');
}

fn push_escaped(line: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            other => line.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_where_the_format_needs_it() {
        let values = ["a\tb\\N", "", "line\r\nnext", "ü"].map(|text| Value::Text(text.to_owned()));
        let mut line = String::new();
        push_line(&mut line, &values);
        push_line(&mut line, &[Value::Null, Value::Number(-1)]);
        assert_eq!(line, "a\\tb\\\\N\t\tline\\r\\nnext\tü\n\\N\t-1\n");
    }
}
