//! Reads the config again while the server runs. What runs goes on as it began; the next request gets what is new. A
//! config with a mistake changes nothing.

use super::address::Access;
use super::alerting::Alerting;
use super::ledger_check::check_ledger;
use super::service::service;
use super::startup;
use crate::commands::setup::load_settings;
use crate::commands::systemd;
use crate::config::{Flags, Setting, Settings};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::server::Server;
use crate::telemetry::Telemetry;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long reading the config file may take. A pipe that nobody writes to never ends.
const LOADING_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Reloader {
    pub(super) flags: Flags,
    pub(super) access: Access,
    /// The address that clients reach.
    pub(super) bound: IpAddr,
    /// Whether the config file held nothing when the server was started.
    pub(super) began_empty: bool,
    /// The settings with which the server was started.
    pub(super) running: Settings,
    /// The engine with which the server was started, whose connection and ledger are kept.
    pub(super) engine: Arc<Engine>,
    pub(super) server: Arc<Server>,
    pub(super) alerting: Alerting,
    pub(super) telemetry: Telemetry,
}

impl Reloader {
    /// Reloads whenever the number of requests to reload grows.
    pub(super) async fn run(self, mut reloads: watch::Receiver<u64>) {
        while reloads.changed().await.is_ok() {
            systemd::reloading();
            if let Err(error) = self.reload().await {
                self.telemetry.notice(&format!("the config was not reloaded, and nothing has changed: {error}"));
            }
            systemd::ready();
        }
    }

    async fn reload(&self) -> Result<()> {
        let flags = self.flags.clone();
        let loading = tokio::task::spawn_blocking(move || load_settings(&flags));
        let loaded = tokio::time::timeout(LOADING_TIMEOUT, loading).await;
        let loaded = loaded.map_err(|_| Error::new(Kind::Config, "the config file cannot be read to its end"))?;
        let settings = loaded.map_err(|_| Error::new(Kind::Internal, "reading the config has failed"))??;
        self.check_file(&settings)?;
        self.access.check(self.bound, "the start of this server", settings.serve.require_key)?;
        let engine = self.engine.with_settings(settings.policy(), settings.budgets, settings.serve.drain);
        check_ledger(engine.guard(), settings.ledger_location(), &self.telemetry).await?;
        let service = service(&settings, Arc::new(engine), self.bound);
        if service.keys.required {
            service.keys.all().await?;
        }
        let plan = self.alerting.plan(&settings)?;
        let unused_key_tables = startup::unused_key_tables(&settings, &service.keys).await;
        let engine = Arc::clone(&service.engine);
        self.server.replace(service).map_err(|error| Error::new(Kind::Io, error.to_string()))?;
        self.alerting.follow(plan);
        self.telemetry.set_log_format(settings.serve.log_format);
        match &settings.config_file {
            Some(path) => self.telemetry.notice(&format!("reloaded the config file {}", path.display())),
            None => self.telemetry.notice("reloaded: there is no config file; the defaults are in force"),
        }
        for name in needs_restart(&self.running, &settings) {
            self.telemetry.notice(&format!("{name} cannot change while the server runs; restart it for that"));
        }
        startup::say_limits(&engine, &self.telemetry).await;
        for warning in unused_key_tables {
            self.telemetry.notice(&warning);
        }
        Ok(())
    }
}

impl Reloader {
    /// A file that has vanished or is empty is being replaced, and not meant to drop every budget and key.
    fn check_file(&self, settings: &Settings) -> Result<()> {
        let wrong = |path: &Path, what: &str| {
            Err(Error::new(Kind::Config, format!("the config file {} is {what}", path.display()))
                .advise("restart the server to run with the defaults"))
        };
        match (&self.running.config_file, &settings.config_file) {
            (Some(path), None) => wrong(path, "gone"),
            (_, Some(path)) if !self.began_empty && is_empty(settings) => wrong(path, "empty"),
            _ => Ok(()),
        }
    }
}

/// Whether the config file holds nothing at all.
pub(super) fn is_empty(settings: &Settings) -> bool {
    let file = settings.config_file.as_ref().and_then(|path| std::fs::metadata(path).ok());
    file.is_some_and(|file| file.is_file() && file.len() == 0)
}

fn value<T>(setting: Option<&Setting<T>>) -> Option<&T> {
    setting.map(|setting| &setting.value)
}

/// What differs and stays as it is until a restart.
fn needs_restart(running: &Settings, new: &Settings) -> impl Iterator<Item = &'static str> {
    let (old, serve) = (&running.serve, &new.serve);
    [
        ("host", old.host.value != serve.host.value),
        ("port", old.port.value != serve.port.value),
        ("metrics_addr", old.metrics_addr != serve.metrics_addr),
        ("max_connections", old.max_connections != serve.max_connections),
        ("max_in_flight", old.max_in_flight != serve.max_in_flight),
        ("max_body_memory_mib", old.max_body_memory != serve.max_body_memory),
        ("[serve.timeouts]", old.timeouts != serve.timeouts),
        ("offline", running.offline != new.offline),
        ("the ledger's place or password", value(running.ledger.as_ref()) != value(new.ledger.as_ref())),
        ("keep_days", running.keep_days != new.keep_days),
        ("profile", value(running.aws.profile.as_ref()) != value(new.aws.profile.as_ref())),
        ("region", value(running.aws.region.as_ref()) != value(new.aws.region.as_ref())),
        ("connection_idle_seconds", running.aws.limits.connection_idle != new.aws.limits.connection_idle),
        ("stream_idle_seconds", running.aws.limits.stream_idle != new.aws.limits.stream_idle),
        ("credentials_seconds", running.aws.limits.credentials != new.aws.limits.credentials),
        ("answer_seconds", running.aws.limits.answer != new.aws.limits.answer),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
}
