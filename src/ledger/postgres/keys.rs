//! The table of API keys. Revoked keys are kept, because the calls that were made with them refer to them.

use super::failure::Failure;
use super::values::{Parameter, amount};
use crate::catalog::NanoDollars;
use crate::ledger::ids::KeyId;
use crate::ledger::key::{Key, KeyLimits, PreviousToken, Rotation};
use crate::ledger::posting::signed;
use crate::ledger::rate::RateLimits;
use crate::policy::KeyOverrides;
use std::num::NonZeroU32;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

/// `false` when a key of that name exists and is not revoked. `now` and `expires`: milliseconds since 1970.
pub(super) async fn add(
    client: &Client,
    now: i64,
    name: &str,
    hash: &str,
    limits: &KeyLimits,
    expires: Option<i64>,
) -> Result<bool, Failure> {
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
    let models = models.join("\n");
    let sql = "WITH new AS (
                   INSERT INTO chatrix.keys (name, hash, made, group_id, models, prompt_cache, request, day, week, month,
                   requests_per_minute, tokens_per_minute, max_running, max_tokens, max_tokens_limit, expires)
                   VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                   ON CONFLICT DO NOTHING RETURNING id)
               INSERT INTO chatrix.holders SELECT 1, id FROM new";
    let mut parameters: Vec<Parameter<'_>> = vec![
        (&name, Type::TEXT),
        (&hash, Type::TEXT),
        (&now, Type::INT8),
        (&models, Type::TEXT),
        (prompt_cache, Type::BOOL),
    ];
    parameters.extend(numbers.iter().map(|number| (number as _, Type::INT8)));
    Ok(client.execute_typed(sql, &parameters).await? > 0)
}

/// `false` when there is no key of that name, or it is already revoked. `now`: milliseconds since 1970.
pub(super) async fn revoke(client: &Client, now: i64, name: &str) -> Result<bool, Failure> {
    let sql = "UPDATE chatrix.keys SET revoked = $2 WHERE name = $1 AND revoked IS NULL";
    Ok(client.execute_typed(sql, &[(&name, Type::TEXT), (&now, Type::INT8)]).await? > 0)
}

/// `false` when there is no key of that name, or it is revoked.
pub(super) async fn rotate(client: &Client, name: &str, rotation: &Rotation) -> Result<bool, Failure> {
    let Rotation { hash, previous_until, expires } = rotation;
    let sql = "UPDATE chatrix.keys SET previous_hash = CASE WHEN $3 IS NULL THEN NULL ELSE hash END,
               previous_until = $3, hash = $2, expires = COALESCE($4, expires)
               WHERE name = $1 AND revoked IS NULL";
    let parameters: [Parameter<'_>; 4] =
        [(&name, Type::TEXT), (hash, Type::TEXT), (previous_until, Type::INT8), (expires, Type::INT8)];
    Ok(client.execute_typed(sql, &parameters).await? > 0)
}

/// Every key, revoked ones too, in the order they were made.
pub(super) async fn all(client: &Client) -> Result<Vec<Key>, Failure> {
    let sql = "SELECT id, name, hash, made, revoked, expires, previous_hash, previous_until, request, day, week, month,
               models, requests_per_minute, tokens_per_minute, max_running, max_tokens, max_tokens_limit, prompt_cache
               FROM chatrix.keys ORDER BY id";
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
    })
}
