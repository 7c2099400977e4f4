//! `chatrix keys`: who may use `serve`, and for how much. A token is written to stdout, once, and nowhere else.

mod list;

use crate::cli::{KeysAction, KeysAdd, KeysRotate};
use crate::commands::setup::open_ledger;
use crate::commands::times;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::key::{KeyLimits, Rotation, hash, new_token};
use crate::ledger::store::Store;
use crate::ledger::{Clock, RateLimits, moment};
use crate::terminal::output::{note, print_data};
use crate::terminal::printable::Printable;
use anyhow::Context;
use list::list;

const NO_RANDOM_NUMBERS: &str = "the operating system provides no random numbers";

/// Makes a key, lists them, gives one a new token, or revokes one.
pub(crate) fn run(action: &KeysAction, settings: &Settings) -> anyhow::Result<u8> {
    let mut ledger = open_ledger(settings)?;
    match action {
        KeysAction::Add(args) => add(args, settings, ledger.as_mut()),
        KeysAction::List(args) => list(args.json, ledger.as_mut()),
        KeysAction::Rotate(args) => rotate(args, ledger.as_mut()),
        KeysAction::Revoke(args) => revoke(&args.name, ledger.as_mut()),
    }
}

fn add(args: &KeysAdd, settings: &Settings, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let KeysAdd { name, request_usd, day_usd, month_usd, models, rpm, tpm, max_running, expires } = args;
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return Err(Error::new(Kind::InvalidRequest, format!("{name:?} is not a valid name for a key"))
            .advise("use up to 64 letters, digits, `.`, `_` and `-`")
            .into());
    }
    for model in models {
        if let Err(error) = settings.catalog().resolve(model)
            && settings.catalog().resolve_embedding(model).is_err()
        {
            return Err(error.into());
        }
    }
    let token = new_token().context(NO_RANDOM_NUMBERS)?;
    let limits = KeyLimits {
        request: *request_usd,
        day: *day_usd,
        month: *month_usd,
        models: models.clone(),
        rates: RateLimits { requests: *rpm, tokens: *tpm, running: *max_running },
    };
    let expires = expires.as_deref().map(|text| end(text, Clock::system().now())).transpose()?;
    if !ledger.add_key(name, &hash(&token), &limits, expires).map_err(Error::from)? {
        let message = format!("there is already a key {name:?}");
        return Err(Error::new(Kind::InvalidRequest, message)
            .advise("choose another name, or revoke that key first")
            .into());
    }
    note(Printable::line(format_args!("the token of {name}, shown this once:")));
    print_data(&format!("{token}\n"))?;
    Ok(0)
}

fn rotate(args: &KeysRotate, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let KeysRotate { name, overlap, expires } = args;
    let now = Clock::system().now();
    let overlap = times::length(overlap).ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("--overlap {overlap:?} is not a length of time"))
            .advise("give one like 24h, 30m or 7d, or 0")
    })?;
    let expires = expires.as_deref().map(|text| end(text, now)).transpose()?;
    let no_such_key = || {
        Error::new(Kind::InvalidRequest, format!("there is no key {name:?} to rotate"))
            .advise("`chatrix keys list` shows the keys")
    };
    let keys = ledger.keys().map_err(Error::from)?;
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
    let date = || times::day(text).map(|day| day.saturating_mul(86_400_000));
    let at = times::length(text).map(|length| now.saturating_add(length)).or_else(date);
    at.filter(|at| *at > now).ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("--expires {text:?} is not a time in the future"))
            .advise("give a length of time like 90d or 12h, or a date like 2027-03-31")
    })
}

fn revoke(name: &str, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    if !ledger.revoke_key(name).map_err(Error::from)? {
        return Err(Error::new(Kind::InvalidRequest, format!("there is no key {name:?} to revoke"))
            .advise("`chatrix keys list` shows the keys")
            .into());
    }
    note(Printable::line(format_args!("the key {name} is revoked; a running server knows within a second")));
    Ok(0)
}
