//! `chatrix serve`: opens the socket, runs the server, and books what is left when it ends.

mod address;
mod alerting;
mod ledger_check;
mod reload;
mod service;
mod startup;

use crate::cli::Serve;
use crate::commands::setup::{offline_pace, open};
use crate::commands::{file_limit, signals, systemd};
use crate::config::{Flags, ServeSettings, Settings};
use crate::server::{Limits, Server};
use crate::telemetry::Telemetry;
use address::{Access, Listeners};
use alerting::Alerting;
use futures_util::future::try_join_all;
use ledger_check::check_ledger;
use reload::Reloader;
use service::service;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// How long the end of the process waits for the last lines of the log.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves until Ctrl-C or SIGTERM, on the sockets that systemd has passed or else on the configured address.
pub(crate) async fn run(
    args: Serve,
    settings: Settings,
    flags: Flags,
    sockets: Vec<TcpListener>,
) -> anyhow::Result<u8> {
    let access = Access { allow_unauthenticated: args.allow_unauthenticated };
    access.check_all(&settings.serve, &sockets)?;
    let telemetry = Telemetry::with_log(settings.serve.log_format);
    let ended = serve(settings, flags, access, sockets, &telemetry).await;
    systemd::stopping();
    telemetry.flush(FLUSH_TIMEOUT);
    ended
}

async fn serve(
    settings: Settings,
    flags: Flags,
    access: Access,
    sockets: Vec<TcpListener>,
    telemetry: &Telemetry,
) -> anyhow::Result<u8> {
    let (engine, account) = open(&settings, offline_pace(false)?, settings.serve.drain, telemetry).await?;
    check_ledger(engine.guard(), telemetry).await?;
    let listeners = Listeners::open(&settings.serve, sockets).await?;
    let bound = listeners.bound();
    let ledger = engine.guard().ledger.clone();
    let service = service(&settings, Arc::clone(&engine), bound);
    if service.keys.required {
        service.keys.all().await?;
    }
    let limits = limits(&settings.serve);
    startup::announce(&settings, &engine, &account, &service.keys, &limits, telemetry).await;
    let signals = signals::hear(telemetry)?;
    let keys_required = service.keys.required;
    let server = Server::new(service, limits, telemetry.clone(), signals.stop)?;
    if let Some(listener) = listeners.metrics {
        telemetry.notice(&format!("metrics on http://{}/metrics", listener.local_addr()?));
        tokio::spawn(Arc::clone(&server).serve_metrics(listener));
    }
    let alerting = Alerting::start(&settings, ledger.as_ref(), &listeners.main, telemetry)?;
    for listener in &listeners.main {
        startup::say_address(listener.local_addr()?, keys_required, telemetry);
    }
    let reloader = Reloader {
        flags,
        access,
        bound,
        began_empty: reload::is_empty(&settings),
        running: settings,
        engine,
        server: Arc::clone(&server),
        alerting,
        telemetry: telemetry.clone(),
    };
    tokio::spawn(reloader.run(signals.reloads));
    systemd::watch_workers();
    systemd::ready();
    try_join_all(listeners.main.into_iter().map(|listener| Arc::clone(&server).serve(listener))).await?;
    // Answers that were cut off still hold the engine, so dropping it would not close the ledger.
    if let Some(ledger) = ledger {
        ledger.close();
    }
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
