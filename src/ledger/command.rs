//! The commands for the ledger's thread, and the queue that they are sent through.

use super::alert::BudgetAlert;
use super::budget::{BudgetLimit, BudgetStatus, CostRange};
use super::call::{NewCall, Outcome, Receipt, SettledCall, Settlement};
use super::key::Key;
use super::key_settings::WatchedBudgets;
use super::reservation::{Granted, LateCall, Refused, SettlementQueue};
use super::store::{ReserveRequest, StoreResult};
use crate::catalog::NanoDollars;
use crate::telemetry::{ReservationEnd, Telemetry};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
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
    pub watched: WatchedBudgets,
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

/// How long settlements are gathered before the thread writes them. Nobody waits for them, and many share one transaction
/// this way, or that of the next reservation.
const GATHER: Duration = Duration::from_millis(5);
/// How long after a settlement the thread wakes by itself every few milliseconds, so that nobody has to wake it.
const LINGER: Duration = Duration::from_millis(100);

/// How the thread waits for commands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wait {
    /// How long; `None` for as long as none arrives.
    pub at_most: Option<Duration>,
    /// Whether settlements may wait for others.
    pub gathers_settlements: bool,
}

/// The commands that have arrived and that nobody has taken.
#[derive(Debug, Default)]
pub(super) struct Commands {
    state: Mutex<Arrived>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Arrived {
    settlements: Vec<Settlement>,
    /// The calls that run and are not in the ledger.
    late: HashMap<Receipt, LateCall>,
    others: VecDeque<Command>,
    /// When the first of the settlements arrived.
    first: Option<Instant>,
    /// When a settlement arrived last.
    last: Option<Instant>,
    /// Whether the thread wakes by itself before long, so that it need not be told of settlements.
    wakes_soon: bool,
    must_wake: bool,
    is_closed: bool,
}

impl Commands {
    fn state(&self) -> MutexGuard<'_, Arrived> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for commands, and takes up to `most` of them. Gives none when the wait is over or the thread is woken.
    pub(super) fn take(&self, most: usize, wait: Wait) -> Vec<Command> {
        let until = wait.at_most.map(|limit| Instant::now() + limit);
        let gather = if wait.gathers_settlements { GATHER } else { Duration::ZERO };
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let due = until.into_iter().chain(state.first.map(|first| first + gather)).min();
            if state.must_wake || !state.others.is_empty() || due.is_some_and(|due| due <= now) {
                break;
            }
            let lingers = state.last.is_some_and(|last| now < last + LINGER);
            let next = due.into_iter().chain(lingers.then_some(now + GATHER)).min();
            state.wakes_soon = lingers && wait.gathers_settlements;
            state = match next {
                Some(next) => {
                    let waited = self.changed.wait_timeout(state, next - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.wakes_soon = false;
        }
        state.must_wake = false;
        let settlements: Vec<_> = state.take_settlements().into_iter().map(Command::Settle).collect();
        let left = most.saturating_sub(settlements.len()).max(1).min(state.others.len());
        settlements.into_iter().chain(state.others.drain(..left)).collect()
    }

    /// Takes all settlements; `None` when other commands have arrived too, which are the thread's, and after the last one.
    pub(super) fn take_settlements(&self) -> Option<Vec<Settlement>> {
        let mut state = self.state();
        (state.others.is_empty() && !state.is_closed).then(|| state.take_settlements())
    }

    /// Wakes the thread.
    pub(super) fn wake(&self) {
        self.state().must_wake = true;
        self.changed.notify_one();
    }
}

impl Arrived {
    /// Nothing arrives any more, so what calls that still run will use is never known.
    fn close(&mut self) {
        self.is_closed = true;
        let late = std::mem::take(&mut self.late);
        self.settlements.extend(late.into_values().filter_map(LateCall::abandon));
    }

    fn take_settlements(&mut self) -> Vec<Settlement> {
        self.first = None;
        std::mem::take(&mut self.settlements)
    }
}

/// Sends commands to the ledger's thread. Sending never waits.
#[derive(Debug, Clone)]
pub(super) struct CommandQueue {
    commands: Arc<Commands>,
    telemetry: Telemetry,
}

/// The ledger's thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueClosed;

impl CommandQueue {
    pub(super) fn new(commands: Arc<Commands>, telemetry: Telemetry) -> Self {
        Self { commands, telemetry }
    }

    pub(super) fn send(&self, command: Command) -> Result<(), QueueClosed> {
        let mut state = self.commands.state();
        if state.is_closed {
            return Err(QueueClosed);
        }
        let needs_thread = match command {
            Command::Settle(settlement) => {
                if let SettledCall::Unwritten { receipt, .. } = &settlement.call {
                    state.late.remove(receipt);
                }
                let now = Instant::now();
                state.first.get_or_insert(now);
                state.last = Some(now);
                state.settlements.push(settlement);
                !state.wakes_soon
            }
            command => {
                if matches!(command, Command::Close) {
                    state.close();
                }
                state.others.push_back(command);
                true
            }
        };
        drop(state);
        if needs_thread {
            self.commands.changed.notify_one();
        }
        Ok(())
    }

    /// Refuses all further commands, when the thread cannot be started.
    pub(super) fn close(&self) {
        self.commands.state().is_closed = true;
    }
}

impl SettlementQueue for CommandQueue {
    fn reserved(&self, amount: NanoDollars) {
        self.telemetry.reserved(amount);
    }

    fn began_late(&self, call: LateCall) {
        self.commands.state().late.insert(call.receipt, call);
    }

    fn settle(&self, settlement: Settlement, reserved: NanoDollars) {
        let (end, booked) = match settlement.outcome {
            Outcome::Settled(_, cost) => (ReservationEnd::Settled, cost.unwrap_or_default()),
            Outcome::Estimated(cost) => (ReservationEnd::Estimated, cost),
            Outcome::Uncertain => (ReservationEnd::Uncertain, reserved),
            Outcome::Released => (ReservationEnd::Released, NanoDollars(0)),
        };
        self.telemetry.reservation_ended(end, reserved, booked);
        // A thread that has ended has booked every call that had not as uncertain.
        let _ = self.send(Command::Settle(settlement));
    }
}
