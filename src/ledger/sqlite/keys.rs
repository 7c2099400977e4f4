//! The table of API keys. Revoked keys are kept, because the calls that were made with them refer to them.

use crate::ledger::key::{Key, KeyLimits, PreviousToken, Rotation};
use crate::ledger::rate::RateLimits;
use crate::policy::KeyOverrides;
use rusqlite::{Connection, ErrorCode, Result, Row, named_params};
use std::num::NonZeroU32;

/// `false` when a key of that name exists and is not revoked. `now` and `expires`: milliseconds since 1970.
pub(super) fn add(
    connection: &Connection,
    now: i64,
    name: &str,
    hash: &str,
    limits: &KeyLimits,
    expires: Option<i64>,
) -> Result<bool> {
    let KeyLimits { request, day, week, month, models, rates, overrides } = limits;
    let RateLimits { requests, tokens, running } = rates;
    let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
    let number = |limit: &Option<NonZeroU32>| limit.map(NonZeroU32::get);
    let added = connection.execute(
        "INSERT INTO keys (name, hash, made, request, day, month, models, requests_per_minute, tokens_per_minute,
         max_running, expires, week, max_tokens, max_tokens_limit, prompt_cache)
         VALUES (:name, :hash, :made, :request, :day, :month, :models, :requests, :tokens, :running, :expires, :week,
         :max_tokens, :max_tokens_limit, :prompt_cache)",
        named_params! {
            ":name": name,
            ":hash": hash,
            ":made": now,
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
        },
    );
    match added {
        Ok(_) => Ok(true),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
        Err(error) => Err(error),
    }
}

/// `false` when there is no key of that name, or it is already revoked. `now`: milliseconds since 1970.
pub(super) fn revoke(connection: &Connection, now: i64, name: &str) -> Result<bool> {
    let sql = "UPDATE keys SET revoked = :now WHERE name = :name AND revoked IS NULL";
    Ok(connection.execute(sql, named_params! { ":name": name, ":now": now })? > 0)
}

/// `false` when there is no key of that name, or it is revoked.
pub(super) fn rotate(connection: &Connection, name: &str, rotation: &Rotation) -> Result<bool> {
    let Rotation { hash, previous_until, expires } = rotation;
    let sql = "UPDATE keys SET previous_hash = iif(:until IS NULL, NULL, hash), previous_until = :until, hash = :hash,
               expires = COALESCE(:expires, expires) WHERE name = :name AND revoked IS NULL";
    let values = named_params! { ":name": name, ":hash": hash, ":until": previous_until, ":expires": expires };
    Ok(connection.execute(sql, values)? > 0)
}

/// Every key, revoked ones too, in the order they were made.
pub(super) fn all(connection: &Connection) -> Result<Vec<Key>> {
    let sql =
        "SELECT id, name, hash, made, revoked, request, day, month, models, requests_per_minute, tokens_per_minute,
               max_running, expires, previous_hash, previous_until, week, max_tokens, max_tokens_limit, prompt_cache FROM keys ORDER BY id";
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
    })
}
