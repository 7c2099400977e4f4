//! What a transaction reads, and the locks that it takes, always in the same order: its process, the calls that end, the
//! holders of budgets. All of it is asked at once, and takes one round trip.

use super::failure::Failure;
use super::process::LEASE;
use super::snapshot::{FoundCall, Snapshot};
use super::transaction::BEGIN;
use super::values::{self, Holder, amount, group_of, key_of, sums};
use crate::ledger::budget::{BudgetLimit, Period};
use crate::ledger::call::{SettledCall, Settlement};
use crate::ledger::clock::day_of;
use crate::ledger::ids::KeyId;
use crate::ledger::posting::{Account, BookedCall};
use crate::ledger::rate::{RateUse, RecentCall, WINDOW};
use crate::ledger::store::{Batch, ReserveRequest};
use crate::ledger::stored::unsigned;
use std::collections::{BTreeSet, HashMap, HashSet};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

/// What a batch needs to read.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Calls that end.
    ended: Vec<i64>,
    /// Receipts of calls that are written together with their end.
    receipts: Vec<String>,
    /// Budgets by their holder.
    sums: BTreeSet<(Holder, u8)>,
    /// Keys with limits on requests, tokens and running calls.
    keys: BTreeSet<i64>,
    /// How many calls can begin.
    new: i64,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Reads {
    pub snapshot: Snapshot,
    pub found: HashMap<i64, FoundCall>,
    /// Receipts of calls that are written already.
    pub written: HashSet<String>,
}

const PERIODS: [Period; 3] = [Period::Day, Period::Week, Period::Month];

impl Needs {
    pub(super) fn of(batch: &Batch<'_>) -> Self {
        let mut needs = Self::default();
        for Settlement { call, .. } in batch.settlements {
            match call {
                SettledCall::Booked(id) | SettledCall::BookedBy { id, .. } => needs.ended.push(id.0),
                SettledCall::Unwritten { receipt, .. } => {
                    needs.receipts.push(values::receipt(*receipt));
                    needs.new += 1;
                }
            }
        }
        for ReserveRequest { call, limits, .. } in batch.reservations {
            needs.new += 1;
            needs.sums.extend(limits.iter().map(place));
            needs.keys.extend(call.key.filter(|_| call.rate.is_some()).map(|key| key.0));
        }
        needs
    }

    fn holders(&self) -> (Vec<i16>, Vec<i64>) {
        let of_keys = self.keys.iter().map(|id| Holder::key(KeyId(*id)));
        let holders: BTreeSet<Holder> = self.sums.iter().map(|(holder, _)| *holder).chain(of_keys).collect();
        holders.into_iter().map(|Holder { kind, id }| (kind, id)).unzip()
    }
}

fn place(limit: &BudgetLimit) -> (Holder, u8) {
    let number = PERIODS.iter().position(|period| *period == limit.period).unwrap_or_default();
    (Holder::of(&limit.holder), u8::try_from(number).unwrap_or_default())
}

/// Begins a transaction and reads what a batch needs. `clock`: what gives now in SQL; `today`: what day it is thought to
/// be. `None` where the database does not know this process, or has not made its last transaction.
pub(super) async fn read(
    client: &Client,
    clock: &str,
    (process, batch): (&str, i64),
    needs: &Needs,
    today: i64,
) -> Result<Option<Reads>, Failure> {
    let renew = format!(
        "UPDATE chatrix.processes SET batch = batch + 1, lease_until = {clock} + {LEASE}
         WHERE name = $1 AND batch = $2 RETURNING lease_until - {LEASE}"
    );
    let (kinds, ids) = needs.holders();
    let own: [values::Parameter<'_>; 2] = [(&process, Type::TEXT), (&batch, Type::INT8)];
    let (begun, renewed, found, written, locked, sums, rates, new) = tokio::join!(
        client.batch_execute(BEGIN),
        client.query_typed(&renew, &own),
        ended_calls(client, &needs.ended),
        written_receipts(client, &needs.receipts),
        lock_holders(client, &kinds, &ids),
        read_sums(client, &needs.sums, today),
        read_rates(client, clock, needs),
        new_ids(client, needs.new),
    );
    // In the order in which they were sent: after a failure all that follow fail too, and say only that.
    begun?;
    let Some(now) = renewed?.first().map(|row| row.try_get::<_, i64>(0)).transpose()? else { return Ok(None) };
    let (found, written, locked, sums, rates, new) = (found?, written?, locked?, sums?, rates?, new?);
    if locked < kinds.len() {
        // A holder that nobody has written down yet.
        add_holders(client, &kinds, &ids).await?;
        return Err(Failure::Conflict("a budget was used for the first time".to_owned()));
    }
    let mut snapshot = Snapshot { now, today: day_of(now), sums, rates, ids: new, ..Snapshot::default() };
    if snapshot.today != today {
        snapshot.sums = read_sums(client, &needs.sums, snapshot.today).await?;
    }
    Ok(Some(Reads { snapshot, found, written }))
}

async fn ended_calls(client: &Client, ids: &[i64]) -> Result<HashMap<i64, FoundCall>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT {FOUND_COLUMNS} FROM chatrix.calls WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE");
    let rows = client.query_typed(&sql, &[(&ids, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| found_call(row).map(|found| (found.id, found))).collect()
}

/// What [`found_call`] reads.
pub(super) const FOUND_COLUMNS: &str =
    "id, at, rate_tokens, day, command, key, model, reserved, settled, state, input IS NOT NULL, process, group_id";

pub(super) fn found_call(row: &Row) -> Result<FoundCall, Failure> {
    let rate_tokens: Option<i64> = row.try_get(2)?;
    Ok(FoundCall {
        id: row.try_get(0)?,
        at: row.try_get(1)?,
        rate_tokens,
        process: row.try_get(11)?,
        booked: BookedCall {
            account: Account {
                day: row.try_get(3)?,
                command: row.try_get(4)?,
                key: key_of(row.try_get(5)?),
                group: group_of(row.try_get(12)?),
                model: row.try_get(6)?,
            },
            reserved: amount(row.try_get(7)?),
            settled: row.try_get::<_, Option<i64>>(8)?.map(amount),
            state: values::state(row.try_get(9)?)?,
            has_usage: row.try_get(10)?,
            is_rated: rate_tokens.is_some(),
        },
    })
}

async fn written_receipts(client: &Client, receipts: &[String]) -> Result<HashSet<String>, Failure> {
    if receipts.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "SELECT receipt FROM chatrix.calls WHERE receipt = ANY($1)";
    let rows = client.query_typed(sql, &[(&receipts, Type::TEXT_ARRAY)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Locks the holders of budgets, so that nobody else decides about them meanwhile. Gives how many there are.
async fn lock_holders(client: &Client, kinds: &[i16], ids: &[i64]) -> Result<usize, Failure> {
    if ids.is_empty() {
        return Ok(0);
    }
    let sql = "SELECT 1 FROM chatrix.holders
               WHERE (kind, id) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))
               ORDER BY kind, id FOR NO KEY UPDATE";
    let rows = client.query_typed(sql, &[(&kinds, Type::INT2_ARRAY), (&ids, Type::INT8_ARRAY)]).await?;
    Ok(rows.len())
}

/// Writes holders down that nobody has yet, in a transaction of its own.
async fn add_holders(client: &Client, kinds: &[i16], ids: &[i64]) -> Result<(), Failure> {
    client.batch_execute("ROLLBACK").await?;
    let sql = "INSERT INTO chatrix.holders SELECT * FROM unnest($1::smallint[], $2::bigint[]) ON CONFLICT DO NOTHING";
    client.execute_typed(sql, &[(&kinds, Type::INT2_ARRAY), (&ids, Type::INT8_ARRAY)]).await?;
    Ok(())
}

async fn read_sums(
    client: &Client,
    places: &BTreeSet<(Holder, u8)>,
    today: i64,
) -> Result<HashMap<(Holder, Period), [i64; 3]>, Failure> {
    let places: Vec<(Holder, Period)> =
        places.iter().map(|(holder, number)| (*holder, PERIODS[usize::from(*number)])).collect();
    let found = read_sums_of(client, &places, today).await?;
    Ok(places.into_iter().zip(found).collect())
}

/// The sums of a row of budgets in the period that a day is in, in their order. All days from the period's first one on
/// count, even later ones: setting the clock back must not renew a budget.
async fn read_sums_of(client: &Client, places: &[(Holder, Period)], today: i64) -> Result<Vec<[i64; 3]>, Failure> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT sums.* FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY
                   AS place (kind, id, start, number),
               LATERAL (SELECT COALESCE(SUM(settled), 0)::bigint, COALESCE(SUM(reserved), 0)::bigint,
                        COALESCE(SUM(uncertain), 0)::bigint FROM chatrix.booked
                        WHERE booked.kind = place.kind AND booked.id = place.id AND booked.day >= place.start) AS sums
               ORDER BY place.number";
    let kinds: Vec<i16> = places.iter().map(|(holder, _)| holder.kind).collect();
    let ids: Vec<i64> = places.iter().map(|(holder, _)| holder.id).collect();
    let starts: Vec<i64> = places.iter().map(|(_, period)| period.start(today)).collect();
    let parameters: [values::Parameter<'_>; 3] =
        [(&kinds, Type::INT2_ARRAY), (&ids, Type::INT8_ARRAY), (&starts, Type::INT8_ARRAY)];
    let rows = client.query_typed(sql, &parameters).await?;
    rows.iter().map(|row| sums(row, 0)).collect()
}

/// What is booked under each limit on a day.
pub(super) async fn statuses(
    client: &Client,
    limits: &[BudgetLimit],
    today: i64,
) -> Result<Vec<crate::ledger::budget::BudgetStatus>, Failure> {
    let sums = read_sums(client, &limits.iter().map(place).collect(), today).await?;
    let snapshot = Snapshot { today, sums, ..Snapshot::default() };
    Ok(limits.iter().map(|limit| snapshot.status(limit)).collect())
}

/// What keys have used of their limits, without the calls of this batch that end. Running calls count while the lease of
/// their process does.
async fn read_rates(client: &Client, clock: &str, needs: &Needs) -> Result<HashMap<KeyId, RateUse>, Failure> {
    if needs.keys.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<i64> = needs.keys.iter().copied().collect();
    let sql = format!(
        "SELECT place.key,
         (SELECT COUNT(*) FROM chatrix.calls WHERE calls.key = place.key AND at > {clock} - {WINDOW}
          AND rate_tokens IS NOT NULL),
         (SELECT COALESCE(SUM(rate_tokens), 0)::bigint FROM chatrix.calls WHERE calls.key = place.key
          AND at > {clock} - {WINDOW} AND rate_tokens IS NOT NULL),
         (SELECT COUNT(*) FROM chatrix.calls JOIN chatrix.processes ON processes.name = calls.process
          WHERE calls.key = place.key AND state = 0 AND rate_tokens IS NOT NULL AND lease_until > {clock})
         FROM unnest($1::bigint[]) AS place (key)"
    );
    let rows = client.query_typed(&sql, &[(&keys, Type::INT8_ARRAY)]).await?;
    let used = rows.iter().map(|row| {
        let count = |n| row.try_get(n).map(unsigned);
        Ok((KeyId(row.try_get(0)?), RateUse { requests: count(1)?, tokens: count(2)?, running: count(3)? }))
    });
    used.collect()
}

/// The calls of a key in the window, oldest first.
pub(super) async fn recent_calls(client: &Client, key: KeyId, now: i64) -> Result<Vec<RecentCall>, Failure> {
    let sql = "SELECT at, rate_tokens FROM chatrix.calls WHERE key = $1 AND at > $2 AND rate_tokens IS NOT NULL
               ORDER BY at";
    let since = now.saturating_sub(WINDOW);
    let rows = client.query_typed(sql, &[(&key.0, Type::INT8), (&since, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(RecentCall { at: row.try_get(0)?, tokens: unsigned(row.try_get(1)?) })).collect()
}

/// Numbers that no other call gets.
async fn new_ids(client: &Client, count: i64) -> Result<Vec<i64>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT nextval('chatrix.call_ids') FROM generate_series(1, $1)";
    let rows = client.query_typed(sql, &[(&count, Type::INT8)]).await?;
    let ids: Result<Vec<i64>, Failure> = rows.iter().map(|row| Ok(row.try_get(0)?)).collect();
    // Taken from the end, so that calls are numbered in their order.
    ids.map(|mut ids| {
        ids.reverse();
        ids
    })
}

/// Now, by the database's clock (milliseconds since 1970).
pub(super) async fn now(client: &Client, clock: &str) -> Result<i64, Failure> {
    let row = client.query_typed_one(&format!("SELECT {clock}"), &[]).await?;
    Ok(row.try_get(0)?)
}

/// Two numbers that differ after each change of the sums of the last days.
pub(super) async fn changes(client: &Client, clock: &str) -> Result<(i64, i64), Failure> {
    // xmin is the transaction that has written a row: https://www.postgresql.org/docs/current/ddl-system-columns.html
    let sql = format!(
        "SELECT COUNT(*), COALESCE(SUM(xmin::text::bigint), 0)::bigint FROM chatrix.booked
         WHERE day >= {clock} / 86400000 - 1"
    );
    let row = client.query_typed_one(&sql, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
