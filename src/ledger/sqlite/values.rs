//! How the ledger's types are stored: amounts and counts as signed integers, states and keys by number.

use crate::catalog::NanoDollars;
use crate::ledger::budget::Holder;
use crate::ledger::ids::{CallId, GroupId, KeyId};
use crate::ledger::posting::{CallState, signed};
use crate::ledger::stored::state_of;
pub(super) use crate::ledger::stored::{state_number, unsigned};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

impl ToSql for NanoDollars {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(signed(self.0).into())
    }
}

impl FromSql for NanoDollars {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(unsigned(i64::column_result(value)?)))
    }
}

impl ToSql for CallId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for CallId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for KeyId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for KeyId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl ToSql for GroupId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for GroupId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// The holder of a budget as one number: all calls are 0, keys are above, and groups are below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredHolder(i64);

impl StoredHolder {
    pub(super) fn of(holder: &Holder) -> Self {
        match holder {
            Holder::All => Self(0),
            Holder::Key { id, name: _ } => Self(id.0),
            Holder::Group { id, name: _ } => Self(-id.0),
        }
    }
}

impl ToSql for StoredHolder {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

/// The API key of a call or of a sum. It is part of a primary key, which cannot be NULL, so no key is stored as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredKey(pub Option<KeyId>);

impl ToSql for StoredKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.map_or(0, |key| key.0).into())
    }
}

impl FromSql for StoredKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = i64::column_result(value)?;
        Ok(Self((number != 0).then_some(KeyId(number))))
    }
}

impl ToSql for CallState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(state_number(*self).into())
    }
}

impl FromSql for CallState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = i64::column_result(value)?;
        state_of(number).ok_or(FromSqlError::OutOfRange(number))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        for (number, state) in ["reserved", "settled", "estimated", "uncertain", "released"].iter().enumerate() {
            let number = i64::try_from(number).unwrap();
            let read = CallState::column_result(ValueRef::Integer(number)).unwrap();
            assert_eq!((read.as_str(), state_number(read)), (*state, number));
        }
        assert!(CallState::column_result(ValueRef::Integer(5)).is_err());
        for key in [None, Some(KeyId(7))] {
            let number = key.map_or(0, |key: KeyId| key.0);
            assert_eq!(StoredKey(key).to_sql().unwrap(), number.into());
            assert_eq!(StoredKey::column_result(ValueRef::Integer(number)), Ok(StoredKey(key)));
        }
        let name = String::new;
        for (holder, number) in [
            (Holder::All, 0),
            (Holder::Key { id: KeyId(7), name: name() }, 7),
            (Holder::Group { id: GroupId(7), name: name() }, -7),
        ] {
            assert_eq!(StoredHolder::of(&holder).to_sql().unwrap(), i64::into(number));
        }
        assert_eq!(NanoDollars(u64::MAX).to_sql().unwrap(), (i64::MAX / 1024).into());
        assert_eq!(NanoDollars::column_result(ValueRef::Integer(-1)), Ok(NanoDollars(0)));
    }
}
