//! Calls outside of a batch: those of ended processes, corrections by hand, and what reports and the mark ask for.

use super::audit;
use super::failure::Failure;
use super::reads::{FOUND_COLUMNS, found_call};
use super::snapshot::{Changes, FoundCall, Snapshot};
use super::values::{amount, small};
use super::writes::{self, Begin};
use crate::catalog::NanoDollars;
use crate::ledger::audit::{Author, Change as AuditedChange};
use crate::ledger::call::{Outcome, SettledCall, Settlement};
use crate::ledger::clock::day_of;
use crate::ledger::continuity::SeenCall;
use crate::ledger::ids::CallId;
use crate::ledger::posting::{CallState, Change, signed};
use crate::ledger::report::UncertainCall;
use crate::ledger::store::Correction;
use crate::ledger::stored::state_number;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

/// The end of a call that a process has reserved and that never left.
pub(super) fn released(id: CallId, process: &str, model: &str) -> Settlement {
    ended(SettledCall::BookedBy { process: process.to_owned(), id }, Outcome::Released, model.to_owned(), 0)
}

fn ended(call: SettledCall, outcome: Outcome, model: String, milliseconds: u64) -> Settlement {
    Settlement { call, outcome, model, bedrock_request_id: None, milliseconds, edits: String::new() }
}

/// Books the open reservations of processes as uncertain.
pub(super) async fn abandon(client: &Client, now: i64, processes: &[String]) -> Result<(), Failure> {
    if processes.is_empty() {
        return Ok(());
    }
    // The state is part of the SQL text, so that the index of open calls is used.
    let open = state_number(CallState::Reserved);
    let sql = format!(
        "SELECT {FOUND_COLUMNS} FROM chatrix.calls WHERE state = {open} AND process = ANY($1)
         ORDER BY id FOR NO KEY UPDATE"
    );
    let rows = client.query_typed(&sql, &[(&processes, Type::TEXT_ARRAY)]).await?;
    let found: Vec<FoundCall> = rows.iter().map(found_call).collect::<Result<_, _>>()?;
    let settlements = found.iter().map(|FoundCall { id, at, booked, .. }| {
        let milliseconds = u64::try_from(now.saturating_sub(*at)).unwrap_or(0);
        ended(SettledCall::Booked(CallId(*id)), Outcome::Uncertain, booked.account.model.clone(), milliseconds)
    });
    let settlements: Vec<Settlement> = settlements.collect();
    let (mut snapshot, mut changes) = (Snapshot { now, today: day_of(now), ..Snapshot::default() }, Changes::default());
    for (found, settlement) in found.iter().zip(&settlements) {
        snapshot.end(found, settlement, &mut changes);
    }
    writes::write(client, &changes, Begin { now, today: day_of(now), process: "" }).await
}

/// Books the cost that a person gives for a call.
pub(super) async fn correct(
    client: &Client,
    author: &Author,
    id: CallId,
    cost: NanoDollars,
    above_reserved: bool,
) -> Result<Correction, Failure> {
    let sql = format!("SELECT {FOUND_COLUMNS} FROM chatrix.calls WHERE id = $1 FOR NO KEY UPDATE");
    let Some(row) = client.query_typed_opt(&sql, &[(&id.0, Type::INT8)]).await? else {
        return Ok(Correction::NoSuchCall);
    };
    let FoundCall { booked, .. } = found_call(&row)?;
    let Some(change) = booked.correct(cost) else { return Ok(Correction::NotAllowed(booked.state)) };
    if !above_reserved && !booked.can_cost(cost) {
        return Ok(Correction::AboveReserved(booked.reserved));
    }
    let Change { state, settled, usage: _, postings } = change;
    let (state, settled) = (small(state_number(state)), settled.map(|settled| signed(settled.0)));
    let sql = "UPDATE chatrix.calls SET state = $2, settled = $3 WHERE id = $1";
    client.execute_typed(sql, &[(&id.0, Type::INT8), (&state, Type::INT2), (&settled, Type::INT8)]).await?;
    let mut changes = Changes::default();
    for posting in postings {
        changes.add(posting);
    }
    writes::write(client, &changes, Begin { now: 0, today: 0, process: "" }).await?;
    let before = booked.settled.unwrap_or(booked.reserved);
    audit::add(client, author, AuditedChange::CallSettled { id, booked: before, cost }).await?;
    Ok(Correction::Booked)
}

/// The last call.
pub(super) async fn last(client: &Client) -> Result<Option<SeenCall>, Failure> {
    let sql = "SELECT id, at, process FROM chatrix.calls ORDER BY id DESC LIMIT 1";
    client.query_typed_opt(sql, &[]).await?.as_ref().map(seen_call).transpose()
}

/// The call with a number.
pub(super) async fn seen(client: &Client, id: CallId) -> Result<Option<SeenCall>, Failure> {
    let sql = "SELECT id, at, process FROM chatrix.calls WHERE id = $1";
    client.query_typed_opt(sql, &[(&id.0, Type::INT8)]).await?.as_ref().map(seen_call).transpose()
}

fn seen_call(row: &Row) -> Result<SeenCall, Failure> {
    Ok(SeenCall { id: CallId(row.try_get(0)?), at: row.try_get(1)?, process: row.try_get(2)? })
}

/// The calls whose usage never arrived, oldest first.
pub(super) async fn uncertain(client: &Client) -> Result<Vec<UncertainCall>, Failure> {
    let uncertain = state_number(CallState::Uncertain);
    let sql = format!(
        "SELECT id, at, command, (SELECT name FROM chatrix.keys WHERE keys.id = calls.key), model, reserved,
         chatrix_request_id, request_id FROM chatrix.calls WHERE state = {uncertain} ORDER BY id"
    );
    let rows = client.query_typed(&sql, &[]).await?;
    let calls = rows.iter().map(|row| {
        Ok(UncertainCall {
            id: CallId(row.try_get(0)?),
            began: row.try_get(1)?,
            command: row.try_get(2)?,
            key: row.try_get(3)?,
            model: row.try_get(4)?,
            reserved: amount(row.try_get(5)?),
            chatrix_request_id: row.try_get(6)?,
            bedrock_request_id: row.try_get(7)?,
        })
    });
    calls.collect()
}
