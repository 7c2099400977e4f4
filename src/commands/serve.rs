//! `chatrix serve`: opens the socket, runs the server, and books what is left when it ends.

mod startup;

use crate::cli::Serve;
use crate::commands::setup::{offline_pace, open};
use crate::commands::{file_limit, signals};
use crate::config::{ServeSettings, Settings};
use crate::engine::BudgetGuard;
use crate::error::{Error, Kind};
use crate::ledger::Ledger;
use crate::ledger::store::StoreError;
use crate::server::{self, Keys, Limits, OriginPolicy, Parts};
use crate::telemetry::Telemetry;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long the end of the process waits for the last lines of the log.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

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
    let telemetry = Telemetry::with_log(settings.serve.log_format);
    let ended = serve(settings, &telemetry).await;
    telemetry.flush(FLUSH_TIMEOUT);
    ended
}

async fn serve(settings: Settings, telemetry: &Telemetry) -> anyhow::Result<u8> {
    let (engine, account) = open(&settings, offline_pace(false)?, settings.serve.drain, telemetry).await?;
    check_ledger(engine.guard(), telemetry).await?;
    let listener = listen(SocketAddr::new(settings.serve.host.value, settings.serve.port)).await?;
    let address = listener.local_addr()?;
    let ledger = engine.guard().ledger.clone();
    let keys = Keys { cache: ledger.as_ref().map(Ledger::key_cache), required: settings.serve.require_key };
    if keys.required {
        keys.all().await?;
    }
    let limits = limits(&settings.serve);
    startup::announce(&settings, &engine, &account, &keys, &limits, telemetry).await;
    let stop = signals::hear(telemetry)?;
    startup::say_address(address, &keys, telemetry);
    let origin =
        OriginPolicy { bound: address.ip(), origins: settings.serve.allow_origins, hosts: settings.serve.allow_hosts };
    let fetch_images = settings.serve.fetch_images;
    let parts = Parts { engine, origin, keys, limits, fetch_images, telemetry: telemetry.clone() };
    server::serve(listener, parts, stop).await?;
    // Answers that were cut off still hold the engine, so dropping it would not close the ledger.
    if let Some(ledger) = ledger {
        ledger.close();
    }
    Ok(0)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => {
                "is another chatrix running? choose another port with --port, or any free one with --port 0"
            }
            ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose another port with --port",
            _ => "choose another address with --host and --port",
        };
        let message = match error.kind() {
            ErrorKind::AddrInUse => format!("port {} on {} is taken", address.port(), address.ip()),
            _ => format!("cannot listen on {address}: {error}"),
        };
        Error::new(Kind::Io, message).advise(advice)
    })
}

/// Finds out whether calls can be booked. Without a budget the server starts even if they cannot.
async fn check_ledger(guard: &BudgetGuard, telemetry: &Telemetry) -> Result<(), Error> {
    let guards_budget = !guard.limits(None).is_empty();
    let checked = match &guard.ledger {
        Some(ledger) => ledger.check(guards_budget).await,
        None => Err(StoreError::no_folder()),
    };
    match checked {
        Ok(()) => Ok(()),
        Err(error) if guards_budget => Err(Error::from(error).advise(
            "a budget is set, so the server does not start without its ledger; make it readable and writable, or move \
             it away and accept a new one with `chatrix ledger accept`",
        )),
        Err(error) => {
            telemetry.notice(&format!(
                "warning: {error}; there is no budget, so calls are answered, but they are booked only if that changes"
            ));
            Ok(())
        }
    }
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
