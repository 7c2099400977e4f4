//! `chatrix ledger`: whether the ledger is sound, which file is the right one after it was lost, what was changed by hand,
//! and how it moves into a database.

mod audit;
mod copy;

use crate::cli::LedgerAction;
use crate::commands::setup::{check_existence, ledger_location, open_ledger};
use crate::config::Settings;
use crate::error::Error;
use crate::ledger::Location;
use crate::ledger::budget::BudgetTotals;
use crate::ledger::report::Examination;
use crate::ledger::store::Store;
use crate::terminal::output::{note, print};
use crate::terminal::printable::Printable;
use audit::audit;
use copy::copy;

/// Checks, accepts or copies the ledger, or lists changes.
pub(crate) fn run(action: &LedgerAction, settings: &Settings) -> anyhow::Result<u8> {
    match action {
        LedgerAction::Check => check(ledger_location(settings)?, settings),
        LedgerAction::Accept => accept(ledger_location(settings)?, settings),
        LedgerAction::Audit(args) => {
            check_existence(ledger_location(settings)?)?;
            audit(args, settings)
        }
        LedgerAction::Copy(args) => copy(args, settings),
    }
}

fn check(location: &Location, settings: &Settings) -> anyhow::Result<u8> {
    check_existence(location)?;
    let (examination, _) = examine(settings)?;
    print(&report(location, &examination))?;
    Ok(u8::from(!examination.problems.is_empty()))
}

/// Opens the ledger, looks for damage, and finds out whether it can be written.
///
/// # Errors
/// `LedgerUnavailable`.
pub(super) fn examine(settings: &Settings) -> anyhow::Result<(Examination, Box<dyn Store>)> {
    let mut ledger = open_ledger(settings)?;
    let examination = ledger.examine().map_err(Error::from)?;
    ledger.check_writable().map_err(Error::from)?;
    Ok((examination, ledger))
}

fn report(location: &Location, examination: &Examination) -> Printable {
    let Examination { version, problems, calls, open, uncertain, totals } = examination;
    let BudgetTotals { settled, reserved, uncertain: uncertain_amount } = totals;
    let state = if problems.is_empty() { "sound".to_owned() } else { problems.join("; ") };
    let place = if location.file().is_some() { "path    " } else { "database" };
    Printable::lines(format_args!(
        "{place}   {location}\nversion    {version}\nstate      {state}\ncalls      {calls}\nspent      {settled}\n\
         open       {open}, {reserved} reserved\nuncertain  {uncertain}, {uncertain_amount} (may have been billed)\n"
    ))
}

fn accept(location: &Location, settings: &Settings) -> anyhow::Result<u8> {
    open_ledger(settings)?.accept().map_err(Error::from)?;
    note(Printable::line(format_args!("{location} is the ledger from now on; running servers go on with it")));
    Ok(0)
}
