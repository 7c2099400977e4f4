//! `chatrix groups list`.

use crate::catalog::NanoDollars;
use crate::commands::used_columns::{NONE, used_columns};
use crate::error::Error;
use crate::ledger::budget::{BudgetStatus, Period, PeriodLimits, date};
use crate::ledger::day_of;
use crate::ledger::group::{Group, GroupLimits};
use crate::ledger::key::Key;
use crate::ledger::store::Store;
use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::table::table;
use serde_json::{Value, json};

const HEADS: [&str; 10] =
    ["NAME", "SPENT", "A DAY", "A WEEK", "A MONTH", "EACH A DAY", "EACH A WEEK", "EACH A MONTH", "KEYS", "STATE"];

/// A group, with what its keys have spent.
struct GroupUsage {
    group: Group,
    /// The names of the keys that are in it and are not revoked.
    keys: Vec<String>,
    /// What is booked under the limits that they share.
    statuses: Vec<BudgetStatus>,
    /// Altogether, uncertain calls at their worst case.
    spent: NanoDollars,
}

pub(super) fn list(as_json: bool, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let keys = ledger.keys().map_err(Error::from)?;
    let mut groups = Vec::new();
    for group in ledger.groups().map_err(Error::from)? {
        let limits: Vec<_> = group.pool_limits().collect();
        let statuses = ledger.statuses(&limits).map_err(Error::from)?;
        let spent = ledger.spent(&group.holder()).map_err(Error::from)?;
        let is_in =
            |key: &&Key| key.revoked.is_none() && key.group.as_ref().is_some_and(|of_key| of_key.id == group.id);
        let keys = keys.iter().filter(is_in).map(|key| key.name.clone()).collect();
        groups.push(GroupUsage { group, keys, statuses, spent });
    }
    if as_json {
        let values: Vec<Value> = groups.iter().map(GroupUsage::json).collect();
        print_json(format_args!("{:#}", Value::from(values)))?;
        return Ok(0);
    }
    if groups.is_empty() {
        note("there are no groups; `chatrix groups add NAME` makes one");
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = groups.iter().map(GroupUsage::cells).collect();
    let (heads, rows) = used_columns(&HEADS, &rows);
    print(&table(&heads, &rows, &[1], stdout().colour()))?;
    Ok(0)
}

impl GroupUsage {
    fn status(&self, period: Period) -> Option<&BudgetStatus> {
        self.statuses.iter().find(|status| status.limit.period == period)
    }

    /// One for each of the heads.
    fn cells(&self) -> Vec<String> {
        let left = |period| match self.status(period) {
            Some(status) => format!("{} left of {}", status.left(), status.limit.amount),
            None => NONE.to_owned(),
        };
        let limit = |amount: Option<NanoDollars>| amount.map_or_else(|| NONE.to_owned(), |amount| amount.to_string());
        let Self { group, keys, statuses: _, spent } = self;
        let GroupLimits { pool: _, each: PeriodLimits { day, week, month } } = group.limits;
        vec![
            group.name.clone(),
            spent.to_string(),
            left(Period::Day),
            left(Period::Week),
            left(Period::Month),
            limit(day),
            limit(week),
            limit(month),
            if keys.is_empty() { NONE.to_owned() } else { keys.join(", ") },
            group.removed.map_or_else(|| NONE.to_owned(), |at| format!("removed {}", date(day_of(at)))),
        ]
    }

    fn json(&self) -> Value {
        let left = |period| self.status(period).map(|status| status.left().number());
        let usd = |amount: Option<NanoDollars>| amount.map(NanoDollars::number);
        let Self { group, keys, statuses: _, spent } = self;
        let Group { id: _, name, made: _, removed, limits: GroupLimits { pool, each } } = group;
        json!({
            "name": name, "keys": keys, "spent_usd": spent.number(), "removed": removed.is_some(),
            "day_usd": usd(pool.day), "day_left_usd": left(Period::Day),
            "week_usd": usd(pool.week), "week_left_usd": left(Period::Week),
            "month_usd": usd(pool.month), "month_left_usd": left(Period::Month),
            "each_day_usd": usd(each.day), "each_week_usd": usd(each.week), "each_month_usd": usd(each.month),
        })
    }
}
