//! The table of API keys. Revoked keys are kept, because the calls that were made with them refer to them.

use super::{audit, groups};
use crate::ledger::audit::{Author, Change};
use crate::ledger::group::{Group, Move};
use crate::ledger::key::{Addition, Key, KeyLimits, NewKey, PreviousToken, Rotation};
use crate::ledger::rate::RateLimits;
use crate::policy::KeyOverrides;
use rusqlite::{Connection, ErrorCode, Result, Row, named_params, params};
use std::num::NonZeroU32;
use std::sync::Arc;

pub(super) fn add(connection: &Connection, author: &Author, key: &NewKey<'_>) -> Result<Addition> {
    let NewKey { name, hash, limits, expires, group } = *key;
    let group = match group {
        Some(name) => match groups::find(connection, name)? {
            Some(group) => Some(group.id),
            None => return Ok(Addition::NoSuchGroup),
        },
        None => None,
    };
    let KeyLimits { request, day, week, month, models, rates, overrides } = limits;
    let RateLimits { requests, tokens, running } = rates;
    let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
    let number = |limit: &Option<NonZeroU32>| limit.map(NonZeroU32::get);
    let added = connection.execute(
        "INSERT INTO keys (name, hash, made, request, day, month, models, requests_per_minute, tokens_per_minute,
         max_running, expires, week, max_tokens, max_tokens_limit, prompt_cache, group_id)
         VALUES (:name, :hash, :made, :request, :day, :month, :models, :requests, :tokens, :running, :expires, :week,
         :max_tokens, :max_tokens_limit, :prompt_cache, :group)",
        named_params! {
            ":name": name,
            ":hash": hash,
            ":made": author.at,
            ":request": request,
            ":day": day,
            ":month": month,
            ":models": models.join("\n"),
            ":requests": number(requests),
            ":tokens": number(tokens),
            ":running": number(running),
            ":expires": expires,
            ":week": week,
            ":max_tokens": max_tokens,
            ":max_tokens_limit": max_tokens_limit,
            ":prompt_cache": prompt_cache,
            ":group": group,
        },
    );
    match added {
        Ok(_) => audit::add(connection, author, Change::KeyAdded(key)).map(|()| Addition::Added),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(Addition::NameTaken),
        Err(error) => Err(error),
    }
}

/// `false` when there is no key of that name, or it is already revoked.
pub(super) fn revoke(connection: &Connection, author: &Author, name: &str) -> Result<bool> {
    let sql = "UPDATE keys SET revoked = :now WHERE name = :name AND revoked IS NULL";
    let is_revoked = connection.execute(sql, named_params! { ":name": name, ":now": author.at })? > 0;
    if is_revoked {
        audit::add(connection, author, Change::KeyRevoked { name })?;
    }
    Ok(is_revoked)
}

/// `false` when there is no key of that name, or it is revoked.
pub(super) fn rotate(connection: &Connection, author: &Author, name: &str, rotation: &Rotation) -> Result<bool> {
    let Rotation { hash, previous_until, expires } = rotation;
    let sql = "UPDATE keys SET previous_hash = iif(:until IS NULL, NULL, hash), previous_until = :until, hash = :hash,
               expires = COALESCE(:expires, expires) WHERE name = :name AND revoked IS NULL";
    let values = named_params! { ":name": name, ":hash": hash, ":until": previous_until, ":expires": expires };
    let is_rotated = connection.execute(sql, values)? > 0;
    if is_rotated {
        audit::add(connection, author, Change::KeyRotated { name, rotation })?;
    }
    Ok(is_rotated)
}

/// Moves a key to the group of a name, or out of its group.
pub(super) fn move_to(connection: &Connection, author: &Author, name: &str, group: Option<&str>) -> Result<Move> {
    let usable = |key: &Key| key.name == name && key.revoked.is_none();
    let Some(key) = all(connection)?.into_iter().find(usable) else { return Ok(Move::NoSuchKey) };
    let to = match group {
        Some(name) => match groups::find(connection, name)? {
            Some(group) => Some(group),
            None => return Ok(Move::NoSuchGroup),
        },
        None => None,
    };
    let (from, to) = (key.group.as_deref(), to.as_ref());
    if from.map(|group| group.id) == to.map(|group| group.id) {
        return Ok(Move::Unchanged);
    }
    connection.execute("UPDATE keys SET group_id = ?2 WHERE id = ?1", params![key.id, to.map(|group| group.id)])?;
    let name_of = |group: &'_ Group| group.name.clone();
    let (from, to) = (from.map(name_of), to.map(name_of));
    audit::add(connection, author, Change::KeyMoved { name, from: from.as_deref(), to: to.as_deref() })?;
    Ok(Move::Moved)
}

/// Every key, revoked ones too, in the order they were made.
pub(super) fn all(connection: &Connection) -> Result<Vec<Key>> {
    // One statement, so that keys and groups are those of the same moment.
    let sql = "SELECT keys.*, groups.id AS group_number, groups.name AS group_name, groups.made AS group_made,
               groups.removed AS group_removed, pool_day, pool_week, pool_month, each_day, each_week, each_month
               FROM keys LEFT JOIN groups ON groups.id = keys.group_id ORDER BY keys.id";
    connection.prepare_cached(sql)?.query_map([], key)?.collect()
}

fn key(row: &Row<'_>) -> Result<Key> {
    let models: String = row.get("models")?;
    let limit = |column| row.get::<_, Option<u32>>(column).map(|limit| limit.and_then(NonZeroU32::new));
    Ok(Key {
        id: row.get("id")?,
        name: row.get("name")?,
        hash: row.get("hash")?,
        made: row.get("made")?,
        revoked: row.get("revoked")?,
        expires: row.get("expires")?,
        previous: match (row.get("previous_hash")?, row.get("previous_until")?) {
            (Some(hash), Some(until)) => Some(PreviousToken { hash, until }),
            _ => None,
        },
        limits: KeyLimits {
            request: row.get("request")?,
            day: row.get("day")?,
            week: row.get("week")?,
            month: row.get("month")?,
            models: models.lines().map(ToOwned::to_owned).collect(),
            rates: RateLimits {
                requests: limit("requests_per_minute")?,
                tokens: limit("tokens_per_minute")?,
                running: limit("max_running")?,
            },
            overrides: KeyOverrides {
                max_tokens: row.get("max_tokens")?,
                max_tokens_limit: row.get("max_tokens_limit")?,
                prompt_cache: row.get("prompt_cache")?,
            },
        },
        group: group(row)?,
    })
}

fn group(row: &Row<'_>) -> Result<Option<Arc<Group>>> {
    let Some(id) = row.get("group_number")? else { return Ok(None) };
    let (name, made, removed) = (row.get("group_name")?, row.get("group_made")?, row.get("group_removed")?);
    Ok(Some(Arc::new(Group { id, name, made, removed, limits: groups::limits(row)? })))
}
