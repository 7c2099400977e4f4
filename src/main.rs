//! Parses the command line, runs the command, exits. The only place where the process ends.

use chatrix::commands;
use std::process::ExitCode;

/// Faster than that of the C library for the many small pieces of a request, and it gives memory back (benches/gateway).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let code = match commands::parse(std::env::args_os()) {
        Ok(cli) => commands::run(cli).unwrap_or_else(|error| commands::report(&error)),
        Err(code) => code,
    };
    ExitCode::from(code)
}
