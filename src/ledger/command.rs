//! The commands for the ledger's thread, and the queue that they are sent through.

use super::alert::BudgetAlert;
use super::budget::{BudgetLimit, BudgetStatus, CostRange};
use super::call::{NewCall, Outcome, Settlement};
use super::key::Key;
use super::reservation::{Granted, Refused, SettlementQueue};
use super::store::{ReserveRequest, StoreResult};
use crate::catalog::NanoDollars;
use crate::telemetry::{ReservationEnd, Telemetry};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;
use tokio::sync::oneshot;

#[derive(Debug)]
pub(super) enum Command {
    Reserve(PendingReservation),
    Settle(Settlement),
    ReadStatuses(StatusRequest),
    ReadKeys(oneshot::Sender<KeySnapshot>),
    Check(Check),
    ClaimAlerts(AlertRequest),
    FinishAlert {
        id: String,
        delivered: bool,
    },
    /// A budget has refused a call.
    NoteRefusal(BudgetLimit),
    /// Write what is left, book open reservations as uncertain, and end.
    Close,
}

/// A call that waits for its reservation.
#[derive(Debug)]
pub(super) struct PendingReservation {
    pub call: NewCall,
    pub limits: Vec<BudgetLimit>,
    pub cost: CostRange,
    /// How long it waits for running calls.
    pub deadline: Instant,
    pub reply: oneshot::Sender<Result<Granted, Refused>>,
}

/// A request for what is booked under some limits.
#[derive(Debug)]
pub(super) struct StatusRequest {
    pub limits: Vec<BudgetLimit>,
    pub reply: oneshot::Sender<Vec<BudgetStatus>>,
}

/// A request for the alerts that are to be told now.
#[derive(Debug)]
pub(super) struct AlertRequest {
    pub limits: Vec<BudgetLimit>,
    /// The most that are claimed.
    pub most: usize,
    pub reply: oneshot::Sender<Vec<BudgetAlert>>,
}

/// A request to find out whether the ledger can be written.
#[derive(Debug)]
pub(super) struct Check {
    /// Whether a budget depends on the ledger from now on.
    pub guards_budget: bool,
    pub reply: oneshot::Sender<StoreResult<()>>,
}

impl PendingReservation {
    pub(super) fn request(&self, now: Instant) -> ReserveRequest<'_> {
        let Self { call, limits, cost, deadline, reply: _ } = self;
        ReserveRequest { call, limits, cost: *cost, may_wait: now < *deadline }
    }
}

/// The API keys at a moment, or why they cannot be read.
#[derive(Debug, Clone)]
pub(super) struct KeySnapshot {
    pub read_at: Instant,
    pub keys: StoreResult<Arc<[Key]>>,
}

/// Sends commands to the ledger's thread. Sending never waits.
#[derive(Debug, Clone)]
pub(super) struct CommandQueue {
    sender: Sender<Command>,
    telemetry: Telemetry,
}

/// The ledger's thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueClosed;

impl CommandQueue {
    pub(super) fn new(sender: Sender<Command>, telemetry: Telemetry) -> Self {
        Self { sender, telemetry }
    }

    pub(super) fn send(&self, command: Command) -> Result<(), QueueClosed> {
        self.sender.send(command).map_err(|_| QueueClosed)
    }
}

impl SettlementQueue for CommandQueue {
    fn reserved(&self, amount: NanoDollars) {
        self.telemetry.reserved(amount);
    }

    fn settle(&self, settlement: Settlement, reserved: NanoDollars) {
        let (end, booked) = match settlement.outcome {
            Outcome::Settled(_, cost) => (ReservationEnd::Settled, cost.unwrap_or_default()),
            Outcome::Estimated(cost) => (ReservationEnd::Estimated, cost),
            Outcome::Uncertain => (ReservationEnd::Uncertain, reserved),
            Outcome::Released => (ReservationEnd::Released, NanoDollars(0)),
        };
        self.telemetry.reservation_ended(end, reserved, booked);
        // A thread that has ended has booked every open reservation as uncertain.
        let _ = self.send(Command::Settle(settlement));
    }
}
