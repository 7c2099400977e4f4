//! How the ledger's types are read from and written to PostgreSQL.

use super::failure::Failure;
use crate::catalog::NanoDollars;
use crate::ledger::budget::{BudgetLimit, BudgetTotals};
use crate::ledger::call::Receipt;
use crate::ledger::ids::KeyId;
use crate::ledger::posting::CallState;
use crate::ledger::stored::{state_of, unsigned};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

/// A parameter of a statement. Its type is given, so that the database need not be asked for it first.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Whose budget, or whose sums: all calls, or those of an API key.
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

    pub(super) fn of(limit: &BudgetLimit) -> Self {
        limit.key.as_ref().map_or(Self::ALL, |key| Self::key(key.id))
    }
}

/// An API key as a column that is never NULL.
pub(super) fn stored_key(key: Option<KeyId>) -> i64 {
    key.map_or(0, |key| key.0)
}

pub(super) fn key_of(stored: i64) -> Option<KeyId> {
    (stored != 0).then_some(KeyId(stored))
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
