//! The commands, and what they share. [`run`] turns a parsed command line into settings and calls its command.

mod answer;
mod ask;
mod chat;
mod completions;
mod keys;
mod models;
mod serve;
mod usage;

use crate::bedrock::{Client, Endpoint};
use crate::cli::{Cli, Command};
use crate::config::{Flags, Settings};
use crate::engine::{BudgetGuard, Engine};
use crate::error::{Error, Kind};
use crate::ledger::{Clock, Ledger, SqliteStore};
use crate::offline;
use crate::terminal::{output, sanitize};
use anyhow::Context;
use std::fmt::Display;
use std::future::Future;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// Runs a command and gives the exit code of the process.
///
/// # Errors
/// Whatever ended the command. An [`Error`] inside carries its own exit code.
pub fn run(cli: Cli) -> anyhow::Result<u8> {
    let flags = flags(&cli);
    let settings =
        || Settings::load(flags, |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()));
    match cli.command {
        // The only command that must work with a broken config file.
        Command::Completions(args) => completions::run(args.shell),
        Command::Models(args) => models::run(&args, &settings()?),
        Command::Usage(args) => usage::run(&args, &settings()?),
        Command::Keys(args) => keys::run(&args.action, &settings()?),
        Command::Ask(args) => block_on(ask::run(args, settings()?)),
        Command::Chat(args) => block_on(chat::run(args, settings()?)),
        Command::Serve(args) => block_on(serve::run(args, settings()?)),
    }
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
        Command::Serve(args) => Flags {
            model: args.model.clone(),
            host: args.host,
            port: args.port,
            allow_origins: args.allow_origin.clone(),
            require_key: args.require_key,
            ..global
        },
        Command::Models(_) | Command::Usage(_) | Command::Keys(_) | Command::Completions(_) => global,
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

/// Opens the engine on AWS, or on a Bedrock inside this process.
/// `pace` is the time between two tokens of the offline model.
/// With `drain`, answers that nobody waits for any more are read to their end, so that their usage becomes known.
pub(crate) async fn open(settings: &Settings, pace: Duration, drain: bool) -> anyhow::Result<Arc<Engine>> {
    let endpoint = if settings.offline {
        let url = offline::start(pace).await.context("the offline Bedrock could not start")?;
        Endpoint::Local { url }
    } else {
        Endpoint::Aws { profile: settings.aws.profile.clone(), region: settings.aws.region.clone() }
    };
    let client = Client::new(endpoint, settings.aws.stream_idle).await;
    let ledger = settings.ledger.clone().map(|path| Ledger::new(path, Clock::system()));
    let budgeted = BudgetGuard { budgets: settings.budgets, ledger };
    Ok(Arc::new(Engine::new(settings.policy(), client, budgeted, drain)))
}

/// Opens the ledger for reports, corrections and API keys.
pub(crate) fn book(settings: &Settings) -> anyhow::Result<SqliteStore> {
    let path = settings.ledger.as_ref().ok_or_else(|| {
        Error::new(Kind::LedgerUnavailable, "no home folder is set, so there is no ledger")
            .advise("set XDG_STATE_HOME or HOME")
    })?;
    let mut book = SqliteStore::open(path, Clock::system()).map_err(unavailable)?;
    // Calls that a killed process left open become uncertain now.
    book.recover().map_err(unavailable)?;
    Ok(book)
}

/// A failure of the ledger, as a kind of the error table.
pub(crate) fn unavailable(reason: impl Display) -> Error {
    Error::new(Kind::LedgerUnavailable, format!("the ledger is unavailable: {reason}"))
}

/// The time between two tokens of the offline model: `CHATRIX_OFFLINE_PACE` (milliseconds), or else a readable pace
/// when a person watches and none otherwise.
pub(crate) fn offline_pace(person_reads: bool) -> anyhow::Result<Duration> {
    match std::env::var("CHATRIX_OFFLINE_PACE") {
        Ok(text) if !text.is_empty() => match text.parse() {
            Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
            Err(_) => Err(Error::new(
                Kind::Config,
                format!("CHATRIX_OFFLINE_PACE is {text:?}, which is not a number of milliseconds"),
            )
            .into()),
        },
        _ if person_reads => Ok(Duration::from_millis(25)),
        _ => Ok(Duration::ZERO),
    }
}

/// The notice of every command that answers offline.
pub(crate) const OFFLINE_NOTICE: &str =
    "offline: a small model inside this process answers; nothing is sent to AWS or billed";

/// Writes to stdout, as [`output::write`] does.
pub(crate) fn print(text: &str) -> io::Result<bool> {
    output::write(&mut io::stdout(), text)
}

/// The line that reports an error. It may hold words of Bedrock's or of a file, so it is sanitized.
pub fn error_line(error: impl Display) -> String {
    sanitize::clean(&format!("error: {error:#}"))
}

/// Writes a line to stderr.
pub(crate) fn note(line: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
