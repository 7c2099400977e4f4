//! What commands open: the engine and the ledger.

use crate::bedrock::{Account, Client, Endpoint};
use crate::config::{Flags, Settings};
use crate::engine::{BudgetGuard, Engine};
use crate::error::{Error, Kind};
use crate::ledger::store::{Store, StoreError};
use crate::ledger::{self, Clock, Ledger, Location};
use crate::offline;
use crate::sessions::make_private_folder;
use crate::telemetry::Telemetry;
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long the start of a command waits to learn whether there are AWS credentials. Off EC2 the SDK takes a second or two
/// to find out that there is no instance metadata service.
const CREDENTIALS_PATIENCE: Duration = Duration::from_secs(3);

/// The settings that the flags, the environment and the config file give at this moment.
pub(crate) fn load_settings(flags: &Flags) -> Result<Settings, Error> {
    Settings::load(flags, variable)
}

/// The settings as if there were no config file.
pub(crate) fn load_settings_without_file(flags: &Flags) -> Result<Settings, Error> {
    Settings::load_without_file(flags, variable)
}

/// A variable of the environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Opens the engine on AWS, or on a Bedrock inside this process, and says whose credentials are used.
/// `pace` is the time between two tokens of the offline model.
/// With `drain`, answers that nobody waits for any more are read to their end, so that their usage becomes known.
pub(crate) async fn open(
    settings: &Settings,
    pace: Duration,
    drain: bool,
    telemetry: &Telemetry,
) -> anyhow::Result<(Arc<Engine>, Account)> {
    let endpoint = endpoint(settings, pace).await?;
    make_state_folder(settings);
    let client = Client::new(endpoint, settings.aws.limits, telemetry.clone()).await?;
    let account = client.account().clone();
    let keeping = |location| Ledger::keeping(location, settings.keep_days, Clock::system(), telemetry.clone());
    let ledger = settings.ledger_location().map(keeping);
    let guard = BudgetGuard { budgets: settings.budgets, ledger };
    Ok((Arc::new(Engine::new(settings.policy(), client, guard, drain, telemetry.clone())), account))
}

/// Which Bedrock is called. The offline one is started.
pub(crate) async fn endpoint(settings: &Settings, pace: Duration) -> anyhow::Result<Endpoint> {
    Ok(if settings.offline {
        let url = offline::start(pace).await.context("the offline Bedrock could not start")?;
        Endpoint::Local { url }
    } else {
        Endpoint::Aws {
            profile: settings.aws.profile.as_ref().map(|profile| profile.value.clone()),
            region: settings.aws.region.as_ref().map(|region| region.value.clone()),
        }
    })
}

/// What came of loading credentials.
pub(crate) enum Loaded {
    InTime,
    /// They are still being loaded, and this is how that ends.
    Late(JoinHandle<Result<(), Error>>),
}

/// Loads credentials, and waits for them at most for so long.
///
/// # Errors
/// `NoCredentials` or `ExpiredCredentials`, when that is known in time.
pub(crate) async fn load_credentials(account: &Account, patience: Duration) -> Result<Loaded, Error> {
    let loading = account.clone();
    let mut load = tokio::spawn(async move { loading.check().await });
    match tokio::time::timeout(patience, &mut load).await {
        Ok(loaded) => loaded.unwrap_or(Ok(())).map(|()| Loaded::InTime),
        Err(_) => Ok(Loaded::Late(load)),
    }
}

/// Finds out at the start of a command whether there are credentials, so that nobody types or sends a question to learn
/// that there are none. What takes too long goes on meanwhile.
///
/// # Errors
/// As [`load_credentials`].
pub(crate) async fn check_credentials(account: &Account) -> Result<Loaded, Error> {
    load_credentials(account, CREDENTIALS_PATIENCE).await
}

/// Whether an error says that a call with these credentials would fail too.
pub(crate) fn is_about_identity(error: &Error) -> bool {
    matches!(error.kind, Kind::NoCredentials | Kind::ExpiredCredentials | Kind::ClockSkew | Kind::Config)
}

/// Makes the folder of the ledger and the history, which only this user may look into.
pub(crate) fn make_state_folder(settings: &Settings) {
    let Some(folder) = &settings.state else { return };
    // Where it cannot be made, whoever needs a file in it says so.
    let _ = make_private_folder(folder);
}

/// Where the ledger is.
pub(crate) fn ledger_location(settings: &Settings) -> Result<&Location, Error> {
    let nowhere = || Error::from(StoreError::no_folder()).advise("set XDG_STATE_HOME or HOME");
    settings.ledger_location().ok_or_else(nowhere)
}

/// Refuses a ledger that does not exist: opening it would make a new one.
pub(crate) fn check_existence(location: &Location) -> Result<(), Error> {
    if location.exists() {
        return Ok(());
    }
    let message = format!("there is no ledger at {location}");
    Err(Error::new(Kind::LedgerUnavailable, message).advise("the first call makes one"))
}

/// Opens the ledger for reports, corrections and API keys. What killed processes left open becomes uncertain now.
pub(crate) fn open_ledger(settings: &Settings) -> anyhow::Result<Box<dyn Store>> {
    let location = ledger_location(settings)?;
    make_state_folder(settings);
    let mut ledger = ledger::open(location, Clock::system()).map_err(Error::from)?;
    ledger.recover().map_err(Error::from)?;
    Ok(ledger)
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
