//! How the ledger's types are read from and written to PostgreSQL.

use super::failure::Failure;
use crate::catalog::NanoDollars;
use crate::ledger::budget::{self, BudgetTotals};
use crate::ledger::call::Receipt;
use crate::ledger::ids::{GroupId, KeyId};
use crate::ledger::posting::{Account, CallState};
use crate::ledger::stored::{state_of, unsigned};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

/// A parameter of a statement. Its type is given, so that the database need not be asked for it first.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Whose budget, or whose sums: all calls, those of an API key, or those of a group of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Holder {
    pub kind: i16,
    pub id: i64,
}

impl Holder {
    pub(super) const ALL: Self = Self { kind: 0, id: 0 };

    pub(super) fn key(id: KeyId) -> Self {
        Self { kind: 1, id: id.0 }
    }

    fn group(id: GroupId) -> Self {
        Self { kind: 2, id: id.0 }
    }

    pub(super) fn of(holder: &budget::Holder) -> Self {
        match holder {
            budget::Holder::All => Self::ALL,
            budget::Holder::Key { id, name: _ } => Self::key(*id),
            budget::Holder::Group { id, name: _ } => Self::group(*id),
        }
    }

    /// Those in whose sums a call counts.
    pub(super) fn all_of(account: &Account) -> impl Iterator<Item = Self> + use<> {
        let Account { key, group, .. } = account;
        [Some(Self::ALL), key.map(Self::key), group.map(Self::group)].into_iter().flatten()
    }
}

/// An API key as a column that is never NULL.
pub(super) fn stored_key(key: Option<KeyId>) -> i64 {
    key.map_or(0, |key| key.0)
}

pub(super) fn key_of(stored: i64) -> Option<KeyId> {
    (stored != 0).then_some(KeyId(stored))
}

/// A group as a column that is never NULL.
pub(super) fn stored_group(group: Option<GroupId>) -> i64 {
    group.map_or(0, |group| group.0)
}

pub(super) fn group_of(stored: i64) -> Option<GroupId> {
    (stored != 0).then_some(GroupId(stored))
}

pub(super) fn amount(stored: i64) -> NanoDollars {
    NanoDollars(unsigned(stored))
}

pub(super) fn receipt(Receipt(number): Receipt) -> String {
    format!("{number:032x}")
}

/// Settled, reserved and uncertain, from three columns.
pub(super) fn sums(row: &Row, first: usize) -> Result<[i64; 3], Failure> {
    Ok([row.try_get(first)?, row.try_get(first + 1)?, row.try_get(first + 2)?])
}

pub(super) fn totals([settled, reserved, uncertain]: [i64; 3]) -> BudgetTotals {
    BudgetTotals { settled: amount(settled), reserved: amount(reserved), uncertain: amount(uncertain) }
}

pub(super) fn state(number: i16) -> Result<CallState, Failure> {
    state_of(number.into()).ok_or_else(|| Failure::Refused(format!("it holds a call in the unknown state {number}")))
}

/// A small number as columns of two bytes hold it.
pub(super) fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}
