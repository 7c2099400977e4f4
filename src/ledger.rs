//! The ledger: what is reserved and what was spent, for every command and every process on the machine. A
//! [`Reservation`] books a call's worst case before the call is sent, and the end of the call replaces that with the
//! real cost. Dropping a reservation never refunds what may have been billed: a call that was sent stays booked as
//! uncertain.
//!
//! `budget`, `rate` and `posting` are the rules, without any I/O; `store` is what a database must do; `sqlite` is the database
//! of one machine, and `postgres` that of many; `writer` owns it, and is a thread of its own.

mod actor;
pub mod alert;
pub mod audit;
pub mod budget;
mod call;
mod clock;
mod command;
pub mod continuity;
pub mod copy;
pub mod group;
mod health;
mod ids;
pub mod key;
mod key_cache;
pub(crate) mod key_profile;
mod key_settings;
mod limit;
mod location;
mod moment;
mod open_calls;
mod period;
mod postgres;
mod posting;
mod rate;
mod received;
pub mod report;
mod reservation;
mod retention;
pub mod rows;
mod session_totals;
mod spool;
mod sqlite;
pub mod store;
mod store_slot;
mod stored;
mod writer;

pub(crate) use actor::machine_name;
pub use call::{NewCall, Outcome, Receipt, SettledCall, Settlement};
pub use clock::Clock;
pub(crate) use clock::{day_of, start_of_day};
pub use ids::{CallId, GroupId, KeyId};
pub use key_cache::KeyCache;
pub use key_settings::{KeySettings, WatchedBudgets};
pub use location::Location;
pub(crate) use moment::{moment, timestamp};
pub use postgres::Address;
pub use posting::CallState;
pub use rate::{RateLimits, RateRefusal, RateRequest, RateStatus};
pub use reservation::{Granted, Refused, Reservation};
pub use session_totals::SessionTotals;

use crate::catalog::NanoDollars;
use crate::telemetry::Telemetry;
use alert::BudgetAlert;
use budget::{BudgetLimit, BudgetStatus, CostRange};
use command::{AlertRequest, Check, Command, CommandQueue, Commands, PendingReservation, StatusRequest};
use continuity::Opening;
use health::Health;
use postgres::{PostgresStore, Unconnected};
use retention::Retention;
use spool::Spool;
use sqlite::SqliteStore;
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::{Store, StoreError, StoreResult};
use tokio::sync::oneshot;
use writer::Writer;

/// Opens a ledger. Creates one if there is none, and brings an older one up to date.
///
/// # Errors
/// When it cannot be opened, was written by a newer version, or is not a ledger.
pub fn open(location: &Location, clock: Clock) -> StoreResult<Box<dyn Store>> {
    open_as(location, clock, Opening::Create, &Unconnected::default())
}

fn open_as(
    location: &Location,
    clock: Clock,
    opening: Opening,
    unconnected: &Unconnected,
) -> StoreResult<Box<dyn Store>> {
    Ok(match location {
        Location::File(path) => Box::new(SqliteStore::open(path, clock, opening)?),
        // Whether it holds what this process has booked shows when it is asked for that.
        Location::Database { address, .. } => Box::new(PostgresStore::open(address, &clock, unconnected)?),
    })
}

/// The ledger of this process. Cheap to clone. When the last clone is dropped, what is left is written and the ledger
/// is closed.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: CommandQueue,
    commands: Arc<Commands>,
    writer: Arc<Mutex<Writer>>,
    health: Health,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Starts the ledger's thread. `open` is called there, when the store is first needed, and again whenever it has
    /// been removed or replaced.
    #[must_use]
    pub fn start(open: impl Fn(Opening) -> StoreResult<Box<dyn Store>> + Send + 'static, telemetry: Telemetry) -> Self {
        Self::start_with(open, (Spool::default(), None), telemetry)
    }

    fn start_with(
        open: impl Fn(Opening) -> StoreResult<Box<dyn Store>> + Send + 'static,
        kept: (Spool, Option<Retention>),
        telemetry: Telemetry,
    ) -> Self {
        let commands = Arc::<Commands>::default();
        let queue = CommandQueue::new(Arc::clone(&commands), telemetry.clone());
        let health = Health::new(telemetry.clone());
        let writer = Writer::new(Box::new(open), kept, Arc::new(queue.clone()), health.clone(), telemetry);
        let writer = Arc::new(Mutex::new(writer));
        let of_thread = (Arc::clone(&writer), Arc::clone(&commands));
        let thread = std::thread::Builder::new().name("ledger".into());
        let thread = thread.spawn(move || writer::run(&of_thread.0, &of_thread.1));
        if thread.is_err() {
            queue.close();
        }
        Self(Arc::new(Inner { queue, commands, writer, health, thread: Mutex::new(thread.ok()) }))
    }

    /// Starts the ledger at a location. Calls are kept forever.
    #[must_use]
    pub fn at(location: &Location, clock: Clock, telemetry: Telemetry) -> Self {
        Self::keeping(location, None, clock, telemetry)
    }

    /// Starts the ledger at a location. `keep_days`: for how many days calls are kept; `None` keeps them forever.
    #[must_use]
    pub fn keeping(location: &Location, keep_days: Option<NonZeroU16>, clock: Clock, telemetry: Telemetry) -> Self {
        let location = location.clone();
        let spool = match &location {
            // A file that cannot be written cannot be written beside itself either.
            Location::File(_) => Spool::default(),
            Location::Database { spool, address } => Spool::in_folder(spool.clone(), &address.to_string()),
        };
        let kept = (spool, keep_days.map(Retention::of));
        let unconnected = Unconnected::default();
        let open = move |opening| open_as(&location, clock.clone(), opening, &unconnected);
        Self::start_with(open, kept, telemetry)
    }

    /// Opens the ledger and finds out whether it can be written. `guards_budget`: whether a budget depends on it, so that
    /// from now on no other ledger may take its place.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn check(&self, guards_budget: bool) -> StoreResult<()> {
        let closed = || StoreError::new("the ledger is closed: this process is shutting down");
        let (reply, checked) = oneshot::channel();
        self.0.queue.send(Command::Check(Check { guards_budget, reply })).map_err(|_| closed())?;
        checked.await.map_err(|_| closed())?
    }

    /// Whether the ledger can be written, as its thread last found it. Never waits.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn health(&self) -> StoreResult<()> {
        self.0.health.get()
    }

    /// Reserves what a call can cost, and returns once that is committed. `patience`: how long to wait while only
    /// running calls stand in the way.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn reserve(
        &self,
        call: NewCall,
        limits: Vec<BudgetLimit>,
        cost: CostRange,
        patience: Duration,
    ) -> Result<Granted, Refused> {
        let (reply, answer) = oneshot::channel();
        let pending = PendingReservation { call, limits, cost, deadline: Instant::now() + patience, reply };
        if let Some(pending) = self.reserve_at_once(pending) {
            self.0.queue.send(Command::Reserve(pending)).map_err(|_| Refused::Closed)?;
        }
        answer.await.map_err(|_| Refused::Closed)?
    }

    /// Reserves on this thread, where that takes no waiting. Gives the reservation back otherwise.
    fn reserve_at_once(&self, pending: PendingReservation) -> Option<PendingReservation> {
        match self.0.writer.try_lock() {
            Ok(mut writer) => writer.reserve_at_once(pending, &self.0.commands),
            Err(_) => Some(pending),
        }
    }

    /// A reservation for a call that could not be written. It is booked together with the call's end, as soon as
    /// possible.
    #[must_use]
    pub fn book_later(&self, call: NewCall, amount: NanoDollars) -> Reservation {
        Reservation::late(call, amount, Arc::new(self.0.queue.clone()))
    }

    /// What is booked under each limit, including everything of this process. Empty when the ledger cannot be read.
    pub async fn statuses(&self, limits: Vec<BudgetLimit>) -> Vec<BudgetStatus> {
        let (reply, statuses) = oneshot::channel();
        match self.0.queue.send(Command::ReadStatuses(StatusRequest { limits, reply })) {
            Ok(()) => statuses.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Claims up to `most` alerts that are to be told now, of these budgets. Whoever has
    /// claimed an alert tells it and then finishes it. Empty when the ledger cannot be used.
    pub async fn claim_alerts(&self, watched: WatchedBudgets, most: usize) -> Vec<BudgetAlert> {
        let (reply, alerts) = oneshot::channel();
        match self.0.queue.send(Command::ClaimAlerts(AlertRequest { watched, most, reply })) {
            Ok(()) => alerts.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Notes what became of an alert. If that cannot be written, the alert is told again later, under the same id.
    pub fn finish_alert(&self, id: &str, delivered: bool) {
        let _ = self.0.queue.send(Command::FinishAlert { id: id.to_owned(), delivered });
    }

    /// Notes that a budget has refused a call, which counts as all of it: no alert waits for the last cent.
    pub(crate) fn note_refusal(&self, limit: BudgetLimit) {
        let _ = self.0.queue.send(Command::NoteRefusal(limit));
    }

    /// The API keys, kept in memory, with what the config file sets for them. It does not keep the ledger open.
    #[must_use]
    pub fn key_cache(&self, settings: KeySettings) -> KeyCache {
        KeyCache::new(self.0.queue.clone(), settings)
    }

    /// Writes what is left, books open reservations as uncertain, and closes the ledger for all clones.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.queue.send(Command::Close);
            // A thread that panicked has left the ledger as it was after its last transaction.
            let _ = thread.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
