//! Parses the command line, runs the command, exits. The only place where the process ends.

use chatrix::cli::Cli;
use chatrix::commands;
use chatrix::error::Error;
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let error = match commands::run(Cli::parse()) {
        Ok(code) => return ExitCode::from(code),
        Err(error) => error,
    };
    // When stderr is closed, the exit code still tells what happened.
    let _ = writeln!(std::io::stderr(), "{}", commands::error_line(&error));
    let code = error.downcast_ref::<Error>().map_or(1, |error| error.kind.spec().exit);
    ExitCode::from(code)
}
