//! `chatrix serve`: opens the socket, runs the server, and books what is left when it ends.

use crate::bedrock::Account;
use crate::cli::Serve;
use crate::commands::setup::{OFFLINE_NOTICE, check_credentials, offline_pace, open};
use crate::commands::{file_limit, signals};
use crate::config::{ServeSettings, Settings};
use crate::error::{Error, Kind};
use crate::ledger::Ledger;
use crate::server::{self, Keys, Limits, OriginPolicy, Parts};
use crate::telemetry::Telemetry;
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn run(args: Serve, settings: Settings) -> anyhow::Result<u8> {
    let host = settings.serve.host.value;
    if !host.is_loopback() && !args.allow_unauthenticated && !settings.serve.require_key {
        let message = format!(
            "{host} (from {}) is reachable beyond this machine, and anyone who can connect could spend your money",
            settings.serve.host.source
        );
        return Err(Error::new(Kind::RefusedByPolicy, message)
            .advise("require API keys with --require-key, or add --allow-unauthenticated to allow it")
            .into());
    }
    let address = SocketAddr::new(host, settings.serve.port);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                "is another chatrix running? choose another port with --port, or any free one with --port 0"
            }
            ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose another port with --port",
            _ => "choose another address with --host and --port",
        };
        let message = match error.kind() {
            ErrorKind::AddrInUse => format!("port {} on {host} is taken", address.port()),
            _ => format!("cannot listen on {address}: {error}"),
        };
        Error::new(Kind::Io, message).advise(advice)
    })?;
    let address = listener.local_addr()?;
    let telemetry = if args.log { Telemetry::with_log() } else { Telemetry::default() };
    let (engine, account) = open(&settings, offline_pace(false)?, settings.serve.drain, &telemetry).await?;
    let ledger = engine.guard().ledger.clone();
    let keys = api_keys(&settings, ledger.as_ref()).await?;
    if settings.offline {
        note(OFFLINE_NOTICE);
    } else {
        say_who_pays(&account).await;
    }
    let stop = signals::hear()?;
    note(Printable::line(format_args!("listening on http://{address}")));
    let key = if keys.required { "a key from `chatrix keys add`" } else { "any API key" };
    let port = address.port();
    note(Printable::line(format_args!(
        "in Jan: Settings › Model Providers › Add, with base URL http://localhost:{port}/v1 and {key}"
    )));
    let limits = limits(&settings.serve);
    let origin = OriginPolicy { bound: host, origins: settings.serve.allow_origins, hosts: settings.serve.allow_hosts };
    let fetch_images = settings.serve.fetch_images;
    let parts = Parts { engine, origin, keys, limits, fetch_images, telemetry: telemetry.clone() };
    server::serve(listener, parts, stop).await?;
    // Answers that were cut off still hold the engine, so dropping it would not close the ledger.
    if let Some(ledger) = ledger {
        ledger.close();
    }
    telemetry.log_summary();
    Ok(0)
}

/// What clients may use of the server. As many connections are allowed as there may be open files for.
fn limits(serve: &ServeSettings) -> Limits {
    let files = file_limit::raise();
    let default = Limits::default();
    Limits {
        connections: serve.max_connections.unwrap_or_else(|| file_limit::connections(files)),
        answers: serve.max_in_flight.unwrap_or(default.answers),
        body_bytes: serve.max_body_memory.unwrap_or(default.body_bytes),
        timeouts: serve.timeouts,
    }
}

/// Says which credentials are used, and warns when there are none. The server starts all the same: they may come later.
async fn say_who_pays(account: &Account) {
    let warn = |error: &Error| note(Printable::line(format_args!("warning: every call will fail: {error}")));
    note(Printable::line(account.summary()));
    if let Err(error) = check_credentials(account, warn).await {
        warn(&error);
    }
}

/// The API keys, with a notice where they and `--require-key` do not go together.
async fn api_keys(settings: &Settings, ledger: Option<&Ledger>) -> anyhow::Result<Keys> {
    let keys = Keys { cache: ledger.map(Ledger::key_cache), required: settings.serve.require_key };
    if !keys.required && !settings.ledger.as_ref().is_some_and(|path| path.exists()) {
        return Ok(keys);
    }
    match keys.all().await {
        Ok(known) => match (keys.required, known.iter().any(|key| key.revoked.is_none())) {
            (true, false) => {
                let offline = if settings.offline { " --offline" } else { "" };
                note(Printable::line(format_args!(
                    "every call needs an API key, and there is none yet; create one: chatrix keys add NAME{offline}"
                )));
            }
            (false, true) => {
                note("calls without an API key are answered too, although there are keys; --require-key refuses them");
            }
            _ => {}
        },
        Err(error) if keys.required => return Err(error.into()),
        // The ledger cannot be read. Each call that needs it will say so.
        Err(_) => {}
    }
    Ok(keys)
}
