//! A server by its settings, from its sockets to its end: that of `chatrix serve`, and the one beside an agent that
//! `chatrix run` starts.

use super::address::Listeners;
use super::alerting::Alerting;
use super::ledger_check::check_ledger;
use super::service::service;
use crate::bedrock::Account;
use crate::commands::file_limit;
use crate::commands::setup::{offline_pace, open};
use crate::config::{ServeSettings, Settings};
use crate::engine::Engine;
use crate::ledger::Ledger;
use crate::server::{Limits, Server, Service, Stop};
use crate::telemetry::Telemetry;
use futures_util::future::try_join_all;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A server that listens, and answers nobody yet.
pub(crate) struct Prepared {
    pub(super) engine: Arc<Engine>,
    /// Whose credentials are used.
    pub(crate) account: Account,
    listeners: Listeners,
    pub(super) service: Service,
    pub(super) limits: Limits,
}

/// A server that answers once it is run.
pub(crate) struct Started {
    pub(super) server: Arc<Server>,
    ledger: Option<Ledger>,
    listeners: Vec<TcpListener>,
}

impl Prepared {
    /// Opens all that a server needs. It takes the sockets that are given, or else opens the configured address.
    pub(crate) async fn new(
        settings: &Settings,
        sockets: Vec<std::net::TcpListener>,
        telemetry: &Telemetry,
    ) -> anyhow::Result<Self> {
        let (engine, account) = open(settings, offline_pace(false)?, settings.serve.drain, telemetry).await?;
        check_ledger(engine.guard(), settings.ledger_location(), telemetry).await?;
        let listeners = Listeners::open(&settings.serve, sockets).await?;
        let service = service(settings, Arc::clone(&engine), listeners.bound());
        if service.keys.required {
            service.keys.all().await?;
        }
        Ok(Self { engine, account, listeners, service, limits: limits(&settings.serve) })
    }

    /// The address that clients reach. Of several it is one that others can reach, if there is one.
    pub(super) fn bound(&self) -> IpAddr {
        self.listeners.bound()
    }

    /// Where it listens for clients.
    pub(crate) fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        self.listeners.main.iter().map(TcpListener::local_addr).collect()
    }

    /// Starts what runs beside the server: metrics, and alerts for as long as the second value is kept.
    pub(crate) fn start(
        self,
        settings: &Settings,
        telemetry: &Telemetry,
        stop: watch::Receiver<Stop>,
    ) -> anyhow::Result<(Started, Alerting)> {
        let Self { engine, account: _, listeners, service, limits } = self;
        let server = Server::new(service, limits, telemetry.clone(), stop)?;
        if let Some(listener) = listeners.metrics {
            telemetry.notice(&format!("metrics on http://{}/metrics", listener.local_addr()?));
            tokio::spawn(Arc::clone(&server).serve_metrics(listener));
        }
        let ledger = engine.guard().ledger.clone();
        let alerting = Alerting::start(settings, ledger.as_ref(), &listeners.main, telemetry)?;
        Ok((Started { server, ledger, listeners: listeners.main }, alerting))
    }
}

impl Started {
    /// Answers clients until the server has been stopped.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Self { server, ledger, listeners } = self;
        try_join_all(listeners.into_iter().map(|listener| Arc::clone(&server).serve(listener))).await?;
        // Answers that were cut off still hold the engine, so dropping it would not close the ledger.
        if let Some(ledger) = ledger {
            ledger.close();
        }
        Ok(())
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
