//! The commands. Each one puts the rooms below together; what they share stands here.

pub mod ask;
pub mod chat;
pub mod completions;
pub mod keys;
pub mod models;
pub mod serve;
pub mod usage;

use crate::bedrock::{Client, Endpoint};
use crate::config::{Setting, Settings};
use crate::engine::{BudgetGuard, Engine};
use crate::error::{Error, Kind};
use crate::ledger::store::{Store, StoreError};
use crate::ledger::{self, Clock, Ledger};
use crate::offline;
use crate::telemetry::Telemetry;
use anyhow::Context;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

/// Opens the one door: to AWS, or to a Bedrock inside this process.
/// `pace` is the offline model's, between two tokens.
/// `drain`: answers that nobody waits for any more are read on to their usage.
pub(crate) async fn open(settings: &Settings, pace: Duration, drain: bool) -> anyhow::Result<Arc<Engine>> {
    let access = if settings.offline.value {
        let url = offline::start(pace).await.context("the offline Bedrock could not start")?;
        Endpoint::Local { url }
    } else {
        let text = |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
        Endpoint::Aws { profile: text(&settings.profile), region: text(&settings.region) }
    };
    let telemetry = Telemetry::default();
    let client = Client::new(access, settings.stream_idle.value, telemetry.clone()).await;
    let ledger = settings.ledger.as_ref().map(|path| Ledger::in_file(path, Clock::system()));
    let budgeted = BudgetGuard { budgets: settings.budgets, ledger };
    Ok(Arc::new(Engine::new(settings.policy(), client, budgeted, drain, telemetry)))
}

/// Opens the ledger to read it, or to change what does not belong to a call.
pub(crate) fn open_ledger(settings: &Settings) -> anyhow::Result<Box<dyn Store>> {
    let path = settings
        .ledger
        .as_ref()
        .ok_or_else(|| Error::from(StoreError::no_folder()).advise("set XDG_STATE_HOME or HOME"))?;
    let mut ledger = ledger::open(path, Clock::system()).map_err(Error::from)?;
    // What a process that was killed has left open is uncertain from now on.
    ledger.recover().map_err(Error::from)?;
    Ok(ledger)
}

/// The offline model's pace: `CHATRIX_OFFLINE_PACE` milliseconds between tokens,
/// otherwise a readable one where a person reads along.
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

/// What every command says when it is offline.
pub(crate) const OFFLINE_NOTICE: &str =
    "offline: a small model inside this process answers; nothing is sent to AWS or billed";

/// Writes to stdout at once. `Ok(false)`: nobody reads any more, which is no error (`| head -1`).
pub(crate) fn print(text: &str) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes a line to stderr. A stderr that is gone is no reason to fail.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
