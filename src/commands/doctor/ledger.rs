//! Checks of the ledger and of what is left of the budgets.

use super::check::Check;
use crate::catalog::NanoDollars;
use crate::commands::ledger::examine;
use crate::commands::setup::make_state_folder;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::Location;
use crate::ledger::budget::{BudgetLimit, BudgetStatus, Budgets, date};
use crate::ledger::report::Examination;
use crate::ledger::store::StoreError;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

const LEDGER: &str = "ledger";
const BUDGETS: &str = "budgets";

/// What was found out about the ledger.
pub(super) struct Found {
    pub(super) check: Check,
    /// What is booked under each budget of all calls; `None` when that cannot be read.
    pub(super) statuses: Option<Vec<BudgetStatus>>,
    /// What is booked under the budgets of groups.
    pub(super) groups: Vec<BudgetStatus>,
}

/// Opens the ledger and looks for damage. One that does not exist is not made. It may take long, where the ledger is
/// large or another process holds it.
pub(super) fn examined(settings: &Settings) -> Found {
    let limits: Vec<BudgetLimit> = settings.budgets.limits().collect();
    let Some(location) = settings.ledger_location() else {
        return unusable(settings, &Error::from(StoreError::no_folder()).advise("set XDG_STATE_HOME or HOME"));
    };
    make_state_folder(settings);
    if let Some(path) = location.file().filter(|path| !path.exists()) {
        return match try_folder(path) {
            Ok(()) => {
                let message = format!("{} does not exist yet; the first call makes it", path.display());
                let statuses = limits.is_empty().then(Vec::new);
                // Under a budget, an empty ledger has nothing booked, but whether one was lost is not known here.
                Found {
                    check: Check::ok(LEDGER, message),
                    statuses: statuses.or_else(|| Some(unused(limits))),
                    groups: Vec::new(),
                }
            }
            Err(error) => {
                let message = format!("the ledger cannot be made: {}: {error}", path.display());
                unusable(settings, &Error::new(Kind::LedgerUnavailable, message).advise("make its folder writable"))
            }
        };
    }
    match examined_ledger(settings, &limits) {
        Ok((Examination { problems, .. }, ..)) if !problems.is_empty() => {
            let message = format!("{location} is damaged: {}", problems.join("; "));
            let error = Error::new(Kind::LedgerUnavailable, message);
            let advice = match location {
                Location::File(_) => "put a backup in its place, or move it away and run: chatrix ledger accept",
                Location::Database { .. } => "restore a backup, and run: chatrix ledger accept",
            };
            unusable(settings, &error.advise(advice))
        }
        Ok((Examination { calls, uncertain, .. }, statuses, groups)) => {
            let calls = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
            let message = format!("{location} is sound: {calls}, {uncertain} of them uncertain");
            Found {
                check: location.file().and_then(open_to_others).unwrap_or_else(|| Check::ok(LEDGER, message)),
                statuses: Some(statuses),
                groups,
            }
        }
        Err(error) => {
            let error = Error::new(Kind::LedgerUnavailable, format!("{error:#}"));
            unusable(settings, &error.advise(location.remedy()))
        }
    }
}

/// The state of the ledger, what is booked under these limits, and what under those of groups.
fn examined_ledger(
    settings: &Settings,
    limits: &[BudgetLimit],
) -> anyhow::Result<(Examination, Vec<BudgetStatus>, Vec<BudgetStatus>)> {
    let (examination, mut ledger) = examine(settings)?;
    let statuses = ledger.statuses(limits).map_err(Error::from)?;
    let present = ledger.groups().map_err(Error::from)?.into_iter().filter(|group| group.removed.is_none());
    let pools: Vec<BudgetLimit> = present.flat_map(|group| group.pool_limits()).collect();
    let groups = ledger.statuses(&pools).map_err(Error::from)?;
    Ok((examination, statuses, groups))
}

/// The check of a ledger that was not examined in time.
pub(super) fn overdue() -> Found {
    let message = "the ledger is large or in use, and was not examined within a few seconds";
    Found {
        check: Check::warning(LEDGER, message, "`chatrix ledger check` takes its time"),
        statuses: None,
        groups: Vec::new(),
    }
}

/// Without a budget, calls are answered all the same.
fn unusable(settings: &Settings, error: &Error) -> Found {
    let is_needed = settings.budgets.limits().next().is_some();
    let check = if is_needed {
        Check::failed(LEDGER, error)
    } else {
        let message = format!("{}; there is no budget, so calls are made, but not booked", error.message);
        Check::warning(LEDGER, message, error.advice())
    };
    Found { check, statuses: None, groups: Vec::new() }
}

/// What an empty ledger has booked.
fn unused(limits: Vec<BudgetLimit>) -> Vec<BudgetStatus> {
    let today = crate::ledger::Clock::system().today();
    let status = |limit: BudgetLimit| {
        let resets = limit.period.next(today);
        BudgetStatus { limit, totals: crate::ledger::budget::BudgetTotals::default(), resets }
    };
    limits.into_iter().map(status).collect()
}

/// Finds out whether a file can be made in the ledger's folder.
fn try_folder(ledger: &Path) -> io::Result<()> {
    let probe = ledger.with_extension(format!("doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}

/// A warning when others than the owner can read or write the ledger.
fn open_to_others(path: &Path) -> Option<Check> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let message = format!("other users of this machine can open {} (mode {mode:o})", path.display());
            return Some(Check::warning(LEDGER, message, format!("chmod 600 {}", path.display())));
        }
    }
    None
}

/// What is left of the budgets. `refused`: why the smallest question would be refused, if it would.
pub(super) fn budgets(settings: &Settings, found: &Found, refused: Option<&Error>) -> Check {
    let Budgets { request, .. } = settings.budgets;
    let Some(statuses) = &found.statuses else {
        return Check::not_checked(BUDGETS, "the ledger, which knows what is spent, cannot be read");
    };
    if let Some(error) = refused.filter(|error| error.kind == Kind::BudgetExceeded) {
        return Check::failed(BUDGETS, error);
    }
    let mut parts: Vec<String> = request.iter().map(|amount| format!("at most {amount} for one request")).collect();
    parts.extend(statuses.iter().chain(&found.groups).map(|status| {
        let BudgetStatus { limit, resets, .. } = status;
        format!("{} left of the {limit} of {}, until {}", status.left(), limit.amount, date(*resets))
    }));
    if parts.is_empty() {
        return Check::ok(BUDGETS, "none; [budget] in the config file sets them");
    }
    let is_low = |status: &BudgetStatus| status.left() < NanoDollars(status.limit.amount.0 / 5);
    match statuses.iter().chain(&found.groups).find(|status| is_low(status)) {
        Some(low) => Check::warning(
            BUDGETS,
            parts.join("; "),
            format!("little is left of the {}; `chatrix usage` shows what was spent", low.limit),
        ),
        None => Check::ok(BUDGETS, parts.join("; ")),
    }
}
