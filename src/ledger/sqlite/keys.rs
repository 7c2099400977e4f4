//! API keys in the ledger. Revoked keys stay: what they spent belongs to them.

use super::SqliteStore;
use super::transaction::{dollars, stored};
use crate::catalog::NanoDollars;
use crate::ledger::key::{Key, KeyLimits};
use rusqlite::{ErrorCode, Result, Row, params};

impl SqliteStore {
    /// Adds a key. `false`: there is one of that name.
    ///
    /// # Errors
    /// SQLite's.
    pub fn add_key(&mut self, name: &str, hash: &str, terms: &KeyLimits) -> Result<bool> {
        let amount = |amount: Option<NanoDollars>| amount.map(|amount| stored(amount.0));
        let KeyLimits { request, day, month, models } = terms;
        let added = self.connection.execute(
            "INSERT INTO keys (name, hash, made, request, day, month, models) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![name, hash, self.clock.now(), amount(*request), amount(*day), amount(*month), models.join("\n")],
        );
        match added {
            Ok(_) => Ok(true),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a key has spent altogether, uncertain calls at their worst case.
    ///
    /// # Errors
    /// SQLite's.
    pub fn spent_with(&self, key: i64) -> Result<NanoDollars> {
        let sql = "SELECT COALESCE(SUM(settled + uncertain), 0) FROM booked WHERE key = ?1";
        self.connection.query_row(sql, [key], |row| Ok(dollars(row.get(0)?)))
    }

    /// Revokes a key. `false`: there is none of that name, or it is revoked already.
    ///
    /// # Errors
    /// SQLite's.
    pub fn revoke_key(&mut self, name: &str) -> Result<bool> {
        let now = self.clock.now();
        let sql = "UPDATE keys SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL";
        Ok(self.connection.execute(sql, params![name, now])? > 0)
    }

    /// Every key, revoked ones too, in the order they were made.
    ///
    /// # Errors
    /// SQLite's.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let sql = "SELECT id, name, hash, made, revoked, request, day, month, models FROM keys ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map([], key)?.collect()
    }
}

fn key(row: &Row<'_>) -> Result<Key> {
    let amount = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(dollars));
    let models: String = row.get(8)?;
    Ok(Key {
        id: row.get(0)?,
        name: row.get(1)?,
        hash: row.get(2)?,
        made: row.get(3)?,
        revoked: row.get(4)?,
        terms: KeyLimits {
            request: amount(5)?,
            day: amount(6)?,
            month: amount(7)?,
            models: models.lines().map(ToOwned::to_owned).collect(),
        },
    })
}
