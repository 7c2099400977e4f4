//! Writes what a transaction changes, a statement for each table, all sent at once.

use super::failure::Failure;
use super::snapshot::{Changes, EndedRow, NewRow};
use super::values::{Parameter, small, stored_group, stored_key};
use crate::conversation::Usage;
use crate::ledger::call::NewCall;
use crate::ledger::posting::{CallState, Change, Delta, signed};
use crate::ledger::rows::storable;
use crate::ledger::stored::state_number;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// Writes all changes of a transaction that began on a day.
pub(super) async fn write(client: &Client, changes: &Changes<'_>, begin: Begin<'_>) -> Result<(), Failure> {
    let (ended, new, booked, totals, group_totals) = tokio::join!(
        write_ended(client, &changes.ended),
        write_new(client, &changes.new, begin),
        write_booked(client, changes),
        write_totals(client, changes),
        write_group_totals(client, changes),
    );
    ended.and(new).and(booked).and(totals).and(group_totals)
}

/// When calls begin, and the process that books them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin<'a> {
    /// Milliseconds since 1970.
    pub now: i64,
    /// Days since 1970.
    pub today: i64,
    pub process: &'a str,
}

/// The columns of the ends of calls, in the order of [`write_ended`]'s statement.
#[derive(Debug, Default)]
struct Ends {
    states: Vec<i16>,
    settled: Vec<Option<i64>>,
    models: Vec<String>,
    request_ids: Vec<Option<String>>,
    milliseconds: Vec<Option<i64>>,
    edits: Vec<String>,
    tokens: [Vec<Option<i64>>; 5],
}

impl Ends {
    fn add(&mut self, end: Option<(&crate::ledger::call::Settlement, &Change)>, call: Option<&NewCall>) {
        let usage = end.and_then(|(_, change)| change.usage);
        let count = |count: fn(&Usage) -> u64| usage.as_ref().map(|usage| signed(count(usage)));
        let counts = [
            count(|usage| usage.input),
            count(|usage| usage.output),
            count(|usage| usage.cache_read),
            count(|usage| usage.cache_write_5m),
            count(|usage| usage.cache_write_1h),
        ];
        for (column, count) in self.tokens.iter_mut().zip(counts) {
            column.push(count);
        }
        let state = end.map_or(CallState::Reserved, |(_, change)| change.state);
        self.states.push(small(state_number(state)));
        self.settled.push(end.and_then(|(_, change)| change.settled).map(|settled| signed(settled.0)));
        let model = end.map(|(settlement, _)| &settlement.model).or(call.map(|call| &call.model));
        self.models.push(model.cloned().unwrap_or_default());
        self.request_ids.push(end.and_then(|(settlement, _)| settlement.bedrock_request_id.clone()));
        self.milliseconds.push(end.map(|(settlement, _)| signed(settlement.milliseconds)));
        self.edits.push(end.map(|(settlement, _)| storable(&settlement.edits).into_owned()).unwrap_or_default());
    }

    fn parameters(&self) -> [Parameter<'_>; 11] {
        let Self { states, settled, models, request_ids, milliseconds, edits, tokens } = self;
        let [input, output, read, short_writes, long_writes] = tokens;
        [
            (states, Type::INT2_ARRAY),
            (settled, Type::INT8_ARRAY),
            (models, Type::TEXT_ARRAY),
            (request_ids, Type::TEXT_ARRAY),
            (milliseconds, Type::INT8_ARRAY),
            (edits, Type::TEXT_ARRAY),
            (input, Type::INT8_ARRAY),
            (output, Type::INT8_ARRAY),
            (read, Type::INT8_ARRAY),
            (short_writes, Type::INT8_ARRAY),
            (long_writes, Type::INT8_ARRAY),
        ]
    }
}

/// The parameters of [`Ends`], from `$1` on, as columns.
const ENDS: &str = "$1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]";
const END_COLUMNS: &str = "state, settled, model, request_id, milliseconds, edits, input, output, cache_read,
    cache_write_5m, cache_write_1h";

async fn write_ended(client: &Client, rows: &[EndedRow<'_>]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut ends = Ends::default();
    for row in rows {
        ends.add(Some((row.settlement, &row.change)), None);
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let rate_tokens: Vec<Option<i64>> = rows.iter().map(|row| row.rate_tokens).collect();
    let sql = format!(
        "UPDATE chatrix.calls SET ({END_COLUMNS}, rate_tokens) = (ends.state, ends.settled, ends.model, ends.request_id,
         ends.milliseconds, ends.edits, ends.input, ends.output, ends.cache_read, ends.cache_write_5m,
         ends.cache_write_1h, COALESCE(ends.rate_tokens, calls.rate_tokens))
         FROM unnest({ENDS}, $12::bigint[], $13::bigint[]) AS ends ({END_COLUMNS}, id, rate_tokens)
         WHERE calls.id = ends.id"
    );
    let mut parameters = ends.parameters().to_vec();
    parameters.extend([(&ids as _, Type::INT8_ARRAY), (&rate_tokens as _, Type::INT8_ARRAY)]);
    client.execute_typed(&sql, &parameters).await?;
    Ok(())
}

async fn write_new(client: &Client, rows: &[NewRow<'_>], begin: Begin<'_>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let Begin { now, today, process } = begin;
    let mut ends = Ends::default();
    for NewRow { id: _, call, reserved: _, end } in rows {
        ends.add(end.as_ref().map(|(_, settlement, change)| (*settlement, change)), Some(call));
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let commands: Vec<&str> = rows.iter().map(|row| row.call.command).collect();
    let keys: Vec<i64> = rows.iter().map(|row| stored_key(row.call.key)).collect();
    let groups: Vec<i64> = rows.iter().map(|row| stored_group(row.call.group)).collect();
    let asked: Vec<_> = rows.iter().map(|row| storable(&row.call.requested_model)).collect();
    let reserved: Vec<i64> = rows.iter().map(|row| signed(row.reserved.0)).collect();
    let request_ids: Vec<Option<&str>> = rows.iter().map(|row| row.call.request_id.as_deref()).collect();
    let receipts: Vec<Option<&str>> =
        rows.iter().map(|row| row.end.as_ref().map(|(receipt, _, _)| receipt.as_str())).collect();
    let rate_tokens: Vec<Option<i64>> = rows.iter().map(new_rate_tokens).collect();
    // A call that is written together with its end never is an open reservation of a process.
    let columns =
        format!("{END_COLUMNS}, id, command, key, group_id, asked, reserved, chatrix_request_id, receipt, rate_tokens");
    let sql = format!(
        "INSERT INTO chatrix.calls ({columns}, at, day, process)
         SELECT new.*, $21::bigint, $22::bigint, CASE WHEN new.receipt IS NULL THEN $23 ELSE '' END
         FROM unnest({ENDS}, $12::bigint[], $13::text[], $14::bigint[], $15::bigint[], $16::text[], $17::bigint[],
         $18::text[], $19::text[], $20::bigint[]) AS new ({columns})"
    );
    let mut parameters = ends.parameters().to_vec();
    parameters.extend::<[Parameter<'_>; 12]>([
        (&ids, Type::INT8_ARRAY),
        (&commands, Type::TEXT_ARRAY),
        (&keys, Type::INT8_ARRAY),
        (&groups, Type::INT8_ARRAY),
        (&asked, Type::TEXT_ARRAY),
        (&reserved, Type::INT8_ARRAY),
        (&request_ids, Type::TEXT_ARRAY),
        (&receipts, Type::TEXT_ARRAY),
        (&rate_tokens, Type::INT8_ARRAY),
        (&now, Type::INT8),
        (&today, Type::INT8),
        (&process, Type::TEXT),
    ]);
    client.execute_typed(&sql, &parameters).await?;
    Ok(())
}

fn new_rate_tokens(row: &NewRow<'_>) -> Option<i64> {
    let begun = row.call.rate.map(|rate| rate.tokens)?;
    let ended = row.end.as_ref().and_then(|(_, _, change)| change.rate_tokens());
    Some(signed(ended.unwrap_or(begun)))
}

async fn write_booked(client: &Client, changes: &Changes<'_>) -> Result<(), Failure> {
    let rows = &changes.booked;
    if rows.is_empty() {
        return Ok(());
    }
    let kinds: Vec<i16> = rows.keys().map(|(holder, _)| holder.kind).collect();
    let ids: Vec<i64> = rows.keys().map(|(holder, _)| holder.id).collect();
    let days: Vec<i64> = rows.keys().map(|(_, day)| *day).collect();
    let column = |n: usize| rows.values().map(|sums| sums[n]).collect::<Vec<i64>>();
    let sql = "INSERT INTO chatrix.booked AS old (kind, id, day, settled, reserved, uncertain)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
               ON CONFLICT (kind, id, day) DO UPDATE SET settled = old.settled + excluded.settled,
               reserved = old.reserved + excluded.reserved, uncertain = old.uncertain + excluded.uncertain";
    let parameters: [Parameter<'_>; 6] = [
        (&kinds, Type::INT2_ARRAY),
        (&ids, Type::INT8_ARRAY),
        (&days, Type::INT8_ARRAY),
        (&column(0), Type::INT8_ARRAY),
        (&column(1), Type::INT8_ARRAY),
        (&column(2), Type::INT8_ARRAY),
    ];
    client.execute_typed(sql, &parameters).await?;
    Ok(())
}

/// The sums that reports show, in the order of [`counts`].
const COUNTS: &str = "calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain";

/// What is done where there is a row of sums already.
const ADD_COUNTS: &str = "calls = old.calls + excluded.calls, unpriced = old.unpriced + excluded.unpriced,
    input = old.input + excluded.input, output = old.output + excluded.output,
    cache_read = old.cache_read + excluded.cache_read, cache_write = old.cache_write + excluded.cache_write,
    settled = old.settled + excluded.settled, reserved = old.reserved + excluded.reserved,
    uncertain = old.uncertain + excluded.uncertain";

/// A column for each of [`COUNTS`].
fn counts<'a>(rows: impl Iterator<Item = &'a Delta>) -> [Vec<i64>; 9] {
    let mut columns: [Vec<i64>; 9] = Default::default();
    for Delta { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } in rows {
        let row = [calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain];
        for (column, count) in columns.iter_mut().zip(row) {
            column.push(*count);
        }
    }
    columns
}

async fn write_totals(client: &Client, changes: &Changes<'_>) -> Result<(), Failure> {
    let rows = &changes.totals;
    if rows.is_empty() {
        return Ok(());
    }
    let days: Vec<i64> = rows.keys().map(|(day, ..)| *day).collect();
    let commands: Vec<&str> = rows.keys().map(|(_, command, ..)| command.as_str()).collect();
    let keys: Vec<i64> = rows.keys().map(|(_, _, key, _)| *key).collect();
    let models: Vec<&str> = rows.keys().map(|(.., model)| model.as_str()).collect();
    let counts = counts(rows.values());
    let sql = format!(
        "INSERT INTO chatrix.totals AS old (day, command, key, model, {COUNTS})
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
         $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
         ON CONFLICT (day, command, key, model) DO UPDATE SET {ADD_COUNTS}"
    );
    let mut parameters: Vec<Parameter<'_>> = vec![
        (&days, Type::INT8_ARRAY),
        (&commands, Type::TEXT_ARRAY),
        (&keys, Type::INT8_ARRAY),
        (&models, Type::TEXT_ARRAY),
    ];
    parameters.extend(counts.iter().map(|column| (column as _, Type::INT8_ARRAY)));
    client.execute_typed(&sql, &parameters).await?;
    Ok(())
}

async fn write_group_totals(client: &Client, changes: &Changes<'_>) -> Result<(), Failure> {
    let rows = &changes.group_totals;
    if rows.is_empty() {
        return Ok(());
    }
    let groups: Vec<i64> = rows.keys().map(|(group, _)| *group).collect();
    let days: Vec<i64> = rows.keys().map(|(_, day)| *day).collect();
    let counts = counts(rows.values());
    let sql = format!(
        "INSERT INTO chatrix.group_totals AS old (group_id, day, {COUNTS})
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
         $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
         ON CONFLICT (group_id, day) DO UPDATE SET {ADD_COUNTS}"
    );
    let mut parameters: Vec<Parameter<'_>> = vec![(&groups, Type::INT8_ARRAY), (&days, Type::INT8_ARRAY)];
    parameters.extend(counts.iter().map(|column| (column as _, Type::INT8_ARRAY)));
    client.execute_typed(&sql, &parameters).await?;
    Ok(())
}
