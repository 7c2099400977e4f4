//! The rows of a ledger, on their way from one store to another. They look as PostgreSQL keeps them, whichever store they
//! come from, so that what arrived can be compared with what left.

use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A table of the ledger.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// Its columns, in the order of [`Row::values`].
    pub columns: &'static str,
}

/// Every table that is copied, in this order. Which processes run is not.
pub static TABLES: [Table; 11] = [
    Table { name: "holders", columns: "kind, id" },
    Table {
        name: "groups",
        columns: "id, name, made, removed, pool_day, pool_week, pool_month, each_day, each_week, each_month",
    },
    Table {
        name: "keys",
        columns: "id, name, hash, previous_hash, previous_until, made, revoked, expires, group_id, request, day, week, \
                  month, models, requests_per_minute, tokens_per_minute, max_running, max_tokens, max_tokens_limit, \
                  prompt_cache",
    },
    Table {
        name: "calls",
        columns: "id, at, day, command, key, group_id, asked, model, input, output, cache_read, cache_write_5m, \
                  cache_write_1h, reserved, settled, state, request_id, chatrix_request_id, milliseconds, edits, \
                  process, receipt, rate_tokens",
    },
    Table {
        name: "totals",
        columns: "day, command, key, model, calls, unpriced, input, output, cache_read, cache_write, settled, reserved, \
                  uncertain",
    },
    Table {
        name: "group_totals",
        columns: "group_id, day, calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain",
    },
    Table { name: BOOKED, columns: "kind, id, day, settled, reserved, uncertain" },
    Table { name: "alerts", columns: "kind, id, period, start, amount, threshold, alert, claimed, state" },
    Table { name: "acceptances", columns: "at" },
    Table { name: "audit", columns: "id, at, actor, action, subject, detail" },
    Table { name: "retention", columns: "kept_from" },
];

const BOOKED: &str = "booked";

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    /// A number; 0 and 1 where PostgreSQL has truth values.
    Number(i64),
    Text(String),
}

/// A text as PostgreSQL can keep it, which has no character of number 0
/// (<https://www.postgresql.org/docs/current/datatype-character.html>).
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub table: &'static Table,
    pub values: Vec<Value>,
}

/// What a store hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Row(Row),
    /// Nothing more comes. Without it, something went wrong.
    End,
}

/// What distinguishes the contents of two ledgers: two are equal where the same rows are in each of the tables, in whatever
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    tables: BTreeMap<&'static str, OfTable>,
    booked: [i64; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct OfTable {
    rows: u64,
    /// The sum of the hashes of its rows.
    hashes: u128,
}

impl Fingerprint {
    pub(super) fn add(&mut self, row: &Row) {
        let of_table = self.tables.entry(row.table.name).or_default();
        of_table.rows += 1;
        of_table.hashes = of_table.hashes.wrapping_add(hash(row));
        // The row of all calls on a day.
        if let ([Value::Number(0), _, _, sums @ ..], BOOKED) = (row.values.as_slice(), row.table.name) {
            for (sum, value) in self.booked.iter_mut().zip(sums) {
                if let Value::Number(amount) = value {
                    *sum += amount;
                }
            }
        }
    }

    /// How many rows there are in a table.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).map_or(0, |of_table| of_table.rows)
    }

    /// What all calls have cost, what is reserved, and what is uncertain (nano-dollars).
    #[must_use]
    pub fn booked(&self) -> [i64; 3] {
        self.booked
    }

    /// The first table in which two ledgers differ, with the number of rows in each.
    pub(super) fn difference(&self, other: &Self) -> Option<(&'static str, u64, u64)> {
        let differs = |table: &&Table| self.tables.get(table.name) != other.tables.get(table.name);
        let table = TABLES.iter().find(differs)?.name;
        Some((table, self.rows(table), other.rows(table)))
    }
}

/// The first half of the SHA-256 of a row.
fn hash(row: &Row) -> u128 {
    let mut hasher = Sha256::new();
    hasher.update(row.table.name);
    for value in &row.values {
        match value {
            Value::Null => hasher.update([0]),
            Value::Number(number) => {
                hasher.update([1]);
                hasher.update(number.to_be_bytes());
            }
            Value::Text(text) => {
                hasher.update([2]);
                hasher.update(text.len().to_be_bytes());
                hasher.update(text);
            }
        }
    }
    let digest: [u8; 32] = hasher.finalize().into();
    digest.iter().take(16).fold(0, |half, byte| (half << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: &str, values: &[Value]) -> Row {
        let table = TABLES.iter().find(|known| known.name == table);
        Row { table: table.unwrap_or(&TABLES[0]), values: values.to_vec() }
    }

    fn of(rows: &[Row]) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        for row in rows {
            fingerprint.add(row);
        }
        fingerprint
    }

    #[test]
    fn a_fingerprint_sees_every_difference_but_the_order() {
        use Value::{Null, Number, Text};
        let text = |text: &str| Text(text.to_owned());
        let first = row("audit", &[Number(1), text("ab"), text("c")]);
        let second = row("audit", &[Number(2), Null, text("")]);
        let both = of(&[first.clone(), second.clone()]);
        assert_eq!(both, of(&[second.clone(), first.clone()]));
        assert_eq!(both.difference(&of(&[second.clone(), first.clone()])), None);
        for other in [
            vec![first.clone()],
            vec![first.clone(), second.clone(), second.clone()],
            vec![row("audit", &[Number(1), text("a"), text("bc")]), second.clone()],
            vec![first.clone(), row("audit", &[Number(2), text(""), Null])],
            vec![first.clone(), row("audit", &[Number(2), Null, Number(0)])],
        ] {
            let rows = u64::try_from(other.len()).unwrap_or(0);
            assert_eq!(both.difference(&of(&other)), Some(("audit", 2, rows)), "{other:?}");
        }
        let moved = [first, Row { table: row("alerts", &[]).table, ..second }];
        assert_eq!(both.difference(&of(&moved)), Some(("alerts", 0, 1)));
    }

    #[test]
    fn the_sums_are_those_of_all_calls() {
        let booked = |kind, sums: [i64; 3]| {
            let numbers = [kind, 0, 20_000].into_iter().chain(sums);
            row("booked", &numbers.map(Value::Number).collect::<Vec<_>>())
        };
        let all = of(&[booked(0, [1, 2, 3]), booked(0, [10, 20, 30]), booked(1, [1, 2, 3]), booked(2, [1, 2, 3])]);
        assert_eq!((all.booked(), all.rows("booked"), all.rows("calls")), ([11, 22, 33], 4, 0));
    }
}
