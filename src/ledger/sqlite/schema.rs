//! The tables, version by version. A ledger of an older version is brought up to date when it is opened;
//! one of a newer version is left alone.

use rusqlite::{Connection, TransactionBehavior};

/// "Chtx": told from any other SQLite file.
const APPLICATION: i64 = 0x4368_7478;

/// Each step brings the ledger from one version to the next. Steps are added, never changed.
const STEPS: [&str; 1] = ["
-- Amounts: nano-dollars. Times: milliseconds since 1970. day: days since 1970, UTC.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    day INTEGER NOT NULL,
    command TEXT NOT NULL,
    key INTEGER NOT NULL,           -- keys.id; 0: none
    asked TEXT NOT NULL,
    model TEXT NOT NULL,            -- the Bedrock id that is asked, then the one that answered
    input INTEGER,                  -- tokens, without cached ones
    output INTEGER,
    cache_read INTEGER,
    cache_write_5m INTEGER,
    cache_write_1h INTEGER,
    reserved INTEGER NOT NULL,
    settled INTEGER,
    state INTEGER NOT NULL,         -- 0 reserved, 1 settled, 2 estimated, 3 uncertain, 4 released
    request_id TEXT,
    milliseconds INTEGER,
    edits TEXT NOT NULL,
    process TEXT NOT NULL
) STRICT;
CREATE INDEX calls_open ON calls (process) WHERE state = 0;
CREATE INDEX calls_uncertain ON calls (id) WHERE state = 3;
-- Sums for reports.
CREATE TABLE totals (
    day INTEGER NOT NULL,
    command TEXT NOT NULL,
    key INTEGER NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    PRIMARY KEY (day, command, key, model)
) STRICT, WITHOUT ROWID;
-- Sums for budgets. key 0: everything together.
CREATE TABLE booked (
    key INTEGER NOT NULL,
    day INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    PRIMARY KEY (key, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,      -- SHA-256 of the token, in hex
    made INTEGER NOT NULL,
    revoked INTEGER,
    request INTEGER,
    day INTEGER,
    month INTEGER,
    models TEXT NOT NULL            -- names, a line each; empty: all
) STRICT;
CREATE UNIQUE INDEX keys_name ON keys (name) WHERE revoked IS NULL;
"];

/// Brings a ledger up to date.
///
/// # Errors
/// In words: another kind of file, a newer version, or SQLite's own trouble.
pub fn migrate(connection: &mut Connection) -> Result<(), String> {
    let number = |connection: &Connection, name: &str| {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(|error| error.to_string())
    };
    let newest = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if number(connection, "user_version")? == newest && number(connection, "application_id")? == APPLICATION {
        return Ok(());
    }
    let work = |connection: &mut Connection| -> rusqlite::Result<Result<(), String>> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let number = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        // Read again: another process may have done it meanwhile.
        let (version, application) = (number("user_version")?, number("application_id")?);
        let empty: bool =
            transaction.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
        if application != APPLICATION && !empty {
            return Ok(Err("it is a database of another program".to_owned()));
        }
        if version > newest {
            return Ok(Err(format!("it was written by a newer chatrix (version {version}; this one knows {newest})")));
        }
        for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", newest)?;
        transaction.commit()?;
        Ok(Ok(()))
    };
    work(connection).map_err(|error| error.to_string())?
}
