//! Parse, run, exit. The only place where the process ends.

use anyhow::Context;
use chatrix::cli::{Cli, Command, KeysAction, UsageAction};
use chatrix::commands::{ask, chat, completions, keys, models, serve, usage};
use chatrix::config::{Flags, Settings};
use chatrix::error::Error;
use clap::Parser;
use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // A stderr that is gone cannot be told that it is gone.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            let kind = error.downcast_ref::<Error>().map(|error| error.kind.spec().exit);
            ExitCode::from(kind.unwrap_or(1))
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    let mut flags =
        Flags { config: cli.global.config, profile: cli.global.profile, region: cli.global.region, ..Flags::default() };
    match cli.command {
        Command::Completions(args) => completions::run(args.shell),
        Command::Usage(args) => {
            let settling = matches!(&args.action, Some(UsageAction::Settle(settle)) if settle.offline);
            flags.offline = args.offline || settling;
            usage::run(&args, &load(flags)?)
        }
        Command::Keys(args) => {
            flags.offline = match &args.action {
                KeysAction::Add(add) => add.offline,
                KeysAction::List(list) => list.offline,
                KeysAction::Revoke(revoke) => revoke.offline,
            };
            keys::run(&args.action, &load(flags)?)
        }
        Command::Models(args) => models::run(&args, &load(flags)?),
        Command::Ask(args) => {
            flags.model.clone_from(&args.question.model);
            flags.offline = args.question.offline;
            let settings = load(flags)?;
            asynchronously(ask::run(args, settings))
        }
        Command::Chat(args) => {
            flags.model.clone_from(&args.question.model);
            flags.offline = args.question.offline;
            let settings = load(flags)?;
            asynchronously(chat::run(args, settings))
        }
        Command::Serve(args) => {
            flags.model.clone_from(&args.model);
            flags.offline = args.offline;
            flags.host = args.host;
            flags.port = args.port;
            flags.require_key = args.require_key;
            flags.allow_origins.clone_from(&args.allow_origin);
            let settings = load(flags)?;
            asynchronously(serve::run(args, settings))
        }
    }
}

fn load(flags: Flags) -> anyhow::Result<Settings> {
    Ok(Settings::load(flags, |name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))?)
}

fn asynchronously(command: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let result = runtime.block_on(command);
    // A thread that still waits for stdin must not hold the process.
    runtime.shutdown_background();
    result
}
