//! `chatrix keys list`.

use crate::catalog::NanoDollars;
use crate::commands::used_columns::{NONE, used_columns};
use crate::error::Error;
use crate::ledger::budget::{BudgetStatus, Period, date};
use crate::ledger::key::{Key, KeyLimits};
use crate::ledger::store::Store;
use crate::ledger::{Clock, KeySettings, RateLimits, day_of, moment};
use crate::policy::KeyOverrides;
use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::table::table;
use serde_json::{Value, json};

const HEADS: [&str; 13] = [
    "NAME",
    "SPENT",
    "GROUP",
    "A CALL",
    "A DAY",
    "A WEEK",
    "A MONTH",
    "A MINUTE",
    "AT ONCE",
    "AN ANSWER",
    "PROMPT CACHE",
    "MODELS",
    "STATE",
];

/// A key, with what it has spent.
struct KeyUsage {
    key: Key,
    /// What is booked under its own limits.
    statuses: Vec<BudgetStatus>,
    /// Altogether, uncertain calls at their worst case.
    spent: NanoDollars,
}

pub(super) fn list(as_json: bool, settings: &KeySettings, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let mut keys = Vec::new();
    for key in ledger.keys().map_err(Error::from)? {
        let key = settings.apply(key);
        let limits: Vec<_> = key.own_limits().collect();
        let statuses = ledger.statuses(&limits).map_err(Error::from)?;
        let spent = ledger.spent(&key.holder()).map_err(Error::from)?;
        keys.push(KeyUsage { key, statuses, spent });
    }
    if as_json {
        let values: Vec<Value> = keys.iter().map(KeyUsage::json).collect();
        print_json(format_args!("{:#}", Value::from(values)))?;
        return Ok(0);
    }
    if keys.is_empty() {
        note("there are no keys; `chatrix keys add NAME` makes one");
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = keys.iter().map(KeyUsage::cells).collect();
    let (heads, rows) = used_columns(&HEADS, &rows);
    print(&table(&heads, &rows, &[1], stdout().colour()))?;
    Ok(0)
}

impl KeyUsage {
    fn status(&self, period: Period) -> Option<&BudgetStatus> {
        self.statuses.iter().find(|status| status.limit.period == period)
    }

    /// One for each of the heads.
    fn cells(&self) -> Vec<String> {
        let left = |period| match self.status(period) {
            Some(status) => format!("{} left of {}", status.left(), status.limit.amount),
            None => NONE.to_owned(),
        };
        let Self { key, statuses: _, spent } = self;
        let KeyLimits { request, day: _, week: _, month: _, models, rates, overrides } = &key.limits;
        let RateLimits { requests, tokens, running } = rates;
        let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
        let joined = |parts: [Option<String>; 2]| {
            let parts = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
            if parts.is_empty() { NONE.to_owned() } else { parts }
        };
        let limit = |limit: Option<String>| limit.unwrap_or_else(|| NONE.to_owned());
        vec![
            key.name.clone(),
            spent.to_string(),
            key.group.as_ref().map_or(NONE, |group| &group.name).to_owned(),
            limit(request.map(|amount| amount.to_string())),
            left(Period::Day),
            left(Period::Week),
            left(Period::Month),
            joined([requests.map(|n| format!("{n} calls")), tokens.map(|n| format!("{n} tokens"))]),
            limit(running.map(|n| n.to_string())),
            joined([max_tokens.map(|n| format!("{n} tokens")), max_tokens_limit.map(|n| format!("{n} at most"))]),
            limit(prompt_cache.map(|is_on| cache_word(is_on).to_owned())),
            if models.is_empty() { "all".to_owned() } else { models.join(", ") },
            state(key, Clock::system().now()),
        ]
    }

    fn json(&self) -> Value {
        let left = |period| self.status(period).map(|status| status.left().number());
        let limit = |period| self.status(period).map(|status| status.limit.amount.number());
        let Self { key, statuses: _, spent } = self;
        let Key { id: _, name, hash: _, made: _, revoked, expires, previous, limits, group } = key;
        let KeyLimits { request, day: _, week: _, month: _, models, rates, overrides } = limits;
        let RateLimits { requests, tokens, running } = rates;
        let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
        let time = |at: i64| format!("{}Z", moment(at).replace(' ', "T"));
        json!({
            "name": name, "group": group.as_ref().map(|group| &group.name), "spent_usd": spent.number(), "revoked": revoked.is_some(), "models": models,
            "request_usd": request.map(NanoDollars::number), "day_usd": limit(Period::Day),
            "day_left_usd": left(Period::Day), "week_usd": limit(Period::Week),
            "week_left_usd": left(Period::Week), "month_usd": limit(Period::Month),
            "month_left_usd": left(Period::Month), "rpm": requests, "tpm": tokens, "max_running": running,
            "max_tokens": max_tokens, "max_tokens_limit": max_tokens_limit, "prompt_cache": prompt_cache.map(cache_word),
            "expires": expires.map(time), "previous_token_until": previous.as_ref().map(|token| time(token.until)),
        })
    }
}

/// The word for whether the prompt cache is used by itself.
pub(super) fn cache_word(is_on: bool) -> &'static str {
    if is_on { "auto" } else { "off" }
}

/// Whether a key is accepted, and until when. `now`: milliseconds since 1970.
fn state(key: &Key, now: i64) -> String {
    let Key { revoked, expires, previous, .. } = key;
    if let Some(at) = revoked {
        return format!("revoked {}", date(day_of(*at)));
    }
    let state = match expires {
        Some(at) if *at <= now => return format!("expired {}", moment(*at)),
        Some(at) => format!("active until {}", moment(*at)),
        None => "active".to_owned(),
    };
    match previous.as_ref().filter(|token| token.until > now) {
        Some(token) => format!("{state}, its old token until {}", moment(token.until)),
        None => state,
    }
}
