//! The table of API keys. Revoked keys are kept, because the calls that were made with them refer to them.

use super::failure::Failure;
use super::values::{Parameter, amount, group_of, stored_group};
use super::{audit, groups};
use crate::catalog::NanoDollars;
use crate::ledger::audit::{Author, Change};
use crate::ledger::group::{Group, Move};
use crate::ledger::ids::{GroupId, KeyId};
use crate::ledger::key::{Addition, Key, KeyLimits, NewKey, PreviousToken, Rotation};
use crate::ledger::posting::signed;
use crate::ledger::rate::RateLimits;
use crate::policy::KeyOverrides;
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

pub(super) async fn add(client: &Client, author: &Author, key: &NewKey<'_>) -> Result<Addition, Failure> {
    let group = match key.group {
        Some(name) => match groups::find(client, name).await? {
            Some(group) => Some(group.id),
            None => return Ok(Addition::NoSuchGroup),
        },
        None => None,
    };
    if !insert(client, author.at, key, group).await? {
        return Ok(Addition::NameTaken);
    }
    audit::add(client, author, Change::KeyAdded(key)).await?;
    Ok(Addition::Added)
}

/// `false` when a key of that name exists and is not revoked. `now`: milliseconds since 1970.
async fn insert(client: &Client, now: i64, key: &NewKey<'_>, group: Option<GroupId>) -> Result<bool, Failure> {
    let NewKey { name, hash, limits, expires, group: _ } = *key;
    let KeyLimits { request, day, week, month, models, rates, overrides } = limits;
    let RateLimits { requests, tokens, running } = rates;
    let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
    let dollars = |amount: &Option<NanoDollars>| amount.map(|amount| signed(amount.0));
    let number = |limit: &Option<NonZeroU32>| limit.map(|limit| i64::from(limit.get()));
    let numbers = [
        dollars(request),
        dollars(day),
        dollars(week),
        dollars(month),
        number(requests),
        number(tokens),
        number(running),
        max_tokens.map(i64::from),
        max_tokens_limit.map(i64::from),
        expires,
    ];
    let (models, group) = (models.join("\n"), stored_group(group));
    let sql = "WITH new AS (
                   INSERT INTO chatrix.keys (name, hash, made, group_id, models, prompt_cache, request, day, week, month,
                   requests_per_minute, tokens_per_minute, max_running, max_tokens, max_tokens_limit, expires)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
                   ON CONFLICT DO NOTHING RETURNING id)
               INSERT INTO chatrix.holders SELECT 1, id FROM new";
    let mut parameters: Vec<Parameter<'_>> = vec![
        (&name, Type::TEXT),
        (&hash, Type::TEXT),
        (&now, Type::INT8),
        (&group, Type::INT8),
        (&models, Type::TEXT),
        (prompt_cache, Type::BOOL),
    ];
    parameters.extend(numbers.iter().map(|number| (number as _, Type::INT8)));
    Ok(client.execute_typed(sql, &parameters).await? > 0)
}

/// `false` when there is no key of that name, or it is already revoked.
pub(super) async fn revoke(client: &Client, author: &Author, name: &str) -> Result<bool, Failure> {
    let sql = "UPDATE chatrix.keys SET revoked = $2 WHERE name = $1 AND revoked IS NULL";
    let is_revoked = client.execute_typed(sql, &[(&name, Type::TEXT), (&author.at, Type::INT8)]).await? > 0;
    if is_revoked {
        audit::add(client, author, Change::KeyRevoked { name }).await?;
    }
    Ok(is_revoked)
}

/// `false` when there is no key of that name, or it is revoked.
pub(super) async fn rotate(client: &Client, author: &Author, name: &str, rotation: &Rotation) -> Result<bool, Failure> {
    let Rotation { hash, previous_until, expires } = rotation;
    let sql = "UPDATE chatrix.keys SET previous_hash = CASE WHEN $3 IS NULL THEN NULL ELSE hash END,
               previous_until = $3, hash = $2, expires = COALESCE($4, expires)
               WHERE name = $1 AND revoked IS NULL";
    let parameters: [Parameter<'_>; 4] =
        [(&name, Type::TEXT), (hash, Type::TEXT), (previous_until, Type::INT8), (expires, Type::INT8)];
    let is_rotated = client.execute_typed(sql, &parameters).await? > 0;
    if is_rotated {
        audit::add(client, author, Change::KeyRotated { name, rotation }).await?;
    }
    Ok(is_rotated)
}

/// Moves a key to the group of a name, or out of its group.
pub(super) async fn move_to(
    client: &Client,
    author: &Author,
    name: &str,
    group: Option<&str>,
) -> Result<Move, Failure> {
    let sql = "SELECT id, group_id, (SELECT name FROM chatrix.groups WHERE groups.id = keys.group_id)
               FROM chatrix.keys WHERE name = $1 AND revoked IS NULL FOR NO KEY UPDATE";
    let Some(row) = client.query_typed_opt(sql, &[(&name, Type::TEXT)]).await? else { return Ok(Move::NoSuchKey) };
    let (key, before, from): (i64, i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let after = match group {
        Some(name) => match groups::find(client, name).await? {
            Some(group) => Some(group.id),
            None => return Ok(Move::NoSuchGroup),
        },
        None => None,
    };
    if group_of(before) == after {
        return Ok(Move::Unchanged);
    }
    let after = stored_group(after);
    let sql = "UPDATE chatrix.keys SET group_id = $2 WHERE id = $1";
    client.execute_typed(sql, &[(&key, Type::INT8), (&after, Type::INT8)]).await?;
    audit::add(client, author, Change::KeyMoved { name, from: from.as_deref(), to: group }).await?;
    Ok(Move::Moved)
}

/// Every key, revoked ones too, in the order they were made.
pub(super) async fn all(client: &Client) -> Result<Vec<Key>, Failure> {
    // One statement, so that keys and groups are those of the same moment.
    let sql =
        "SELECT keys.id, keys.name, hash, keys.made, revoked, expires, previous_hash, previous_until, request, day,
               week, month, models, requests_per_minute, tokens_per_minute, max_running, max_tokens, max_tokens_limit,
               prompt_cache, groups.id AS group_number, groups.name AS group_name, groups.made AS group_made,
               groups.removed AS group_removed, pool_day, pool_week, pool_month, each_day, each_week, each_month
               FROM chatrix.keys LEFT JOIN chatrix.groups ON groups.id = keys.group_id ORDER BY keys.id";
    client.query_typed(sql, &[]).await?.iter().map(key).collect()
}

fn key(row: &Row) -> Result<Key, Failure> {
    let dollars = |column: &str| row.try_get::<_, Option<i64>>(column).map(|stored| stored.map(amount));
    let number = |column: &str| {
        row.try_get::<_, Option<i64>>(column).map(|stored| stored.and_then(|number| u32::try_from(number).ok()))
    };
    let limit = |column: &str| number(column).map(|number| number.and_then(NonZeroU32::new));
    let models: String = row.try_get("models")?;
    Ok(Key {
        id: KeyId(row.try_get("id")?),
        name: row.try_get("name")?,
        hash: row.try_get("hash")?,
        made: row.try_get("made")?,
        revoked: row.try_get("revoked")?,
        expires: row.try_get("expires")?,
        previous: match (row.try_get("previous_hash")?, row.try_get("previous_until")?) {
            (Some(hash), Some(until)) => Some(PreviousToken { hash, until }),
            _ => None,
        },
        limits: KeyLimits {
            request: dollars("request")?,
            day: dollars("day")?,
            week: dollars("week")?,
            month: dollars("month")?,
            models: models.lines().map(ToOwned::to_owned).collect(),
            rates: RateLimits {
                requests: limit("requests_per_minute")?,
                tokens: limit("tokens_per_minute")?,
                running: limit("max_running")?,
            },
            overrides: KeyOverrides {
                max_tokens: number("max_tokens")?,
                max_tokens_limit: number("max_tokens_limit")?,
                prompt_cache: row.try_get("prompt_cache")?,
            },
        },
        group: group(row)?,
    })
}

fn group(row: &Row) -> Result<Option<Arc<Group>>, Failure> {
    let Some(id) = row.try_get::<_, Option<i64>>("group_number")? else { return Ok(None) };
    let (name, made, removed) = (row.try_get("group_name")?, row.try_get("group_made")?, row.try_get("group_removed")?);
    Ok(Some(Arc::new(Group { id: GroupId(id), name, made, removed, limits: groups::limits(row)? })))
}
