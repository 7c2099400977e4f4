//! `chatrix serve`: opens the socket, runs the server, and books what is left when it ends.

mod address;
mod alerting;
mod ledger_check;
mod prepared;
mod reload;
mod service;
mod startup;

pub(crate) use prepared::Prepared;

use crate::cli::Serve;
use crate::commands::{signals, systemd};
use crate::config::{Flags, Settings};
use crate::telemetry::Telemetry;
use address::Access;
use reload::Reloader;
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
    let ended = Box::pin(serve(settings, flags, access, sockets, &telemetry)).await;
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
    let prepared = Prepared::new(&settings, sockets, telemetry).await?;
    let Prepared { engine, account, service, limits, .. } = &prepared;
    startup::announce(&settings, engine, account, &service.keys, limits, telemetry).await;
    let (engine, keys_required) = (Arc::clone(engine), service.keys.required);
    let (bound, addresses) = (prepared.bound(), prepared.addresses()?);
    let signals = signals::hear(telemetry)?;
    let (started, alerting) = prepared.start(&settings, telemetry, signals.stop)?;
    for address in addresses {
        startup::say_address(address, keys_required, telemetry);
    }
    let reloader = Reloader {
        flags,
        access,
        bound,
        began_empty: reload::is_empty(&settings),
        running: settings,
        engine,
        server: Arc::clone(&started.server),
        alerting,
        telemetry: telemetry.clone(),
    };
    tokio::spawn(reloader.run(signals.reloads));
    systemd::watch_workers();
    systemd::ready();
    started.run().await?;
    Ok(0)
}
