//! The table of groups of API keys. Removed groups are kept, because the calls of their keys refer to them.

use super::audit;
use crate::ledger::audit::{Author, Change};
use crate::ledger::budget::PeriodLimits;
use crate::ledger::group::{Group, GroupChange, GroupLimits, Removal};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, Row, params};

/// `false` when a group of that name exists and is not removed.
pub(super) fn add(connection: &Connection, author: &Author, name: &str, limits: GroupLimits) -> Result<bool> {
    let GroupLimits { pool, each } = limits;
    let added = connection.execute(
        "INSERT INTO groups (name, made, pool_day, pool_week, pool_month, each_day, each_week, each_month)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![name, author.at, pool.day, pool.week, pool.month, each.day, each.week, each.month],
    );
    match added {
        Ok(_) => audit::add(connection, author, Change::GroupAdded { name, limits }).map(|()| true),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives the limits as they are after the change; `None` when there is no group of that name, or it is removed.
pub(super) fn change(
    connection: &Connection,
    author: &Author,
    name: &str,
    change: GroupChange,
) -> Result<Option<GroupLimits>> {
    let Some(group) = find(connection, name)? else { return Ok(None) };
    let (before, after) = (group.limits, change.apply(group.limits));
    if before != after {
        let GroupLimits { pool, each } = after;
        connection.execute(
            "UPDATE groups SET pool_day = ?2, pool_week = ?3, pool_month = ?4, each_day = ?5, each_week = ?6,
             each_month = ?7 WHERE id = ?1",
            params![group.id, pool.day, pool.week, pool.month, each.day, each.week, each.month],
        )?;
        audit::add(connection, author, Change::GroupChanged { name, before, after })?;
    }
    Ok(Some(after))
}

pub(super) fn remove(connection: &Connection, author: &Author, name: &str) -> Result<Removal> {
    let Some(group) = find(connection, name)? else { return Ok(Removal::NoSuchGroup) };
    let keys = "SELECT name FROM keys WHERE group_id = ?1 AND revoked IS NULL ORDER BY id";
    let keys: Vec<String> =
        connection.prepare(keys)?.query_map([group.id], |row| row.get(0))?.collect::<Result<_>>()?;
    if !keys.is_empty() {
        return Ok(Removal::HasKeys(keys));
    }
    connection.execute("UPDATE groups SET removed = ?2 WHERE id = ?1", params![group.id, author.at])?;
    audit::add(connection, author, Change::GroupRemoved { name })?;
    Ok(Removal::Removed)
}

/// Every group, removed ones too, in the order they were made.
pub(super) fn all(connection: &Connection) -> Result<Vec<Group>> {
    connection.prepare_cached("SELECT * FROM groups ORDER BY id")?.query_map([], group)?.collect()
}

/// The group of a name that is not removed.
pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<Group>> {
    let sql = "SELECT * FROM groups WHERE name = ?1 AND removed IS NULL";
    connection.query_row(sql, [name], group).optional()
}

fn group(row: &Row<'_>) -> Result<Group> {
    Ok(Group {
        id: row.get("id")?,
        name: row.get("name")?,
        made: row.get("made")?,
        removed: row.get("removed")?,
        limits: limits(row)?,
    })
}

/// Reads the columns with limits.
pub(super) fn limits(row: &Row<'_>) -> Result<GroupLimits> {
    Ok(GroupLimits {
        pool: PeriodLimits { day: row.get("pool_day")?, week: row.get("pool_week")?, month: row.get("pool_month")? },
        each: PeriodLimits { day: row.get("each_day")?, week: row.get("each_week")?, month: row.get("each_month")? },
    })
}
