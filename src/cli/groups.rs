//! `chatrix groups`.

use super::values::limit_change;
use crate::ledger::group::{GroupChange, LimitChange, PeriodChange};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Groups {
    #[command(subcommand)]
    pub(crate) action: GroupsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupsAction {
    /// Create a group; `chatrix keys add NAME --group GROUP` makes a key in it
    Add(GroupsAdd),
    /// List the groups with their keys, their limits and what they have spent
    List(GroupsList),
    /// Change limits of a group; what is not given stays
    Set(GroupsSet),
    /// Remove a group that has no keys
    Remove(GroupsRemove),
}

#[derive(Debug, Args)]
pub(crate) struct GroupsAdd {
    /// Name of the group: letters, digits, `.`, `_` and `-`
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) limits: GroupLimitOptions,
}

#[derive(Debug, Args)]
pub(crate) struct GroupsSet {
    /// Name of the group
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) limits: GroupLimitOptions,
}

#[derive(Debug, Args)]
pub(crate) struct GroupLimitOptions {
    /// Let all its keys together spend at most this many dollars per day (UTC); `none` for no such limit
    #[arg(long = "day-usd", value_name = "USD", value_parser = limit_change, allow_negative_numbers = true)]
    day: Option<LimitChange>,
    /// The same per week, which begins on Monday (UTC)
    #[arg(long = "week-usd", value_name = "USD", value_parser = limit_change, allow_negative_numbers = true)]
    week: Option<LimitChange>,
    /// The same per month (UTC)
    #[arg(long = "month-usd", value_name = "USD", value_parser = limit_change, allow_negative_numbers = true)]
    month: Option<LimitChange>,
    /// Let each of its keys that has no such limit of its own spend at most this many dollars per day; `none` for no such
    /// limit
    #[arg(long = "each-day-usd", value_name = "USD", value_parser = limit_change, allow_negative_numbers = true)]
    each_day: Option<LimitChange>,
    /// The same per week
    #[arg(long = "each-week-usd", value_name = "USD", value_parser = limit_change, allow_negative_numbers = true)]
    each_week: Option<LimitChange>,
    /// The same per month
    #[arg(long = "each-month-usd", value_name = "USD", value_parser = limit_change, allow_negative_numbers = true)]
    each_month: Option<LimitChange>,
}

impl GroupLimitOptions {
    /// What was typed.
    pub(crate) fn change(&self) -> GroupChange {
        let Self { day, week, month, each_day, each_week, each_month } = *self;
        let period = |day: Option<_>, week: Option<_>, month: Option<_>| PeriodChange {
            day: day.unwrap_or_default(),
            week: week.unwrap_or_default(),
            month: month.unwrap_or_default(),
        };
        GroupChange { pool: period(day, week, month), each: period(each_day, each_week, each_month) }
    }
}

#[derive(Debug, Args)]
pub(crate) struct GroupsList {
    /// Print the groups as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GroupsRemove {
    /// Name of the group
    pub(crate) name: String,
}
