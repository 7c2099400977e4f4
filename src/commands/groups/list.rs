//! `chatrix groups list`.

use crate::catalog::NanoDollars;
use crate::commands::listing::{Listed, NONE, print_list};
use crate::commands::spending::Spending;
use crate::error::Error;
use crate::ledger::budget::{Period, PeriodLimits, date};
use crate::ledger::day_of;
use crate::ledger::group::{Group, GroupLimits};
use crate::ledger::key::Key;
use crate::ledger::store::Store;
use serde_json::{Value, json};

/// A group, with what its keys have spent.
struct GroupUsage {
    group: Group,
    /// The names of the keys that are in it and are not revoked.
    keys: Vec<String>,
    /// Under the limits that they share.
    spending: Spending,
}

pub(super) fn list(as_json: bool, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let keys = ledger.keys().map_err(Error::from)?;
    let mut groups = Vec::new();
    for group in ledger.groups().map_err(Error::from)? {
        let spending = Spending::of(ledger, &group.holder(), &group.pool_limits().collect::<Vec<_>>())?;
        let is_in =
            |key: &&Key| key.revoked.is_none() && key.group.as_ref().is_some_and(|of_key| of_key.id == group.id);
        let keys = keys.iter().filter(is_in).map(|key| key.name.clone()).collect();
        groups.push(GroupUsage { group, keys, spending });
    }
    print_list(&groups, as_json, "there are no groups; `chatrix groups add NAME` makes one")
}

impl Listed for GroupUsage {
    const HEADS: &'static [&'static str] =
        &["NAME", "SPENT", "A DAY", "A WEEK", "A MONTH", "EACH A DAY", "EACH A WEEK", "EACH A MONTH", "KEYS", "STATE"];
    const NUMBERS: &'static [usize] = &[1];

    fn cells(&self) -> Vec<String> {
        let limit = |amount: Option<NanoDollars>| amount.map_or_else(|| NONE.to_owned(), |amount| amount.to_string());
        let Self { group, keys, spending } = self;
        let GroupLimits { pool: _, each: PeriodLimits { day, week, month } } = group.limits;
        vec![
            group.name.clone(),
            spending.spent.to_string(),
            spending.cell(Period::Day),
            spending.cell(Period::Week),
            spending.cell(Period::Month),
            limit(day),
            limit(week),
            limit(month),
            if keys.is_empty() { NONE.to_owned() } else { keys.join(", ") },
            group.removed.map_or_else(|| NONE.to_owned(), |at| format!("removed {}", date(day_of(at)))),
        ]
    }

    fn json(&self) -> Value {
        let usd = |amount: Option<NanoDollars>| amount.map(NanoDollars::number);
        let Self { group, keys, spending } = self;
        let left = |period| spending.left_usd(period);
        let Group { id: _, name, made: _, removed, limits: GroupLimits { pool, each } } = group;
        json!({
            "name": name, "keys": keys, "spent_usd": spending.spent.number(), "removed": removed.is_some(),
            "day_usd": usd(pool.day), "day_left_usd": left(Period::Day),
            "week_usd": usd(pool.week), "week_left_usd": left(Period::Week),
            "month_usd": usd(pool.month), "month_left_usd": left(Period::Month),
            "each_day_usd": usd(each.day), "each_week_usd": usd(each.week), "each_month_usd": usd(each.month),
        })
    }
}
