//! The ledger: what is promised and what was spent, for every command and every process on the machine.
//! A [`Reservation`] books a call's worst case before the call leaves; its end replaces that with the truth.
//! Dropping it never refunds what may have been billed: once the call is sent, it stays booked as uncertain.

pub mod budget;
mod call;
mod clock;
pub mod key;
mod key_cache;
mod session_totals;
mod sqlite;
mod writer;

pub use call::{NewCall, Outcome, Settlement};
pub use clock::{Clock, day_of};
pub use key_cache::KeyCache;
pub use session_totals::SessionTotals;
pub use sqlite::{By, Row, SqliteStore, SqliteTransaction, Sums, Uncertain};

use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use budget::{BudgetStatus, CostRange, Limit};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use writer::{Command, PendingReservation};

/// The ledger of this process. Cheap to clone; the last one that goes writes what is left and closes it.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    jobs: Sender<Command>,
    clerk: Mutex<Option<JoinHandle<()>>>,
}

/// A reservation, and what is booked under the ceilings with it.
#[derive(Debug)]
pub struct Granted {
    /// The reservation.
    pub reservation: Reservation,
    /// One for each limit.
    pub statuses: Vec<BudgetStatus>,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It does not fit under this ceiling.
    OverBudget(BudgetStatus),
    /// The ledger cannot be read or written, in words.
    Unavailable(String),
    /// The process is on its way out.
    Closed,
}

impl Ledger {
    /// A ledger in a file. It is opened when it is first needed, on a thread of its own.
    #[must_use]
    pub fn new(path: PathBuf, clock: Clock) -> Self {
        let (jobs, desk) = channel();
        let own = jobs.clone();
        let clerk =
            std::thread::Builder::new().name("ledger".into()).spawn(move || writer::run(path, clock, own, &desk));
        // Without a thread every job is refused: the channel is closed.
        Self(Arc::new(Inner { jobs, clerk: Mutex::new(clerk.ok()) }))
    }

    /// Reserves what a call wishes. Returns once it is on disk. `patience`: how long to wait while only open
    /// reservations stand in the way.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn reserve(
        &self,
        entry: NewCall,
        limits: Vec<Limit>,
        wish: CostRange,
        patience: Duration,
    ) -> Result<Granted, Refused> {
        let (reply, answer) = oneshot::channel();
        let until = Instant::now() + patience;
        self.0
            .jobs
            .send(Command::Reserve(PendingReservation { entry, limits, wish, until, reply }))
            .map_err(|_| Refused::Closed)?;
        answer.await.map_err(|_| Refused::Closed)?
    }

    /// A reservation that could not be written: it is booked with its end, as soon as that can be.
    #[must_use]
    pub fn book_later(&self, entry: NewCall, amount: NanoDollars) -> Reservation {
        let mut reservation = Reservation::new(0, amount, entry.model.clone(), Some(self.0.jobs.clone()));
        reservation.late = Some(entry);
        reservation
    }

    /// What is booked under each limit, everything of this process included; nothing when the ledger is out of reach.
    #[must_use]
    pub fn statuses(&self, limits: Vec<Limit>) -> Vec<BudgetStatus> {
        let (reply, statuses) = channel();
        match self.0.jobs.send(Command::Look(limits, reply)) {
            Ok(()) => statuses.recv().unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Writes what is left, gives up what is still open, and closes the ledger for all who hold it.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        let clerk = self.clerk.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(clerk) = clerk {
            let _ = self.jobs.send(Command::Close);
            // A clerk that panicked has left the ledger as it was after its last transaction.
            let _ = clerk.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// How far a call has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has left yet.
    Unsent,
    /// It may be billed.
    Sent,
    /// Its end is booked.
    Over,
}

/// A call's worst case, booked. Each call ends in exactly one of [`settle`](Self::settle),
/// [`estimate`](Self::estimate) and [`release`](Self::release), or is dropped: then it is released if nothing was
/// sent, and uncertain otherwise.
#[derive(Debug)]
pub struct Reservation {
    id: i64,
    amount: NanoDollars,
    stage: Stage,
    began: Instant,
    model: String,
    request_id: Option<String>,
    edits: String,
    /// The call, where it could not be written when it began.
    late: Option<NewCall>,
    tally: Option<Arc<SessionTotals>>,
    /// `None`: there is no ledger to book in.
    jobs: Option<Sender<Command>>,
}

impl Reservation {
    fn new(id: i64, amount: NanoDollars, model: String, jobs: Option<Sender<Command>>) -> Self {
        let (began, edits) = (Instant::now(), String::new());
        let (stage, request_id, late, tally) = (Stage::Unsent, None, None, None);
        Self { id, amount, stage, began, model, request_id, edits, late, tally, jobs }
    }

    /// One that is written nowhere, for calls without a budget when there is no ledger.
    #[must_use]
    pub fn without_ledger(amount: NanoDollars) -> Self {
        Self::new(0, amount, String::new(), None)
    }

    /// What is reserved: the most that the call may cost.
    #[must_use]
    pub fn amount(&self) -> NanoDollars {
        self.amount
    }

    /// Its end is also added to the sums of a session.
    pub fn count_in(&mut self, tally: Arc<SessionTotals>) {
        self.tally = Some(tally);
    }

    /// Whether its end is booked.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// The request leaves: from here on it may be billed.
    pub fn sent(&mut self) {
        self.stage = Stage::Sent;
    }

    /// Bedrock has accepted it: who answers, under which request id, and what the policy had changed.
    pub fn accepted(&mut self, model: &str, request_id: Option<String>, edits: String) {
        model.clone_into(&mut self.model);
        (self.request_id, self.edits) = (request_id, edits);
    }

    /// Books the truth. `cost` is `None` where the model has no price.
    pub fn settle(&mut self, usage: Usage, cost: Option<NanoDollars>) {
        self.end(Outcome::Settled(usage, cost));
    }

    /// Books the best that is known of an answer whose service does not count.
    pub fn estimate(&mut self, cost: NanoDollars) {
        self.end(Outcome::Estimated(cost));
    }

    /// Nothing was generated: nothing is owed.
    pub fn release(&mut self) {
        self.end(Outcome::Released);
    }

    /// Its usage will not come: it stays booked at its worst case.
    pub fn abandon(&mut self) {
        self.end(Outcome::Uncertain);
    }

    fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.stage, Stage::Over) == Stage::Over {
            return;
        }
        if let Some(tally) = &self.tally {
            tally.add(outcome, self.amount);
        }
        if let Some(jobs) = &self.jobs {
            let late = self.late.take().map(|entry| (entry, self.amount));
            let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (model, edits) = (std::mem::take(&mut self.model), std::mem::take(&mut self.edits));
            let ending = Settlement {
                id: self.id,
                late,
                outcome,
                model,
                request_id: self.request_id.take(),
                milliseconds,
                edits,
            };
            // A clerk that is gone has booked every open reservation as uncertain.
            let _ = jobs.send(Command::Settle(ending));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        match self.stage {
            Stage::Unsent => self.release(),
            Stage::Sent => self.abandon(),
            Stage::Over => {}
        }
    }
}
