//! `chatrix keys list`.

use crate::catalog::NanoDollars;
use crate::commands::listing::{Listed, NONE, print_list};
use crate::commands::spending::Spending;
use crate::error::Error;
use crate::ledger::budget::{Period, date};
use crate::ledger::key::{Key, KeyLimits};
use crate::ledger::store::Store;
use crate::ledger::{Clock, KeySettings, RateLimits, day_of, moment, timestamp};
use crate::policy::KeyOverrides;
use serde_json::{Value, json};

/// A key, with what it has spent.
struct KeyUsage {
    key: Key,
    /// Under its own limits.
    spending: Spending,
}

pub(super) fn list(as_json: bool, settings: &KeySettings, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let mut keys = Vec::new();
    for key in ledger.keys().map_err(Error::from)? {
        let key = settings.apply(key);
        let spending = Spending::of(ledger, &key.holder(), &key.own_limits().collect::<Vec<_>>())?;
        keys.push(KeyUsage { key, spending });
    }
    print_list(&keys, as_json, "there are no keys; `chatrix keys add NAME` makes one")
}

impl Listed for KeyUsage {
    const HEADS: &'static [&'static str] = &[
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
    const NUMBERS: &'static [usize] = &[1];

    fn cells(&self) -> Vec<String> {
        let Self { key, spending } = self;
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
            spending.spent.to_string(),
            key.group.as_ref().map_or(NONE, |group| &group.name).to_owned(),
            limit(request.map(|amount| amount.to_string())),
            spending.cell(Period::Day),
            spending.cell(Period::Week),
            spending.cell(Period::Month),
            joined([requests.map(|n| format!("{n} calls")), tokens.map(|n| format!("{n} tokens"))]),
            limit(running.map(|n| n.to_string())),
            joined([max_tokens.map(|n| format!("{n} tokens")), max_tokens_limit.map(|n| format!("{n} at most"))]),
            limit(prompt_cache.map(|is_on| cache_word(is_on).to_owned())),
            if models.is_empty() { "all".to_owned() } else { models.join(", ") },
            state(key, Clock::system().now()),
        ]
    }

    fn json(&self) -> Value {
        let Self { key, spending } = self;
        let (left, limit) = (|period| spending.left_usd(period), |period| spending.limit_usd(period));
        let Key { id: _, name, hash: _, made: _, revoked, expires, previous, limits, group } = key;
        let KeyLimits { request, day: _, week: _, month: _, models, rates, overrides } = limits;
        let RateLimits { requests, tokens, running } = rates;
        let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
        json!({
            "name": name, "group": group.as_ref().map(|group| &group.name), "spent_usd": spending.spent.number(), "revoked": revoked.is_some(), "models": models,
            "request_usd": request.map(NanoDollars::number), "day_usd": limit(Period::Day),
            "day_left_usd": left(Period::Day), "week_usd": limit(Period::Week),
            "week_left_usd": left(Period::Week), "month_usd": limit(Period::Month),
            "month_left_usd": left(Period::Month), "rpm": requests, "tpm": tokens, "max_running": running,
            "max_tokens": max_tokens, "max_tokens_limit": max_tokens_limit, "prompt_cache": prompt_cache.map(cache_word),
            "expires": expires.map(timestamp), "previous_token_until": previous.as_ref().map(|token| timestamp(token.until)),
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
