//! Whom a server tells when a budget is nearly used up, by its settings.

use crate::alerts::{self, Delivery, Plan};
use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::ledger::{Ledger, WatchedBudgets, machine_name};
use crate::telemetry::Telemetry;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The alerts of a server. A reload changes what is told, and to whom.
pub(crate) struct Alerting(watch::Sender<Option<Plan>>);

impl Alerting {
    /// Begins to tell the operator, where the config file says whom.
    ///
    /// # Errors
    /// `Config`, when this machine has no root certificates.
    pub(super) fn start(
        settings: &Settings,
        ledger: Option<&Ledger>,
        listeners: &[TcpListener],
        telemetry: &Telemetry,
    ) -> Result<Self> {
        let (sender, plan) = watch::channel(None);
        let alerting = Self(sender);
        alerting.0.send_replace(alerting.plan(settings)?);
        if let Some(alerts) = &settings.alerts {
            let unsigned = if alerts.secret.is_none() { ", unsigned: `secret` in [alerts] signs them" } else { "" };
            telemetry.notice(&format!("alerts of budgets go to {}{unsigned}", alerts.webhook.host()));
        }
        if let Some(ledger) = ledger {
            let instance = instance(listeners);
            tokio::spawn(alerts::run(ledger.clone(), plan, instance, telemetry.clone()));
        }
        Ok(alerting)
    }

    /// What is told by these settings. The delivery is kept while its settings are the same.
    ///
    /// # Errors
    /// `Config`, when this machine has no root certificates.
    pub(super) fn plan(&self, settings: &Settings) -> Result<Option<Plan>> {
        let Some(alerts) = &settings.alerts else { return Ok(None) };
        let running = self.0.borrow().as_ref().map(|plan| Arc::clone(&plan.delivery));
        let delivery = match running.filter(|delivery| delivery.has_settings(alerts)) {
            Some(delivery) => delivery,
            None => Arc::new(Delivery::new(alerts.clone()).map_err(|error| {
                Error::new(Kind::Config, format!("alerts cannot be sent: {error}"))
                    .advise("install ca-certificates, or set SSL_CERT_FILE to a file that holds them")
            })?),
        };
        let budgets = WatchedBudgets { common: settings.budgets.limits().collect(), keys: settings.keys.clone() };
        Ok(Some(Plan { delivery, budgets }))
    }

    /// Tells by this plan from now on.
    pub(super) fn follow(&self, plan: Option<Plan>) {
        self.0.send_replace(plan);
    }
}

/// The name of this server: that of the machine, and the address on which it listens.
fn instance(listeners: &[TcpListener]) -> String {
    let host = machine_name().unwrap_or_default();
    let address = listeners.first().and_then(|listener| listener.local_addr().ok());
    format!("{} {}", host, address.map(|address| address.to_string()).unwrap_or_default()).trim().to_owned()
}
