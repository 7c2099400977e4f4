//! What `serve` says when it starts: everything that is in force.

use crate::bedrock::Account;
use crate::commands::setup::{Loaded, OFFLINE_NOTICE, check_credentials, is_about_identity};
use crate::config::Settings;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ledger::Location;
use crate::ledger::key::Key;
use crate::server::{Keys, Limits};
use crate::telemetry::Telemetry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Says which config file, credentials, budgets, API keys and limits are in force.
pub(super) async fn announce(
    settings: &Settings,
    engine: &Arc<Engine>,
    account: &Account,
    keys: &Keys,
    limits: &Limits,
    telemetry: &Telemetry,
) {
    match &settings.config_file {
        Some(path) => telemetry.notice(&format!("config file: {}", path.display())),
        None => telemetry.notice("config file: none; the defaults are in force"),
    }
    if settings.offline {
        telemetry.notice(OFFLINE_NOTICE);
    } else {
        say_who_pays(engine, account, telemetry).await;
    }
    say_limits(engine, telemetry).await;
    telemetry.notice(&format!(
        "limits: {} connections, {} running answers, and {} MiB of request bodies in memory",
        limits.connections,
        limits.answers,
        limits.body_bytes >> 20
    ));
    say_keys(settings, keys, telemetry).await;
    say_groups(settings, engine, keys, telemetry).await;
    for warning in unused_key_tables(settings, keys).await {
        telemetry.notice(&warning);
    }
}

/// Says which credentials are used, and warns when there are none. The server starts all the same: they may come later.
async fn say_who_pays(engine: &Arc<Engine>, account: &Account, telemetry: &Telemetry) {
    let log = telemetry.clone();
    let warn = move |error: &Error| log.notice(&format!("warning: every call will fail: {error}"));
    telemetry.notice(account.summary());
    match check_credentials(account).await {
        Ok(Loaded::InTime) => drop(tokio::spawn(ask_aws(Arc::clone(engine), warn))),
        Ok(Loaded::Late(load)) => drop(tokio::spawn(async move {
            if let Ok(Err(error)) = load.await {
                warn(&error);
            }
        })),
        Err(error) => warn(&error),
    }
}

/// Asks AWS whether it accepts the credentials, while the server starts: keys that have expired look like others.
async fn ask_aws(engine: Arc<Engine>, warn: impl FnOnce(&Error)) {
    const LIMIT: Duration = Duration::from_secs(10);
    match engine.caller_identity(LIMIT).await {
        Err(error) if is_about_identity(&error) => warn(&error),
        // That STS cannot be reached says nothing about Bedrock.
        _ => {}
    }
}

/// Says what calls may cost, and how long answers may be.
pub(super) async fn say_limits(engine: &Engine, telemetry: &Telemetry) {
    let guard = engine.guard();
    if guard.budgets == crate::ledger::budget::Budgets::default() {
        telemetry.notice("budgets: none; [budget] in the config file sets them");
    }
    if let Some(amount) = guard.budgets.request {
        telemetry.notice(&format!("budgets: at most {amount} for one request"));
    }
    for status in guard.statuses().await {
        telemetry.notice(&format!("budgets: {} left of the {status}", status.left()));
    }
    let limits = engine.policy().limits;
    telemetry.notice(&format!(
        "limits: answers of {} tokens for requests that set no limit, and of {} at most",
        limits.max_tokens, limits.max_tokens_limit
    ));
}

/// The API keys. Where there is no ledger there are none: reading them would make one.
async fn known_keys(settings: &Settings, keys: &Keys) -> Result<Arc<[Key]>> {
    if settings.ledger_location().is_some_and(Location::exists) { keys.all().await } else { Ok(Arc::default()) }
}

/// Says how many API keys there are, and where they and `--require-key` do not go together.
async fn say_keys(settings: &Settings, keys: &Keys, telemetry: &Telemetry) {
    let usable = match known_keys(settings, keys).await {
        Ok(known) => known.iter().filter(|key| key.revoked.is_none()).count(),
        Err(error) => return telemetry.notice(&format!("warning: {error}")),
    };
    let offline = if settings.offline { " --offline" } else { "" };
    telemetry.notice(&match (keys.required, usable) {
        (true, 0) => format!(
            "every call needs an API key, and there is none yet; create one: chatrix keys add NAME{offline}"
        ),
        (true, usable) => format!("API keys: {usable}; every call needs one"),
        (false, 0) => "API keys: none; every call is answered".to_owned(),
        (false, usable) => format!(
            "API keys: {usable}; calls without an API key are answered too, although there are keys; --require-key refuses them"
        ),
    });
}

/// Says what is left of the budgets that keys share. What cannot be read was said with the keys.
async fn say_groups(settings: &Settings, engine: &Engine, keys: &Keys, telemetry: &Telemetry) {
    let known = known_keys(settings, keys).await.unwrap_or_default();
    for status in engine.guard().pool_statuses(&known).await {
        telemetry.notice(&format!("budgets: {} left of the {status}", status.left()));
    }
}

/// A warning for each table of the config file that is for no API key. The key may come later, and then its table is in force.
pub(super) async fn unused_key_tables(settings: &Settings, keys: &Keys) -> Vec<String> {
    let known = known_keys(settings, keys).await.unwrap_or_default();
    let warning = |name: &str| {
        format!(
            "warning: the config file has a table [keys.{name:?}], but there is no API key of that name; \
             `chatrix keys list` shows the keys"
        )
    };
    settings.keys.unused(&known).map(warning).collect()
}

/// Says where the server listens, and what a person types into Jan.
pub(super) fn say_address(address: SocketAddr, keys_required: bool, telemetry: &Telemetry) {
    // Programs wait for this line, so it has the same form in every format of the log.
    telemetry.plain_line(format!("listening on http://{address}"));
    let key = if keys_required { "a key from `chatrix keys add`" } else { "any API key" };
    let port = address.port();
    telemetry.notice(&format!(
        "in Jan: Settings › Model Providers › Add, with base URL http://localhost:{port}/v1 and {key}"
    ));
}
