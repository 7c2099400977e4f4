//! `chatrix keys`: who may use `serve`, for how much. The token is on stdout, once, and nowhere else.

use crate::catalog::{NanoDollars, embedding_model};
use crate::cli::{KeysAction, KeysAdd};
use crate::commands::{book, note, print, unavailable};
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::budget::{BudgetStatus, date};
use crate::ledger::key::{Key, KeyLimits, hash, new_token};
use crate::ledger::{SqliteStore, day_of};
use crate::terminal::style;
use crate::terminal::table::table;
use anyhow::Context;
use serde_json::{Value, json};

/// Makes, lists, revokes.
pub(crate) fn run(action: &KeysAction, settings: &Settings) -> anyhow::Result<u8> {
    let mut book = book(settings)?;
    match action {
        KeysAction::Add(args) => add(args, settings, &mut book),
        KeysAction::List(args) => list(args.json, &mut book),
        KeysAction::Revoke(args) => {
            if !book.revoke_key(&args.name).map_err(unavailable)? {
                let message = format!("there is no key {:?} to revoke", args.name);
                return Err(Error::new(Kind::InvalidRequest, message)
                    .advise("`chatrix keys list` shows the keys")
                    .into());
            }
            note(&format!("the key {} is revoked; a running server knows within a second", args.name));
            Ok(0)
        }
    }
}

fn add(args: &KeysAdd, settings: &Settings, book: &mut SqliteStore) -> anyhow::Result<u8> {
    let KeysAdd { name, request_usd, day_usd, month_usd, models } = args;
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return Err(Error::new(Kind::InvalidRequest, format!("{name:?} is no name for a key"))
            .advise("take up to 64 letters, digits, `.`, `_` and `-`")
            .into());
    }
    for model in models {
        if let Err(error) = settings.catalog().resolve(model)
            && embedding_model(model).is_err()
        {
            return Err(error.into());
        }
    }
    let token = new_token().context("the system gives no random numbers")?;
    let terms = KeyLimits { request: *request_usd, day: *day_usd, month: *month_usd, models: models.clone() };
    if !book.add_key(name, &hash(&token), &terms).map_err(unavailable)? {
        let message = format!("there is a key {name:?} already");
        return Err(Error::new(Kind::InvalidRequest, message).advise("take another name, or revoke it first").into());
    }
    note(&format!("the token of {name}, shown this once:"));
    print(&format!("{token}\n"))?;
    Ok(0)
}

fn list(as_json: bool, book: &mut SqliteStore) -> anyhow::Result<u8> {
    let keys = book.keys().map_err(unavailable)?;
    let mut listed = Vec::new();
    for key in keys {
        let limits: Vec<_> = key.limits().collect();
        let statuses = book.statuses(&limits).map_err(unavailable)?;
        let spent = book.spent_with(key.id).map_err(unavailable)?;
        listed.push((key, statuses, spent));
    }
    if as_json {
        let values: Vec<Value> = listed.iter().map(|(key, statuses, spent)| row_json(key, statuses, *spent)).collect();
        print(&format!("{:#}\n", Value::from(values)))?;
        return Ok(0);
    }
    if listed.is_empty() {
        note("there are no keys; `chatrix keys add NAME` makes one");
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = listed.iter().map(|(key, statuses, spent)| row(key, statuses, *spent)).collect();
    let heads = ["NAME", "SPENT", "A CALL", "A DAY", "A MONTH", "MODELS", "STATE"];
    print(&table(&heads, &rows, &[1, 2], style::colour(&std::io::stdout())))?;
    Ok(0)
}

fn row(key: &Key, statuses: &[BudgetStatus], spent: NanoDollars) -> Vec<String> {
    let left = |period: &str| {
        let status = statuses.iter().find(|status| status.limit.period.as_str() == period);
        status.map_or_else(|| "-".to_owned(), |status| format!("{} left of {}", status.left(), status.limit.amount))
    };
    let models = if key.terms.models.is_empty() { "all".to_owned() } else { key.terms.models.join(", ") };
    let state = key.revoked.map_or_else(|| "active".to_owned(), |at| format!("revoked {}", date(day_of(at))));
    let request = key.terms.request.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
    vec![key.name.clone(), spent.to_string(), request, left("day"), left("month"), models, state]
}

fn row_json(key: &Key, statuses: &[BudgetStatus], spent: NanoDollars) -> Value {
    let Key { id: _, name, hash: _, made: _, revoked, terms } = key;
    let left = |period: &str| {
        let status = statuses.iter().find(|status| status.limit.period.as_str() == period);
        status.map(|status| status.left().number())
    };
    json!({
        "name": name, "spent_usd": spent.number(), "revoked": revoked.is_some(), "models": terms.models,
        "request_usd": terms.request.map(NanoDollars::number), "day_usd": terms.day.map(NanoDollars::number),
        "day_left_usd": left("day"), "month_usd": terms.month.map(NanoDollars::number), "month_left_usd": left("month"),
    })
}
