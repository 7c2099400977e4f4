//! `chatrix keys`: who may use `serve`, and for how much. A token is written to stdout, once, and nowhere else.

use crate::catalog::NanoDollars;
use crate::cli::{KeysAction, KeysAdd};
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::RateLimits;
use crate::ledger::budget::{BudgetStatus, Period, date};
use crate::ledger::day_of;
use crate::ledger::key::{Key, KeyLimits, hash, new_token};
use crate::ledger::store::Store;
use crate::terminal::output::{note, print, print_data, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::table::table;
use anyhow::Context;
use serde_json::{Value, json};

/// A key, with what it has spent.
struct KeyUsage {
    key: Key,
    /// What is booked under its limits.
    statuses: Vec<BudgetStatus>,
    /// Altogether, uncertain calls at their worst case.
    spent: NanoDollars,
}

/// Makes a key, lists them, or revokes one.
pub(crate) fn run(action: &KeysAction, settings: &Settings) -> anyhow::Result<u8> {
    let mut ledger = open_ledger(settings)?;
    match action {
        KeysAction::Add(args) => add(args, settings, ledger.as_mut()),
        KeysAction::List(args) => list(args.json, ledger.as_mut()),
        KeysAction::Revoke(args) => revoke(&args.name, ledger.as_mut()),
    }
}

fn add(args: &KeysAdd, settings: &Settings, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let KeysAdd { name, request_usd, day_usd, month_usd, rpm, tpm, max_running, models } = args;
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
    let token = new_token().context("the operating system provides no random numbers")?;
    let limits = KeyLimits {
        request: *request_usd,
        day: *day_usd,
        month: *month_usd,
        models: models.clone(),
        rates: RateLimits { requests: *rpm, tokens: *tpm, running: *max_running },
    };
    if !ledger.add_key(name, &hash(&token), &limits).map_err(Error::from)? {
        let message = format!("there is already a key {name:?}");
        return Err(Error::new(Kind::InvalidRequest, message)
            .advise("choose another name, or revoke that key first")
            .into());
    }
    note(Printable::line(format_args!("the token of {name}, shown this once:")));
    print_data(&format!("{token}\n"))?;
    Ok(0)
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

fn list(as_json: bool, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let mut keys = Vec::new();
    for key in ledger.keys().map_err(Error::from)? {
        let limits: Vec<_> = key.budget_limits().collect();
        let statuses = ledger.statuses(&limits).map_err(Error::from)?;
        let spent = ledger.spent_with_key(key.id).map_err(Error::from)?;
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
    let rows: Vec<Vec<Printable>> = keys.iter().map(KeyUsage::row).collect();
    let heads =
        ["NAME", "SPENT", "A CALL", "A DAY", "A MONTH", "A MINUTE", "AT ONCE", "MODELS", "STATE"].map(Printable::from);
    print(&table(&heads, &rows, &[1, 2], stdout().colour()))?;
    Ok(0)
}

impl KeyUsage {
    fn status(&self, period: Period) -> Option<&BudgetStatus> {
        self.statuses.iter().find(|status| status.limit.period == period)
    }

    fn row(&self) -> Vec<Printable> {
        let left = |period| match self.status(period) {
            Some(status) => format!("{} left of {}", status.left(), status.limit.amount),
            None => "-".to_owned(),
        };
        let Self { key: Key { name, revoked, limits, .. }, statuses: _, spent } = self;
        let request = limits.request.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
        let models = if limits.models.is_empty() { "all".to_owned() } else { limits.models.join(", ") };
        let state = revoked.map_or_else(|| "active".to_owned(), |at| format!("revoked {}", date(day_of(at))));
        let rates = limits.rates;
        let counts = [(rates.requests, "calls"), (rates.tokens, "tokens")];
        let counts = counts.iter().filter_map(|(limit, what)| limit.map(|limit| format!("{limit} {what}")));
        let minute = Some(counts.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty());
        let running = rates.running.map(|limit| limit.to_string());
        let [minute, running] = [minute, running].map(|text| text.unwrap_or_else(|| "-".to_owned()));
        let (day, month) = (left(Period::Day), left(Period::Month));
        [name.clone(), spent.to_string(), request, day, month, minute, running, models, state]
            .map(Printable::line)
            .into()
    }

    fn json(&self) -> Value {
        let left = |period| self.status(period).map(|status| status.left().number());
        let Self { key, statuses: _, spent } = self;
        let Key { id: _, name, hash: _, made: _, revoked, limits } = key;
        let KeyLimits { request, day, month, models, rates: RateLimits { requests, tokens, running } } = limits;
        json!({
            "name": name, "spent_usd": spent.number(), "revoked": revoked.is_some(), "models": models,
            "request_usd": request.map(NanoDollars::number), "day_usd": day.map(NanoDollars::number),
            "day_left_usd": left(Period::Day), "month_usd": month.map(NanoDollars::number),
            "month_left_usd": left(Period::Month), "rpm": requests, "tpm": tokens, "max_running": running,
        })
    }
}
