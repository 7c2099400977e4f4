//! Parses the command line, and writes help or what is wrong with it.

pub(super) mod complete;
mod error;
pub(super) mod man;
mod pages;
mod welcome;

use crate::cli::Cli;
use crate::terminal::output::{note, print};
use crate::terminal::printable::Printable;
use crate::terminal::size;
use clap::error::{Error, ErrorKind};
use clap::{Command, FromArgMatches};
use pages::{command, names, without_details};
use std::ffi::{OsStr, OsString};

/// What was typed, or the exit code after help or an error has been written.
///
/// # Errors
/// The exit code of the process: 0 after help, 2 after an error.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, u8> {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.len() <= 1 {
        // Who types nothing but the name asks what this is, which is no mistake.
        let command = command();
        let (to_use, to_operate) = names(&command);
        let _ = print(&welcome::text(&to_use, &to_operate, size::columns()));
        return Err(0);
    }
    let is_short = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "-h");
    let mut command = if is_short { without_details(command()) } else { command() };
    let parsed = command.try_get_matches_from_mut(&args).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| show(error, &command, &args))
}

/// Writes help or an error, and gives the exit code.
fn show(error: Error, command: &Command, args: &[OsString]) -> u8 {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let error = error::with_tip(error, command, args);
    if is_help || args.iter().all(|arg| is_printable_line(arg)) {
        // Nothing that clap may quote is dangerous, so it prints in its own colours. A closed stream is no reason to
        // fail.
        let _ = error.print();
    } else {
        note(Printable::lines(error::sanitized(error).render()).trim_end());
    }
    if is_help { 0 } else { 2 }
}

fn is_printable_line(arg: &OsStr) -> bool {
    let text = arg.to_string_lossy();
    Printable::line(&text).as_str() == text
}
