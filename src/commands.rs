//! The commands. [`run`] turns a parsed command line into settings and calls its command.

mod answer;
mod ask;
mod attached_file;
mod chat;
mod client_setup;
mod command_line;
mod completions;
mod doctor;
mod file_limit;
mod groups;
mod keys;
mod ledger;
mod ledger_names;
mod listing;
mod models;
mod person;
mod run;
mod serve;
mod setup;
mod signals;
mod spending;
mod systemd;
mod times;
mod usage;
mod whole_file;

pub use command_line::parse;

use crate::cli::{Cli, Command};
use crate::config::Flags;
use crate::error::Error;
use crate::terminal::output::{note, note_error};
use crate::terminal::printable::Printable;
use anyhow::Context;
use std::future::Future;
use std::num::NonZeroU32;

/// Runs a command and gives the exit code of the process.
///
/// # Errors
/// Whatever ended the command. An [`Error`] inside carries its own exit code.
pub fn run(cli: Cli) -> anyhow::Result<u8> {
    let flags = flags(&cli);
    let settings = || setup::load_settings(&flags);
    let settings_with_model = |quiet: bool| {
        let settings = settings()?;
        if let Some(notice) = settings.model_notice.as_ref().filter(|_| !quiet) {
            note(Printable::line(notice));
        }
        Ok::<_, Error>(settings)
    };
    match cli.command {
        // These must work with a broken config file.
        Command::Completions(args) => completions::run(args.shell),
        Command::Man(args) => command_line::man::run(&args),
        Command::Complete(args) => command_line::complete::run(&args),
        Command::Doctor(args) => block_on(doctor::run(args, flags.clone())),
        Command::Models(args) if args.available => block_on(models::run_available(args, settings()?)),
        Command::Models(args) => models::run(&args, &settings()?),
        Command::Usage(args) => {
            let settings = settings()?;
            block_on(usage::run(&args, &settings))
        }
        Command::Keys(args) => keys::run(&args.action, &settings()?),
        Command::Groups(args) => groups::run(&args.action, &settings()?),
        Command::Setup(args) => client_setup::run(&args.client, &settings()?),
        Command::Ledger(args) => ledger::run(&args.action, &settings()?),
        Command::Run(args) => block_on(run::run(args, settings()?)),
        Command::Ask(args) => {
            let settings = settings_with_model(args.quiet)?;
            block_on(person::attend(move || ask::run(args, settings)))
        }
        Command::Chat(args) => {
            let settings = settings_with_model(false)?;
            block_on(person::attend(move || chat::run(args, settings)))
        }
        Command::Serve(args) => {
            let sockets = systemd::sockets().context("cannot use the sockets of systemd")?;
            block_on(serve::run(args, settings_with_model(false)?, flags.clone(), sockets))
        }
    }
}

/// Writes what ended a command to stderr, and gives the exit code of the process.
#[must_use]
pub fn report(error: &anyhow::Error) -> u8 {
    note_error(error);
    error.downcast_ref::<Error>().map_or(1, |error| error.kind.spec().exit)
}

/// The flags that are settings too: the environment and the config file may hold them as well.
fn flags(cli: &Cli) -> Flags {
    let global = Flags {
        offline: cli.global.offline,
        config: cli.global.config.clone(),
        profile: cli.global.profile.clone(),
        region: cli.global.region.clone(),
        ..Flags::default()
    };
    match &cli.command {
        Command::Ask(args) => Flags { model: args.question.model.clone(), ..global },
        Command::Chat(args) => Flags { model: args.question.model.clone(), ..global },
        Command::Doctor(args) => Flags { model: args.model.clone(), ..global },
        Command::Serve(args) => Flags {
            model: args.model.clone(),
            host: args.host,
            port: args.port,
            max_tokens: args.max_tokens.map(NonZeroU32::get),
            max_tokens_limit: args.max_tokens_limit.map(NonZeroU32::get),
            allow_origins: args.allow_origin.clone(),
            require_key: args.require_key,
            max_connections: args.max_connections,
            max_in_flight: args.max_in_flight,
            log_format: args.log_format,
            metrics_addr: args.metrics_addr,
            ..global
        },
        Command::Models(_)
        | Command::Usage(_)
        | Command::Keys(_)
        | Command::Groups(_)
        | Command::Setup(_)
        | Command::Run(_)
        | Command::Ledger(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Complete(_) => global,
    }
}

fn block_on(command: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let result = runtime.block_on(command);
    // A thread that still waits for stdin must not keep the process alive.
    runtime.shutdown_background();
    result
}
