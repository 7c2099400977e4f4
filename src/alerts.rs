//! Tells the operator when a budget is nearly used up, by a signed request to an address of the operator's
//! (<https://www.standardwebhooks.com>). The ledger decides what is to be told, so that several servers and restarts
//! tell it once. Nothing here is in the way of a call.

mod delivery;
mod message;
mod webhook;

pub use delivery::Delivery;
pub use webhook::{AlertSettings, Secret, Webhook};

use crate::ledger::alert::BudgetAlert;
use crate::ledger::{Ledger, WatchedBudgets};
use crate::telemetry::Telemetry;
use delivery::Outcome;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How often the ledger is asked for what is to be told.
const POLL: Duration = Duration::from_secs(1);
/// The most alerts that are being told at once.
const AT_ONCE: usize = 16;

/// What is told, and to whom.
#[derive(Debug, Clone)]
pub struct Plan {
    pub delivery: Arc<Delivery>,
    pub budgets: WatchedBudgets,
}

/// Tells the operator of every threshold that one of the plan's budgets, or one of a key, reaches. The plan may change;
/// without one, nothing is told. `instance`: the name of this server.
pub async fn run(ledger: Ledger, plan: watch::Receiver<Option<Plan>>, instance: String, telemetry: Telemetry) {
    let teller = Arc::new(Teller { ledger, instance, telemetry });
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let wanted = plan.borrow().clone().filter(|plan| !plan.delivery.is_unwanted());
        if let Some(Plan { delivery, budgets }) = wanted {
            for alert in teller.ledger.claim_alerts(budgets, places.available_permits()).await {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
                let (teller, delivery) = (Arc::clone(&teller), Arc::clone(&delivery));
                tokio::spawn(async move {
                    teller.tell(&delivery, &alert).await;
                    drop(place);
                });
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

struct Teller {
    ledger: Ledger,
    instance: String,
    telemetry: Telemetry,
}

impl Teller {
    async fn tell(&self, delivery: &Delivery, alert: &BudgetAlert) {
        let body = message::body(alert, &self.instance);
        let outcome = delivery.deliver(&alert.id, &body).await;
        if let Outcome::GivenUp(reason) = &outcome {
            self.telemetry.notice(&format!(
                "warning: the alert that {} % of the {} are used up could not be delivered to {}: {reason}",
                alert.threshold,
                alert.status.limit,
                delivery.host()
            ));
        }
        self.ledger.finish_alert(&alert.id, outcome == Outcome::Delivered);
    }
}
