//! `chatrix groups`: API keys that share a budget.

mod list;

use crate::cli::{GroupsAction, GroupsAdd, GroupsSet};
use crate::commands::ledger_names::{self, no_such_group};
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::budget::PeriodLimits;
use crate::ledger::group::{GroupChange, GroupLimits, Removal};
use crate::ledger::store::Store;
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use list::list;

/// Makes a group, lists them, changes the limits of one, or removes one.
pub(crate) fn run(action: &GroupsAction, settings: &Settings) -> anyhow::Result<u8> {
    let mut ledger = open_ledger(settings)?;
    match action {
        GroupsAction::Add(args) => add(args, ledger.as_mut()),
        GroupsAction::List(args) => list(args.json, ledger.as_mut()),
        GroupsAction::Set(args) => set(args, ledger.as_mut()),
        GroupsAction::Remove(args) => remove(&args.name, ledger.as_mut()),
    }
}

fn add(args: &GroupsAdd, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let GroupsAdd { name, limits } = args;
    ledger_names::check(name, "group")?;
    let limits = limits.change().apply(GroupLimits::default());
    if !ledger.add_group(name, limits).map_err(Error::from)? {
        return Err(Error::new(Kind::InvalidRequest, format!("there is already a group {name:?}"))
            .advise(format!("choose another name, or change its limits: chatrix groups set {name}"))
            .into());
    }
    note(Printable::line(format_args!("the group {name}: {}", described(limits))));
    Ok(0)
}

fn set(args: &GroupsSet, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    let GroupsSet { name, limits } = args;
    let change = limits.change();
    if change == GroupChange::default() {
        return Err(Error::new(Kind::InvalidRequest, "there is nothing to change")
            .advise("give a limit such as --day-usd 50 or --each-day-usd none")
            .into());
    }
    let Some(limits) = ledger.change_group(name, change).map_err(Error::from)? else {
        return Err(no_such_group(name, &ledger.groups().map_err(Error::from)?).into());
    };
    note(Printable::line(format_args!(
        "the group {name}: {}; a running server knows within a second",
        described(limits)
    )));
    Ok(0)
}

fn remove(name: &str, ledger: &mut dyn Store) -> anyhow::Result<u8> {
    match ledger.remove_group(name).map_err(Error::from)? {
        Removal::Removed => {
            note(Printable::line(format_args!("the group {name} is removed")));
            Ok(0)
        }
        Removal::NoSuchGroup => Err(no_such_group(name, &ledger.groups().map_err(Error::from)?).into()),
        Removal::HasKeys(keys) => {
            let keys = keys.join(", ");
            let message = format!("there are keys in the group {name:?}: {keys}");
            Err(Error::new(Kind::InvalidRequest, message)
                .advise("revoke them, or move them with `chatrix keys move NAME --no-group`")
                .into())
        }
    }
}

/// The limits of a group, in words.
fn described(limits: GroupLimits) -> String {
    let GroupLimits { pool, each } = limits;
    let parts = [of_periods("together", pool), of_periods("each", each)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no limits".to_owned() } else { parts.join("; ") }
}

fn of_periods(who: &str, limits: PeriodLimits) -> Option<String> {
    let PeriodLimits { day, week, month } = limits;
    let periods = [("a day", day), ("a week", week), ("a month", month)];
    let amounts = periods.into_iter().filter_map(|(period, amount)| Some(format!("{} {period}", amount?)));
    let amounts = amounts.collect::<Vec<_>>().join(", ");
    (!amounts.is_empty()).then(|| format!("{who} at most {amounts}"))
}
