//! Sums for reports, and whether the ledger is sound.

use super::failure::Failure;
use super::values::{Holder, amount, sums, totals};
use super::{audit, schema};
use crate::catalog::NanoDollars;
use crate::ledger::audit::{Author, Change};
use crate::ledger::budget::{self, date};
use crate::ledger::posting::CallState;
use crate::ledger::report::{By, Examination, ReportRow, Sums};
use crate::ledger::stored::{state_number, unsigned};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

/// Sums from a day on (days since 1970).
pub(super) async fn report(client: &Client, by: By, since: i64) -> Result<Vec<ReportRow>, Failure> {
    let dearest = "SUM(settled) + SUM(uncertain) DESC";
    let (name, group, order) = match by {
        By::Day => ("day", "day", "day"),
        By::Model => ("model", "model", "SUM(settled) + SUM(uncertain) DESC, model"),
        By::Key => ("(SELECT name FROM chatrix.keys WHERE keys.id = totals.key)", "key", dearest),
        By::Group => ("(SELECT name FROM chatrix.groups WHERE groups.id = totals.group_id)", "group_id", dearest),
        By::Command => ("command", "command", "command"),
    };
    let from = if by == By::Group { GROUPED } else { "chatrix.totals" };
    let sql = format!(
        "SELECT {name}, SUM(calls)::bigint AS calls, SUM(unpriced)::bigint AS unpriced, SUM(input)::bigint AS input,
         SUM(output)::bigint AS output, SUM(cache_read)::bigint AS cache_read,
         SUM(cache_write)::bigint AS cache_write, SUM(settled)::bigint AS settled,
         SUM(reserved)::bigint AS reserved, SUM(uncertain)::bigint AS uncertain
         FROM {from} AS totals WHERE day >= $1 GROUP BY {group} HAVING SUM(calls) > 0 ORDER BY {order}"
    );
    let rows = client.query_typed(&sql, &[(&since, Type::INT8)]).await?;
    let rows = rows.iter().map(|row| {
        let name = if by == By::Day { Some(date(row.try_get(0)?).to_string()) } else { row.try_get(0)? };
        Ok(ReportRow { name, sums: report_sums(row)? })
    });
    rows.collect()
}

/// Calls by group: those of each group, and all others, which are all calls without those of groups.
const GROUPED: &str =
    "(SELECT group_id, day, calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain
     FROM chatrix.group_totals
     UNION ALL SELECT 0, day, calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain
     FROM chatrix.totals
     UNION ALL SELECT 0, day, -calls, -unpriced, -input, -output, -cache_read, -cache_write, -settled, -reserved,
     -uncertain FROM chatrix.group_totals)";

fn report_sums(row: &Row) -> Result<Sums, Failure> {
    let count = |column: &str| row.try_get(column).map(unsigned);
    Ok(Sums {
        calls: count("calls")?,
        unpriced: count("unpriced")?,
        input: count("input")?,
        output: count("output")?,
        cache_read: count("cache_read")?,
        cache_write: count("cache_write")?,
        settled: amount(row.try_get("settled")?),
        reserved: amount(row.try_get("reserved")?),
        uncertain: amount(row.try_get("uncertain")?),
    })
}

/// What a holder has spent altogether.
pub(super) async fn spent(client: &Client, holder: &budget::Holder) -> Result<NanoDollars, Failure> {
    let Holder { kind, id } = Holder::of(holder);
    let sql = "SELECT COALESCE(SUM(settled + uncertain), 0)::bigint FROM chatrix.booked WHERE kind = $1 AND id = $2";
    let row = client.query_typed_one(sql, &[(&kind, Type::INT2), (&id, Type::INT8)]).await?;
    Ok(amount(row.try_get(0)?))
}

/// Looks for damage, and counts what is booked. Reads every call.
pub(super) async fn examine(client: &Client) -> Result<Examination, Failure> {
    let version = schema::known_version(client).await?;
    let (open, uncertain) = (state_number(CallState::Reserved), state_number(CallState::Uncertain));
    // Of earlier days, calls may have been deleted.
    let is_kept = "day >= (SELECT MAX(kept_from) FROM chatrix.retention)";
    // One statement: the sums and the calls as they are at the same moment.
    let sql = format!(
        "SELECT of_calls.*, of_budgets.* FROM
         (SELECT COUNT(*), COUNT(*) FILTER (WHERE state = {open}), COUNT(*) FILTER (WHERE state = {uncertain}),
          COALESCE(SUM(settled) FILTER (WHERE state NOT IN ({open}, {uncertain}) AND {is_kept}), 0)::bigint,
          COALESCE(SUM(reserved) FILTER (WHERE state = {open} AND {is_kept}), 0)::bigint,
          COALESCE(SUM(reserved) FILTER (WHERE state = {uncertain} AND {is_kept}), 0)::bigint
          FROM chatrix.calls) AS of_calls,
         (SELECT COALESCE(SUM(settled), 0)::bigint, COALESCE(SUM(reserved), 0)::bigint,
          COALESCE(SUM(uncertain), 0)::bigint FROM chatrix.booked
          WHERE kind = 0 AND {is_kept}) AS of_budgets"
    );
    let row = client.query_typed_one(&sql, &[]).await?;
    let count = |n| row.try_get(n).map(unsigned);
    let (of_calls, of_budgets) = (sums(&row, 3)?, sums(&row, 6)?);
    let all = client.query_typed_one(ALL_SUMS, &[]).await?;
    Ok(Examination {
        version,
        problems: if of_calls == of_budgets { Vec::new() } else { vec!["the sums are not those of the calls".into()] },
        calls: count(0)?,
        open: count(1)?,
        uncertain: count(2)?,
        totals: totals(sums(&all, 0)?),
    })
}

const ALL_SUMS: &str = "SELECT COALESCE(SUM(settled), 0)::bigint, COALESCE(SUM(reserved), 0)::bigint,
    COALESCE(SUM(uncertain), 0)::bigint FROM chatrix.booked WHERE kind = 0";

/// Records that the operator declares this ledger to be right.
pub(super) async fn accept(client: &Client, author: &Author) -> Result<(), Failure> {
    client.execute_typed("INSERT INTO chatrix.acceptances VALUES ($1)", &[(&author.at, Type::INT8)]).await?;
    audit::add(client, author, Change::LedgerAccepted).await
}

/// When the operator last did so (milliseconds since 1970).
pub(super) async fn accepted_at(client: &Client) -> Result<Option<i64>, Failure> {
    Ok(client.query_typed_one("SELECT MAX(at) FROM chatrix.acceptances", &[]).await?.try_get(0)?)
}
