//! The table of groups of API keys. Removed groups are kept, because the calls of their keys refer to them.

use super::audit;
use super::failure::Failure;
use super::values::{Parameter, amount};
use crate::catalog::NanoDollars;
use crate::ledger::audit::{Author, Change};
use crate::ledger::budget::PeriodLimits;
use crate::ledger::group::{Group, GroupChange, GroupLimits, Removal};
use crate::ledger::ids::GroupId;
use crate::ledger::posting::signed;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

const COLUMNS: &str = "id, name, made, removed, pool_day, pool_week, pool_month, each_day, each_week, each_month";

/// The amounts of a group, in the order of their columns.
fn amounts(limits: GroupLimits) -> [Option<i64>; 6] {
    let GroupLimits { pool, each } = limits;
    let amounts = [pool.day, pool.week, pool.month, each.day, each.week, each.month];
    amounts.map(|amount: Option<NanoDollars>| amount.map(|amount| signed(amount.0)))
}

/// `false` when a group of that name exists and is not removed.
pub(super) async fn add(client: &Client, author: &Author, name: &str, limits: GroupLimits) -> Result<bool, Failure> {
    let amounts = amounts(limits);
    let sql = "WITH new AS (
                   INSERT INTO chatrix.groups (name, made, pool_day, pool_week, pool_month, each_day, each_week,
                   each_month) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id)
               INSERT INTO chatrix.holders SELECT 2, id FROM new";
    let mut parameters: Vec<Parameter<'_>> = vec![(&name, Type::TEXT), (&author.at, Type::INT8)];
    parameters.extend(amounts.iter().map(|amount| (amount as _, Type::INT8)));
    if client.execute_typed(sql, &parameters).await? == 0 {
        return Ok(false);
    }
    audit::add(client, author, Change::GroupAdded { name, limits }).await?;
    Ok(true)
}

/// Gives the limits as they are after the change; `None` when there is no group of that name, or it is removed.
pub(super) async fn change(
    client: &Client,
    author: &Author,
    name: &str,
    change: GroupChange,
) -> Result<Option<GroupLimits>, Failure> {
    let Some(group) = find(client, name).await? else { return Ok(None) };
    let (before, after) = (group.limits, change.apply(group.limits));
    if before != after {
        let amounts = amounts(after);
        let sql = "UPDATE chatrix.groups SET pool_day = $2, pool_week = $3, pool_month = $4, each_day = $5,
                   each_week = $6, each_month = $7 WHERE id = $1";
        let mut parameters: Vec<Parameter<'_>> = vec![(&group.id.0, Type::INT8)];
        parameters.extend(amounts.iter().map(|amount| (amount as _, Type::INT8)));
        client.execute_typed(sql, &parameters).await?;
        audit::add(client, author, Change::GroupChanged { name, before, after }).await?;
    }
    Ok(Some(after))
}

/// Removes a group, unless keys are in it that are not revoked.
pub(super) async fn remove(client: &Client, author: &Author, name: &str) -> Result<Removal, Failure> {
    // Whoever puts a key into the group locks it too.
    let Some(group) = find(client, name).await? else { return Ok(Removal::NoSuchGroup) };
    let sql = "SELECT name FROM chatrix.keys WHERE group_id = $1 AND revoked IS NULL ORDER BY id";
    let rows = client.query_typed(sql, &[(&group.id.0, Type::INT8)]).await?;
    let keys: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if !keys.is_empty() {
        return Ok(Removal::HasKeys(keys));
    }
    let sql = "UPDATE chatrix.groups SET removed = $2 WHERE id = $1";
    client.execute_typed(sql, &[(&group.id.0, Type::INT8), (&author.at, Type::INT8)]).await?;
    audit::add(client, author, Change::GroupRemoved { name }).await?;
    Ok(Removal::Removed)
}

/// Every group, removed ones too, in the order they were made.
pub(super) async fn all(client: &Client) -> Result<Vec<Group>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM chatrix.groups ORDER BY id");
    client.query_typed(&sql, &[]).await?.iter().map(group).collect()
}

/// The group of a name that is not removed. It is locked: nobody else changes or removes it before this transaction
/// ends.
pub(super) async fn find(client: &Client, name: &str) -> Result<Option<Group>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM chatrix.groups WHERE name = $1 AND removed IS NULL FOR NO KEY UPDATE");
    client.query_typed_opt(&sql, &[(&name, Type::TEXT)]).await?.as_ref().map(group).transpose()
}

fn group(row: &Row) -> Result<Group, Failure> {
    Ok(Group {
        id: GroupId(row.try_get("id")?),
        name: row.try_get("name")?,
        made: row.try_get("made")?,
        removed: row.try_get("removed")?,
        limits: limits(row)?,
    })
}

/// Reads the columns with limits.
pub(super) fn limits(row: &Row) -> Result<GroupLimits, Failure> {
    let dollars = |column: &str| row.try_get::<_, Option<i64>>(column).map(|stored| stored.map(amount));
    Ok(GroupLimits {
        pool: PeriodLimits { day: dollars("pool_day")?, week: dollars("pool_week")?, month: dollars("pool_month")? },
        each: PeriodLimits { day: dollars("each_day")?, week: dollars("each_week")?, month: dollars("each_month")? },
    })
}
