//! What the ledger tells. Read from the running sums, never from the calls: ten million of those take no longer.

use super::SqliteStore;
use super::transaction::{dollars, state};
use crate::catalog::NanoDollars;
use crate::ledger::budget::date;
use rusqlite::{Result, params};

/// What a report has a row for each of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Day, in UTC.
    Day,
    /// Bedrock id.
    Model,
    /// API key.
    Key,
    /// Command.
    Command,
}

impl By {
    /// The word, which is also the member of a row that names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Key => "key",
            Self::Command => "command",
        }
    }
}

/// Sums of some calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Every call that was let out, settled or not.
    pub calls: u64,
    /// Input tokens, without cached ones.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the prompt cache.
    pub cache_write: u64,
    /// What calls cost.
    pub settled: NanoDollars,
    /// What running calls cost at most.
    pub reserved: NanoDollars,
    /// What calls whose usage never came cost at most.
    pub uncertain: NanoDollars,
}

/// A row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// A day, model, key or command; empty for calls without a key.
    pub name: String,
    /// Its sums.
    pub sums: Sums,
}

/// A call whose usage never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncertain {
    /// Its number.
    pub id: i64,
    /// When it began (milliseconds since 1970).
    pub at: i64,
    /// The command it came from.
    pub command: String,
    /// The name of its API key; empty for none.
    pub key: String,
    /// The Bedrock id it was sent to.
    pub model: String,
    /// Its worst case.
    pub reserved: NanoDollars,
    /// Bedrock's request id, when it was told.
    pub request_id: Option<String>,
}

const SUMS: &str = "COALESCE(SUM(calls), 0), COALESCE(SUM(input), 0), COALESCE(SUM(output), 0),
    COALESCE(SUM(cache_read), 0), COALESCE(SUM(cache_write), 0),
    COALESCE(SUM(settled), 0), COALESCE(SUM(reserved), 0), COALESCE(SUM(uncertain), 0)";

fn sums(row: &rusqlite::Row<'_>, first: usize) -> Result<Sums> {
    let count =
        |column: usize| Ok::<_, rusqlite::Error>(u64::try_from(row.get::<_, i64>(first + column)?).unwrap_or(0));
    Ok(Sums {
        calls: count(0)?,
        input: count(1)?,
        output: count(2)?,
        cache_read: count(3)?,
        cache_write: count(4)?,
        settled: NanoDollars(count(5)?),
        reserved: NanoDollars(count(6)?),
        uncertain: NanoDollars(count(7)?),
    })
}

impl SqliteStore {
    /// Sums by something, from a day on (days since 1970).
    ///
    /// # Errors
    /// SQLite's.
    pub fn report(&self, by: By, since: i64) -> Result<Vec<Row>> {
        let (column, order) = match by {
            By::Day => ("day", "day"),
            By::Model => ("model", "SUM(settled) + SUM(uncertain) DESC, model"),
            By::Key => (
                "COALESCE((SELECT name FROM keys WHERE keys.id = totals.key), '')",
                "SUM(settled) + SUM(uncertain) DESC",
            ),
            By::Command => ("command", "command"),
        };
        let group = if by == By::Key { "key" } else { column };
        let sql = format!("SELECT {column}, {SUMS} FROM totals WHERE day >= ?1 GROUP BY {group} ORDER BY {order}");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([since], |row| {
            let name = if by == By::Day { date(row.get(0)?).to_string() } else { row.get(0)? };
            Ok(Row { name, sums: sums(row, 1)? })
        })?;
        rows.collect()
    }

    /// The calls whose usage never came, oldest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn uncertain(&self) -> Result<Vec<Uncertain>> {
        let mut statement = self.connection.prepare(
            "SELECT id, at, command, COALESCE((SELECT name FROM keys WHERE keys.id = calls.key), ''), model, reserved,
             request_id FROM calls WHERE state = 3 ORDER BY id",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Uncertain {
                id: row.get(0)?,
                at: row.get(1)?,
                command: row.get(2)?,
                key: row.get(3)?,
                model: row.get(4)?,
                reserved: dollars(row.get(5)?),
                request_id: row.get(6)?,
            })
        })?;
        rows.collect()
    }

    /// The word for the state a call is in; `None`: there is no such call.
    ///
    /// # Errors
    /// SQLite's.
    pub fn state_of(&self, id: i64) -> Result<Option<&'static str>> {
        let mut statement = self.connection.prepare("SELECT state FROM calls WHERE id = ?1")?;
        let mut rows = statement.query(params![id])?;
        Ok(match rows.next()? {
            None => None,
            Some(row) => Some(match row.get(0)? {
                state::RESERVED => "reserved",
                state::SETTLED => "settled",
                state::ESTIMATED => "estimated",
                state::UNCERTAIN => "uncertain",
                _ => "released",
            }),
        })
    }
}
