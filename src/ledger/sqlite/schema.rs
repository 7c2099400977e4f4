//! The tables, version by version. A ledger of an older version is brought up to date when it is opened;
//! one of a newer version is left alone.

use rusqlite::{Connection, TransactionBehavior};

/// "Chtx", which distinguishes a ledger from any other SQLite file.
pub(super) const APPLICATION: i64 = 0x4368_7478;

/// Each step brings the ledger from one version to the next. Steps are added, never changed. A step leaves what an
/// older process reads and writes as it is, so that a running server goes on while a newer command opens its ledger.
const STEPS: [&str; 9] = [
    "
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
",
    "
-- Chatrix's own request id (req_…), which its client has seen. calls.request_id is Bedrock's.
ALTER TABLE calls ADD COLUMN chatrix_request_id TEXT;
",
    "
-- Calls whose usage arrived, but whose model has no price.
ALTER TABLE totals ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
UPDATE totals SET unpriced = found.unpriced
FROM (SELECT day, command, key, model, COUNT(*) AS unpriced FROM calls WHERE state = 1 AND settled IS NULL
      GROUP BY day, command, key, model) AS found
WHERE totals.day = found.day AND totals.command = found.command AND totals.key = found.key
    AND totals.model = found.model;
",
    "
-- Limits of keys on what begins in any 60 seconds, and on what runs at once. NULL: none.
ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER;
ALTER TABLE keys ADD COLUMN tokens_per_minute INTEGER;
ALTER TABLE keys ADD COLUMN max_running INTEGER;
-- What a call counts for in its key's tokens a minute: the most that it can use, then what it has used. NULL for calls
-- of keys without such limits, which are in neither index.
ALTER TABLE calls ADD COLUMN rate_tokens INTEGER;
CREATE INDEX calls_recent ON calls (key, at, rate_tokens) WHERE rate_tokens IS NOT NULL;
CREATE INDEX calls_running ON calls (key, process) WHERE state = 0 AND rate_tokens IS NOT NULL;
",
    "
-- When the operator declared this file to be the right ledger (milliseconds since 1970).
CREATE TABLE acceptances (
    at INTEGER NOT NULL
) STRICT;
",
    "
-- When a key expires (milliseconds since 1970; NULL: never), and the token that a rotation has replaced.
ALTER TABLE keys ADD COLUMN expires INTEGER;
ALTER TABLE keys ADD COLUMN previous_hash TEXT;     -- SHA-256 of the token, in hex
ALTER TABLE keys ADD COLUMN previous_until INTEGER; -- until when it is accepted
",
    "
-- The thresholds of budgets that were reached, and whether the operator was told.
CREATE TABLE alerts (
    key INTEGER NOT NULL,           -- keys.id; 0: all calls
    period INTEGER NOT NULL,        -- 0 day, 1 month
    start INTEGER NOT NULL,         -- its first day
    amount INTEGER NOT NULL,        -- the budget
    threshold INTEGER NOT NULL,     -- percent
    id TEXT NOT NULL UNIQUE,        -- what its receiver knows it by
    claimed INTEGER NOT NULL,       -- until then a process is telling it (milliseconds since 1970)
    state INTEGER NOT NULL,         -- 0 due, 1 delivered, 2 given up
    PRIMARY KEY (key, period, start, amount, threshold)
) STRICT, WITHOUT ROWID;
",
    "
-- The budget of a key for a week, which is period 2 in alerts; and what holds for the answers of a key in place of what
-- holds for others. NULL: nothing of its own.
ALTER TABLE keys ADD COLUMN week INTEGER;
ALTER TABLE keys ADD COLUMN max_tokens INTEGER;
ALTER TABLE keys ADD COLUMN max_tokens_limit INTEGER;
ALTER TABLE keys ADD COLUMN prompt_cache INTEGER;   -- 0 off, 1 auto
",
    "
-- Groups of keys, with what all keys of a group may spend together, and what each of them may. NULL: no such limit. In
-- alerts.key a group is its negative number, which no older process asks for.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    made INTEGER NOT NULL,
    removed INTEGER,
    pool_day INTEGER,
    pool_week INTEGER,
    pool_month INTEGER,
    each_day INTEGER,
    each_week INTEGER,
    each_month INTEGER
) STRICT;
CREATE UNIQUE INDEX groups_name ON groups (name) WHERE removed IS NULL;
-- groups.id; NULL: none. A call keeps the group that its key was in when it began.
ALTER TABLE keys ADD COLUMN group_id INTEGER;
ALTER TABLE calls ADD COLUMN group_id INTEGER;
-- Sums of groups, for budgets and for reports.
CREATE TABLE group_totals (
    group_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    uncertain INTEGER NOT NULL,
    PRIMARY KEY (group_id, day)
) STRICT, WITHOUT ROWID;
-- Calls of earlier days (since 1970) may have been deleted for their age. Their sums are kept.
CREATE TABLE retention (
    kept_from INTEGER NOT NULL
) STRICT;
INSERT INTO retention VALUES (0);
-- What was changed by hand, and by whom. at: milliseconds since 1970.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,            -- user@machine
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
",
];

/// The version of an open ledger.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<usize> {
    Ok(Version::of(connection)?.steps)
}

/// Brings a ledger up to date.
///
/// # Errors
/// When the file belongs to another program or a newer version, or SQLite fails. The message continues a sentence.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), String> {
    let version = Version::of(connection).map_err(|error| error.to_string())?;
    if version == Version::NEWEST {
        return Ok(());
    }
    migrate_in_transaction(connection).map_err(|error| error.to_string())?
}

/// The version of a database file, as its header gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    application: i64,
    /// How many steps it has taken.
    steps: usize,
}

impl Version {
    const NEWEST: Self = Self { application: APPLICATION, steps: STEPS.len() };

    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let steps: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(Self { application, steps: usize::try_from(steps).unwrap_or(0) })
    }
}

fn migrate_in_transaction(connection: &mut Connection) -> rusqlite::Result<Result<(), String>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The version is read again, because another process may have migrated the ledger meanwhile.
    let Version { application, steps } = Version::of(&transaction)?;
    let empty: bool = transaction.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    if application != APPLICATION && !empty {
        return Ok(Err("it is a database of another program".to_owned()));
    }
    let Some(missing) = STEPS.get(steps..) else {
        let newest = STEPS.len();
        return Ok(Err(format!("it was written by a newer chatrix (version {steps}; this one knows {newest})")));
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::ledger::key::{KeyLimits, hash};

    #[test]
    fn published_steps_are_never_changed() {
        let hashes = STEPS.map(|step| hash(step)[..16].to_owned());
        assert_eq!(
            hashes,
            [
                "c92bcaa66c2bf053",
                "c54bc26b0d69ae61",
                "a497024bd4c16e48",
                "3ffcaf686f0614f5",
                "2bbc9932b402ba01",
                "1df48a55663250b8",
                "43f0c45b90d6e764",
                "7b0c2e76dde006fe",
                "5159dc9081dcb4a9"
            ]
        );
    }

    #[test]
    fn a_ledger_of_the_first_version_is_brought_up_to_date_and_keeps_its_calls() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let insert =
            "INSERT INTO calls (at, day, command, key, asked, model, reserved, state, request_id, edits, process)
                      VALUES (0, 0, 'ask', 0, 'm', 'us.m', 90, 3, 'aws-1', '', 'p')";
        connection.execute(insert, []).unwrap();
        let key = "INSERT INTO keys (name, hash, made, models) VALUES ('old', 'h', 0, '')";
        connection.execute(key, []).unwrap();
        migrate(&mut connection).unwrap();
        let keys = super::super::keys::all(&connection).unwrap();
        assert_eq!((keys[0].name.as_str(), &keys[0].limits), ("old", &KeyLimits::default()));
        assert_eq!(Version::of(&connection).unwrap(), Version::NEWEST);
        let ids: (String, Option<String>) = connection
            .query_row("SELECT request_id, chatrix_request_id FROM calls", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(ids, ("aws-1".to_owned(), None));
        // A process of the first version that is still running goes on writing.
        connection.execute(insert, []).unwrap();
        migrate(&mut connection).unwrap();
    }
}
