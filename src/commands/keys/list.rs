//! `chatrix keys list`.

use crate::catalog::NanoDollars;
use crate::error::Error;
use crate::ledger::budget::{BudgetStatus, Period, date};
use crate::ledger::key::{Key, KeyLimits};
use crate::ledger::store::Store;
use crate::ledger::{Clock, RateLimits, day_of, moment};
use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::table::table;
use serde_json::{Value, json};

/// A key, with what it has spent.
struct KeyUsage {
    key: Key,
    /// What is booked under its limits.
    statuses: Vec<BudgetStatus>,
    /// Altogether, uncertain calls at their worst case.
    spent: NanoDollars,
}

pub(super) fn list(as_json: bool, ledger: &mut dyn Store) -> anyhow::Result<u8> {
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
    let heads = ["NAME", "SPENT", "A CALL", "A DAY", "A MONTH", "A MINUTE", "AT ONCE", "MODELS", "STATE"];
    let heads = heads.map(Printable::from);
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
        let Self { key, statuses: _, spent } = self;
        let KeyLimits { request, day: _, month: _, models, rates } = &key.limits;
        let RateLimits { requests, tokens, running } = rates;
        let request = request.map_or_else(|| "-".to_owned(), |amount| amount.to_string());
        let models = if models.is_empty() { "all".to_owned() } else { models.join(", ") };
        let minute = [requests.map(|n| format!("{n} calls")), tokens.map(|n| format!("{n} tokens"))];
        let minute = minute.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let minute = if minute.is_empty() { "-".to_owned() } else { minute };
        let running = running.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let (name, spent) = (key.name.clone(), spent.to_string());
        let state = state(key, Clock::system().now());
        [name, spent, request, left(Period::Day), left(Period::Month), minute, running, models, state]
            .map(Printable::line)
            .into()
    }

    fn json(&self) -> Value {
        let left = |period| self.status(period).map(|status| status.left().number());
        let Self { key, statuses: _, spent } = self;
        let Key { id: _, name, hash: _, made: _, revoked, expires, previous, limits } = key;
        let KeyLimits { request, day, month, models, rates: RateLimits { requests, tokens, running } } = limits;
        let time = |at: i64| format!("{}Z", moment(at).replace(' ', "T"));
        json!({
            "name": name, "spent_usd": spent.number(), "revoked": revoked.is_some(), "models": models,
            "request_usd": request.map(NanoDollars::number), "day_usd": day.map(NanoDollars::number),
            "day_left_usd": left(Period::Day), "month_usd": month.map(NanoDollars::number),
            "month_left_usd": left(Period::Month), "rpm": requests, "tpm": tokens, "max_running": running,
            "expires": expires.map(time), "previous_token_until": previous.as_ref().map(|token| time(token.until)),
        })
    }
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
