//! `chatrix ledger copy`.

use crate::catalog::NanoDollars;
use crate::cli::LedgerCopy;
use crate::commands::setup::{check_existence, ledger_location, variable};
use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::ledger::copy::copy as copy_rows;
use crate::ledger::report::Examination;
use crate::ledger::store::Store;
use crate::ledger::{self, Clock, Location};
use crate::terminal::output::{note, print};
use crate::terminal::printable::Printable;

pub(super) fn copy(args: &LedgerCopy, settings: &Settings) -> anyhow::Result<u8> {
    let from = Location::parse(&args.from, &variable).map_err(|what| usage("FROM", &what))?;
    let to = match &args.to {
        Some(to) => Location::parse(to, &variable).map_err(|what| usage("TO", &what))?,
        None => ledger_location(settings)?.clone(),
    };
    if to.file().is_some() {
        let message = format!("a ledger can only be copied into a PostgreSQL database, and {to} is a file");
        return Err(Error::new(Kind::InvalidRequest, message)
            .advise("write postgres://USER@HOST:5432/DATABASE")
            .into());
    }
    check_existence(&from)?;
    let mut original = open_quiet(&from)?;
    let mut copied = ledger::open(&to, Clock::system()).map_err(Error::from)?;
    let arrived = copy_rows(original.as_mut(), copied.as_mut()).map_err(Error::from)?;
    let [settled, _, uncertain] = arrived.booked().map(|sum| NanoDollars(u64::try_from(sum).unwrap_or(0)));
    print(&Printable::lines(format_args!(
        "from       {from}\nto         {to}\ncalls      {}\nkeys       {}\ngroups     {}\nspent      {settled}\n\
         uncertain  {uncertain} (may have been billed)\n",
        arrived.rows("calls"),
        arrived.rows("keys"),
        arrived.rows("groups"),
    )))?;
    note(Printable::line(format_args!(
        "every row and every sum is the same in both; whoever still uses {from} books there, so give all servers {to}"
    )));
    Ok(0)
}

/// Opens a ledger that nobody uses.
fn open_quiet(from: &Location) -> Result<Box<dyn Store>> {
    let mut original = ledger::open(from, Clock::system())?;
    original.recover()?;
    let Examination { problems, open, .. } = original.examine()?;
    if !problems.is_empty() {
        let message = format!("the ledger {from} is damaged, and is not copied: {}", problems.join("; "));
        return Err(Error::new(Kind::LedgerUnavailable, message));
    }
    if open > 0 {
        let message = format!("{open} calls that are booked in {from} are running");
        return Err(Error::new(Kind::LedgerUnavailable, message).advise("stop the servers that use it, and try again"));
    }
    Ok(original)
}

fn usage(name: &str, what: &str) -> Error {
    Error::new(Kind::InvalidRequest, format!("{name} {what}"))
}
