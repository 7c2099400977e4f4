//! `chatrix keys`: who may use `serve`, and for how much. A token is written to stdout, once, and nowhere else.

mod list;

use crate::catalog::{Catalog, NanoDollars};
use crate::cli::{KeysAction, KeysAdd, KeysMove, KeysRotate, PromptCache};
use crate::commands::ledger_names::{self, no_such_group, no_such_key};
use crate::commands::setup::open_ledger;
use crate::commands::times;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::group::Move;
use crate::ledger::key::{Addition, KeyLimits, NewKey, Rotation, hash, new_token};
use crate::ledger::key_profile::{self, KeyProfile};
use crate::ledger::store::Store;
use crate::ledger::{Clock, RateLimits, moment, start_of_day};
use crate::policy::KeyOverrides;
use crate::terminal::output::{note, print_data};
use crate::terminal::printable::Printable;
use anyhow::Context;
use list::{cache_word, list};
use std::num::NonZeroU32;

const NO_RANDOM_NUMBERS: &str = "the operating system provides no random numbers";

/// Makes a key, lists them, gives one a new token, moves one to another group, or revokes one.
pub(crate) fn run(action: &KeysAction, settings: &Settings) -> anyhow::Result<u8> {
    let mut ledger = open_ledger(settings)?;
    match action {
        KeysAction::Add(args) => add(args, settings, ledger.as_mut()),
        KeysAction::List(args) => list(args.json, &settings.keys, ledger.as_mut()),
        KeysAction::Rotate(args) => rotate(args, ledger.as_mut()),
        KeysAction::Move(args) => move_key(args, ledger.as_mut()),
        KeysAction::Revoke(args) => revoke(&args.name, ledger.as_mut()),
    }
}

fn add(args: &KeysAdd, settings: &Settings, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let KeysAdd { name, expires, .. } = args;
    ledger_names::check(name, "key")?;
    let mut limits = limits(args);
    for model in &mut limits.models {
        *model = whole_name(model, settings.catalog())?;
    }
    check_tokens(&limits.overrides, settings)?;
    let token = new_token().context(NO_RANDOM_NUMBERS)?;
    let expires = expires.as_deref().map(|text| end(text, Clock::system().now())).transpose()?;
    let group = args.group.as_deref();
    let key = NewKey { name, hash: &hash(&token), limits: &limits, expires, group };
    match ledger.add_key(&key).map_err(Error::from)? {
        Addition::Added => {}
        Addition::NameTaken => {
            let message = format!("there is already a key {name:?}");
            return Err(Error::new(Kind::InvalidRequest, message)
                .advise("choose another name, or revoke that key first")
                .into());
        }
        Addition::NoSuchGroup => {
            let groups = ledger.groups().map_err(Error::from)?;
            return Err(no_such_group(group.unwrap_or_default(), &groups).into());
        }
    }
    if let Some(profile) = &args.profile {
        note(Printable::line(format_args!("{name} is for {profile}: {}", described(&limits))));
    }
    note(Printable::line(format_args!("the token of {name}, shown this once:")));
    print_data(&format!("{token}\n"))?;
    Ok(0)
}

/// The whole name of a model that a person has typed, of either kind. What a key allows is stored, and must not come to
/// mean another model.
fn whole_name(typed: &str, catalog: &Catalog) -> Result<String, Error> {
    if catalog.check_name(typed).is_ok() {
        return Ok(typed.to_owned());
    }
    let meant = catalog.resolve_typed(typed)?;
    if let Some(notice) = meant.notice(typed) {
        note(Printable::line(notice));
    }
    Ok(meant.name)
}

/// The limits that a person has typed, over those of the profile.
fn limits(args: &KeysAdd) -> KeyLimits {
    let KeysAdd { name: _, group: _, profile, max_tokens, max_tokens_limit, prompt_cache, expires: _, .. } = args;
    let KeysAdd { request_usd, day_usd, week_usd, month_usd, models, rpm, tpm, max_running, .. } = args;
    let typed = KeyLimits {
        request: *request_usd,
        day: *day_usd,
        week: *week_usd,
        month: *month_usd,
        models: models.clone(),
        rates: RateLimits { requests: *rpm, tokens: *tpm, running: *max_running },
        overrides: KeyOverrides {
            max_tokens: max_tokens.map(NonZeroU32::get),
            max_tokens_limit: max_tokens_limit.map(NonZeroU32::get),
            prompt_cache: prompt_cache.map(|cache| cache == PromptCache::Auto),
        },
    };
    let profile = profile.as_deref().and_then(key_profile::find);
    profile.map(KeyProfile::limits).unwrap_or_default().with(&typed)
}

/// Refuses a default that is above the limit: it would be lowered at every call.
fn check_tokens(overrides: &KeyOverrides, settings: &Settings) -> Result<(), Error> {
    let limit = overrides.max_tokens_limit.unwrap_or(settings.policy().limits.max_tokens_limit);
    match overrides.max_tokens.filter(|tokens| *tokens > limit) {
        None => Ok(()),
        Some(tokens) => {
            let message = format!("--max-tokens {tokens} is above the limit of {limit} tokens");
            Err(Error::new(Kind::InvalidRequest, message).advise(format!("add --max-tokens-limit {tokens}")))
        }
    }
}

/// The limits of a new key, in words.
fn described(limits: &KeyLimits) -> String {
    let KeyLimits { request, day, week, month, models, rates, overrides } = limits;
    let RateLimits { requests, tokens, running } = rates;
    let KeyOverrides { max_tokens, max_tokens_limit, prompt_cache } = overrides;
    let usd = |amount: &Option<NanoDollars>, of: &str| amount.map(|amount| format!("at most {amount} {of}"));
    let number = |n: &Option<NonZeroU32>, of: &str| n.map(|n| format!("{n} {of}"));
    let parts = [
        max_tokens.map(|n| format!("answers of {n} tokens for requests that set no limit")),
        max_tokens_limit.map(|n| format!("answers of {n} tokens at most")),
        usd(request, "a call"),
        usd(day, "a day"),
        usd(week, "a week"),
        usd(month, "a month"),
        number(requests, "calls a minute"),
        number(tokens, "tokens a minute"),
        number(running, "calls at once"),
        prompt_cache.map(|is_on| format!("prompt cache {}", cache_word(is_on))),
        (!models.is_empty()).then(|| format!("only {}", models.join(", "))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn rotate(args: &KeysRotate, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let KeysRotate { name, overlap, expires } = args;
    let now = Clock::system().now();
    let overlap = times::length(overlap).ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("--overlap {overlap:?} is not a length of time"))
            .advise("give one like 24h, 30m or 7d, or 0")
    })?;
    let expires = expires.as_deref().map(|text| end(text, now)).transpose()?;
    let keys = ledger.keys().map_err(Error::from)?;
    let no_such_key = || no_such_key(name, "rotate", &keys);
    let key = keys.iter().find(|key| key.name == *name && key.revoked.is_none()).ok_or_else(no_such_key)?;
    if let Some(at) = key.expires.filter(|at| expires.is_none() && *at <= now) {
        let message = format!("the key {name} expired on {} UTC, and so would its new token", moment(at));
        return Err(Error::new(Kind::InvalidRequest, message).advise("add --expires with a later time").into());
    }
    let replaced_early = key.previous.as_ref().is_some_and(|previous| previous.until > now);
    let token = new_token().context(NO_RANDOM_NUMBERS)?;
    let until = (overlap > 0).then(|| now.saturating_add(overlap));
    let rotation = Rotation { hash: hash(&token), previous_until: until, expires };
    if !ledger.rotate_key(name, &rotation).map_err(Error::from)? {
        return Err(no_such_key().into());
    }
    match until {
        Some(until) => note(Printable::line(format_args!(
            "the present token of {name} is accepted until {} UTC; the new one, shown this once:",
            moment(until)
        ))),
        None => {
            note(Printable::line(format_args!("the present token of {name} ends now; the new one, shown this once:")));
        }
    }
    if replaced_early {
        note("the token before the present one ends now: a key has at most two");
    }
    print_data(&format!("{token}\n"))?;
    Ok(0)
}

/// When a key expires, as it was typed: after some time, or at the beginning of a day in UTC (milliseconds since 1970).
fn end(text: &str, now: i64) -> Result<i64, Error> {
    let date = || times::day(text).map(start_of_day);
    let at = times::length(text).map(|length| now.saturating_add(length)).or_else(date);
    at.filter(|at| *at > now).ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("--expires {text:?} is not a time in the future"))
            .advise("give a length of time like 90d or 12h, or a date like 2027-03-31")
    })
}

fn move_key(args: &KeysMove, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let KeysMove { name, group, no_group: _ } = args;
    let place = group.as_ref().map_or_else(|| "in no group".to_owned(), |group| format!("in the group {group}"));
    let moved = match ledger.move_key(name, group.as_deref()).map_err(Error::from)? {
        Move::Moved => format!("the key {name} is {place}; a running server knows within a second"),
        Move::Unchanged => format!("the key {name} is {place} already"),
        Move::NoSuchKey => return Err(no_such_key(name, "move", &ledger.keys().map_err(Error::from)?).into()),
        Move::NoSuchGroup => {
            let groups = ledger.groups().map_err(Error::from)?;
            return Err(no_such_group(group.as_deref().unwrap_or_default(), &groups).into());
        }
    };
    note(Printable::line(moved));
    Ok(0)
}

fn revoke(name: &str, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    if !ledger.revoke_key(name).map_err(Error::from)? {
        return Err(no_such_key(name, "revoke", &ledger.keys().map_err(Error::from)?).into());
    }
    note(Printable::line(format_args!("the key {name} is revoked; a running server knows within a second")));
    Ok(0)
}
