//! The table of calls. Every change of a call also updates the sums. The caller holds the transaction.

use super::values::{StoredKey, state_number};
use super::{audit, rates, sums};
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::ledger::audit::{Author, Change as AuditedChange};
use crate::ledger::budget::{Decision, decide};
use crate::ledger::call::{NewCall, Outcome, SettledCall, Settlement};
use crate::ledger::clock::day_of;
use crate::ledger::continuity::SeenCall;
use crate::ledger::ids::CallId;
use crate::ledger::posting::{self, Account, BookedCall, CallState, Change, Posting, signed};
use crate::ledger::rate::RateDecision;
use crate::ledger::report::UncertainCall;
use crate::ledger::store::{Correction, ReserveOutcome, ReserveRequest};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};

/// The process of calls that are written together with their end, which never are open reservations.
const NO_PROCESS: &str = "";

/// When calls begin (milliseconds since 1970), and the process that books them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin<'a> {
    pub now: i64,
    pub process: &'a str,
}

/// Reserves what a call can cost, or as much of it as is left, if it fits. `is_running`: whether the process that booked
/// calls under a name is running.
pub(super) fn reserve(
    connection: &Connection,
    begin: Begin<'_>,
    request: &ReserveRequest<'_>,
    is_running: &dyn Fn(&str) -> bool,
) -> Result<ReserveOutcome> {
    let Begin { now, process } = begin;
    let mut rates = None;
    if let (Some(key), Some(rate)) = (request.call.key, request.call.rate) {
        match rates::decide(connection, now, key, rate, request.may_wait, is_running)? {
            RateDecision::Grant(status) => rates = Some(status),
            RateDecision::Wait => return Ok(ReserveOutcome::Waiting),
            RateDecision::Refuse(refusal) => return Ok(ReserveOutcome::OverRate(refusal)),
        }
    }
    let mut statuses = sums::statuses(connection, day_of(now), request.limits)?;
    let amount = match decide(&statuses, request.cost, request.may_wait) {
        Decision::Grant(amount) => amount,
        Decision::Wait => return Ok(ReserveOutcome::Waiting),
        Decision::Refuse(index) => return Ok(ReserveOutcome::OverBudget(statuses.swap_remove(index))),
    };
    let id = insert(connection, now, process, request.call, amount)?;
    for status in &mut statuses {
        status.totals.reserved += amount;
    }
    Ok(ReserveOutcome::Reserved { id, amount, statuses, rates })
}

fn insert(connection: &Connection, now: i64, process: &str, call: &NewCall, reserved: NanoDollars) -> Result<CallId> {
    let NewCall { command, key, group, requested_model, model, request_id, rate } = call;
    let day = day_of(now);
    connection
        .prepare_cached(
            "INSERT INTO calls
             (at, day, command, key, asked, model, reserved, state, edits, process, chatrix_request_id, rate_tokens,
              group_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '', ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            now,
            day,
            command,
            StoredKey(*key),
            requested_model,
            model,
            reserved,
            CallState::Reserved,
            process,
            request_id,
            rate.map(|rate| signed(rate.tokens)),
            group,
        ])?;
    let id = CallId(connection.last_insert_rowid());
    sums::post(connection, &posting::reserve(call, day, reserved))?;
    Ok(id)
}

/// Books how calls ended. What this adds to the same row of the sums is added at once.
pub(super) fn settle_all(connection: &Connection, now: i64, settlements: &[Settlement]) -> Result<()> {
    let mut postings: Vec<Posting> = Vec::new();
    for settlement in settlements {
        for posting in settle(connection, now, settlement)? {
            match postings.iter_mut().find(|known| known.account == posting.account) {
                Some(known) => known.delta += posting.delta,
                None => postings.push(posting),
            }
        }
    }
    postings.iter().try_for_each(|posting| sums::post(connection, posting))
}

/// Books how a call ended, except for the sums. Does nothing when the call does not exist or already has its end.
fn settle(connection: &Connection, now: i64, settlement: &Settlement) -> Result<Vec<Posting>> {
    let id = match &settlement.call {
        // Ends are kept beside the ledger only where it is a database that was away.
        SettledCall::Booked(id) | SettledCall::BookedBy { id, process: _ } => *id,
        SettledCall::Unwritten { call, reserved, receipt: _ } => insert(connection, now, NO_PROCESS, call, *reserved)?,
    };
    let Some(booked) = find_call(connection, id)? else { return Ok(Vec::new()) };
    let Some(change) = booked.settle(settlement.outcome, &settlement.model) else { return Ok(Vec::new()) };
    let counted = change.rate_tokens();
    let Change { state, settled, usage, postings } = change;
    let tokens = |count: fn(&Usage) -> u64| usage.as_ref().map(|usage| signed(count(usage)));
    connection
        .prepare_cached(
            "UPDATE calls SET state = ?2, settled = ?3, model = ?4, request_id = ?5, milliseconds = ?6, input = ?7,
             output = ?8, cache_read = ?9, cache_write_5m = ?10, cache_write_1h = ?11, edits = ?12 WHERE id = ?1",
        )?
        .execute(params![
            id,
            state,
            settled,
            settlement.model,
            settlement.bedrock_request_id,
            signed(settlement.milliseconds),
            tokens(|usage| usage.input),
            tokens(|usage| usage.output),
            tokens(|usage| usage.cache_read),
            tokens(|usage| usage.cache_write_5m),
            tokens(|usage| usage.cache_write_1h),
            settlement.edits,
        ])?;
    if let Some(tokens) = counted.filter(|_| booked.is_rated) {
        let sql = "UPDATE calls SET rate_tokens = ?2 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![id, signed(tokens)])?;
    }
    Ok(postings)
}

/// Books the cost that a person gives for a call.
pub(super) fn correct(
    connection: &Connection,
    author: &Author,
    id: CallId,
    cost: NanoDollars,
    above_reserved: bool,
) -> Result<Correction> {
    let Some(booked) = find_call(connection, id)? else { return Ok(Correction::NoSuchCall) };
    let Some(change) = booked.correct(cost) else { return Ok(Correction::NotAllowed(booked.state)) };
    if !above_reserved && !booked.can_cost(cost) {
        return Ok(Correction::AboveReserved(booked.reserved));
    }
    let Change { state, settled, usage: _, postings } = change;
    connection.execute(
        "UPDATE calls SET state = :state, settled = :settled WHERE id = :id",
        named_params! { ":id": id, ":state": state, ":settled": settled },
    )?;
    postings.iter().try_for_each(|posting| sums::post(connection, posting))?;
    let before = booked.settled.unwrap_or(booked.reserved);
    audit::add(connection, author, AuditedChange::CallSettled { id, booked: before, cost })?;
    Ok(Correction::Booked)
}

/// The last call.
pub(super) fn last(connection: &Connection) -> Result<Option<SeenCall>> {
    let sql = "SELECT id, at, process FROM calls ORDER BY id DESC LIMIT 1";
    connection.prepare_cached(sql)?.query_row([], seen_call).optional()
}

/// The call with a number.
pub(super) fn seen(connection: &Connection, id: CallId) -> Result<Option<SeenCall>> {
    connection.prepare_cached("SELECT id, at, process FROM calls WHERE id = ?1")?.query_row([id], seen_call).optional()
}

fn seen_call(row: &Row<'_>) -> Result<SeenCall> {
    Ok(SeenCall { id: row.get(0)?, at: row.get(1)?, process: row.get(2)? })
}

/// The processes that have open reservations.
pub(super) fn processes(connection: &Connection) -> Result<Vec<String>> {
    let open = state_number(CallState::Reserved);
    let mut statement = connection.prepare(&format!("SELECT DISTINCT process FROM calls WHERE state = {open}"))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Books the open reservations of a process as uncertain.
pub(super) fn abandon(connection: &Connection, now: i64, process: &str) -> Result<()> {
    // The state is part of the SQL text, so that SQLite can use the index of open calls.
    let open = state_number(CallState::Reserved);
    let sql = format!("SELECT id, at, model FROM calls WHERE state = {open} AND process = :process");
    let mut statement = connection.prepare(&sql)?;
    let settlements = statement.query_map(named_params! { ":process": process }, |row| {
        Ok(Settlement {
            call: SettledCall::Booked(row.get("id")?),
            outcome: Outcome::Uncertain,
            model: row.get("model")?,
            bedrock_request_id: None,
            milliseconds: u64::try_from(now - row.get::<_, i64>("at")?).unwrap_or(0),
            edits: String::new(),
        })
    })?;
    let settlements: Vec<Settlement> = settlements.collect::<Result<_>>()?;
    settle_all(connection, now, &settlements)
}

/// The calls whose usage never arrived, oldest first.
pub(super) fn uncertain(connection: &Connection) -> Result<Vec<UncertainCall>> {
    let uncertain = state_number(CallState::Uncertain);
    let mut statement = connection.prepare(&format!(
        "SELECT id, at, command, (SELECT name FROM keys WHERE keys.id = calls.key) AS key_name, model, reserved,
         chatrix_request_id, request_id FROM calls WHERE state = {uncertain} ORDER BY id"
    ))?;
    let calls = statement.query_map([], |row| {
        Ok(UncertainCall {
            id: row.get("id")?,
            began: row.get("at")?,
            command: row.get("command")?,
            key: row.get("key_name")?,
            model: row.get("model")?,
            reserved: row.get("reserved")?,
            chatrix_request_id: row.get("chatrix_request_id")?,
            bedrock_request_id: row.get("request_id")?,
        })
    })?;
    calls.collect()
}

fn find_call(connection: &Connection, id: CallId) -> Result<Option<BookedCall>> {
    let sql = "SELECT day, command, key, model, reserved, settled, state, input IS NOT NULL, rate_tokens IS NOT NULL,
               group_id FROM calls WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([id], booked_call).optional()
}

/// Reads the columns that [`find_call`] selects.
fn booked_call(row: &Row<'_>) -> Result<BookedCall> {
    let StoredKey(key) = row.get(2)?;
    Ok(BookedCall {
        account: Account { day: row.get(0)?, command: row.get(1)?, key, group: row.get(9)?, model: row.get(3)? },
        reserved: row.get(4)?,
        settled: row.get(5)?,
        state: row.get(6)?,
        has_usage: row.get(7)?,
        is_rated: row.get(8)?,
    })
}
