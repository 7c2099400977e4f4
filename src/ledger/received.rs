//! The commands that the ledger's thread works on at a time, by what they ask for.

use super::budget::BudgetLimit;
use super::call::Settlement;
use super::command::{AlertRequest, Check, Command, KeySnapshot, PendingReservation, StatusRequest};
use tokio::sync::oneshot;

/// The commands that arrived since the last transaction.
#[derive(Default)]
pub(super) struct Received {
    pub reservations: Vec<PendingReservation>,
    pub status_requests: Vec<StatusRequest>,
    pub key_requests: Vec<oneshot::Sender<KeySnapshot>>,
    pub checks: Vec<Check>,
    pub alert_requests: Vec<AlertRequest>,
    /// Alerts, and whether they were delivered.
    pub finished_alerts: Vec<(String, bool)>,
    /// Budgets that have refused a call.
    pub refusals: Vec<BudgetLimit>,
    pub settlements: Vec<Settlement>,
    pub closing: bool,
}

impl Received {
    pub(super) fn sort(commands: Vec<Command>) -> Self {
        let mut received = Self::default();
        for command in commands {
            match command {
                Command::Reserve(pending) => received.reservations.push(pending),
                Command::Settle(settlement) => received.settlements.push(settlement),
                Command::ReadStatuses(request) => received.status_requests.push(request),
                Command::ReadKeys(reply) => received.key_requests.push(reply),
                Command::ClaimAlerts(request) => received.alert_requests.push(request),
                Command::FinishAlert { id, delivered } => received.finished_alerts.push((id, delivered)),
                Command::NoteRefusal(limit) if received.refusals.contains(&limit) => {}
                Command::NoteRefusal(limit) => received.refusals.push(limit),
                Command::Check(check) => received.checks.push(check),
                Command::Close => received.closing = true,
            }
        }
        received
    }
}
