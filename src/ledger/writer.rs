//! The writer owns the store. Mostly a thread of its own works with it, so that no asynchronous task waits for a disk: all
//! commands that arrive during one transaction go into the next, so that a burst of calls shares it. Settlements are
//! booked first, then calls that wait for money are decided in the order they came, then new ones.
//!
//! Where nobody else uses the store, a reservation is made by its caller instead, because waking the thread takes longer
//! than the transaction. It writes to the memory of the operating system and waits for nothing: neither for another
//! process nor for the disk, which only the thread's upkeep writes to.

use super::budget::BudgetLimit;
use super::call::Settlement;
use super::command::{AlertRequest, Check, Commands, KeySnapshot, PendingReservation, StatusRequest, Wait};
use super::health::Health;
use super::open_calls::OpenCalls;
use super::received::Received;
use super::reservation::{Granted, Refused, Reservation, SettlementQueue};
use super::retention::Retention;
use super::spool::Spool;
use super::store::{Batch, ReserveOutcome, Store, StoreError, StoreResult, Upkeep};
use super::store_slot::{OpenStore, StoreSlot};
use crate::telemetry::Telemetry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most commands of one transaction.
const BATCH: usize = 256;
/// The most ends of calls in one transaction, so that it takes no longer where many have waited for the database.
const MOST_ENDS: usize = 1_000;
/// How often the writer checks whether another process has changed the ledger, while calls wait for money.
const POLL: Duration = Duration::from_millis(25);
/// How often a failed transaction is tried again, and how often ended processes are looked for while calls wait.
const RETRY: Duration = Duration::from_secs(1);
/// How long an alert belongs to the process that has claimed it (milliseconds): longer than it takes to tell it.
const ALERT_LEASE: i64 = 15 * 60 * 1000;

/// The thread's own state.
pub(super) struct Writer {
    slot: StoreSlot,
    /// Where the reservations that are handed out send their ends.
    queue: Arc<dyn SettlementQueue>,
    /// Calls that wait for money, in the order they came.
    waiting: Vec<PendingReservation>,
    /// Settlements that are not written yet. They are kept until they can be, even when the disk is full.
    unwritten: Vec<Settlement>,
    /// How many of them an earlier process has left.
    taken_over: usize,
    spool: Spool,
    open_calls: OpenCalls,
    health: Health,
    /// When a failed transaction is tried again.
    retry_at: Instant,
    /// When ended processes are looked for again.
    recover_at: Instant,
    /// When the lease of this process is renewed, where it has one.
    renew_at: Instant,
    /// `None` keeps calls forever.
    retention: Option<Retention>,
    telemetry: Telemetry,
}

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Writer")
    }
}

/// Does what the commands say, until it is told to close.
pub(super) fn run(writer: &Mutex<Writer>, commands: &Commands) {
    // What an earlier process has left is written at once.
    let mut wait = lock(writer).wait();
    loop {
        let received = Received::sort(commands.take(BATCH, wait));
        let is_closing = received.closing;
        let upkeep;
        (wait, upkeep) = lock(writer).work(received);
        if let Some(upkeep) = upkeep {
            upkeep();
        }
        if is_closing {
            return;
        }
    }
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    pub(super) fn new(
        open: OpenStore,
        (mut spool, retention): (Spool, Option<Retention>),
        queue: Arc<dyn SettlementQueue>,
        health: Health,
        telemetry: Telemetry,
    ) -> Self {
        let now = Instant::now();
        let unwritten = spool.take_over();
        Self {
            slot: StoreSlot::new(open),
            queue,
            waiting: Vec::new(),
            taken_over: unwritten.len(),
            unwritten,
            spool,
            open_calls: OpenCalls::default(),
            health,
            retry_at: now,
            recover_at: now,
            renew_at: now,
            retention,
            telemetry,
        }
    }

    /// Does what has been received, and says how long to wait for more.
    fn work(&mut self, received: Received) -> (Wait, Option<Upkeep>) {
        let must_recover = !self.waiting.is_empty() && Instant::now() >= self.recover_at;
        let must_post = !received.reservations.is_empty() || !received.settlements.is_empty() || self.is_due();
        if received.reservations.iter().any(|pending| !pending.limits.is_empty()) {
            self.slot.guard_budget();
        }
        self.waiting.extend(received.reservations);
        self.unwritten.extend(received.settlements);
        if received.closing {
            self.close();
            let upkeep = self.slot.upkeep();
            self.slot.close();
            return (Wait::default(), upkeep);
        }
        self.answer_checks(received.checks);
        // Before anything is written, because another process that is writing does not prevent reading.
        self.answer_keys(received.key_requests);
        if must_post {
            self.post(must_recover);
        }
        // After writing, so that the sums include what this process has booked until now.
        self.answer_statuses(received.status_requests);
        self.note_refusals(received.refusals);
        self.answer_alerts(received.finished_alerts, received.alert_requests);
        self.renew();
        self.forget_calls();
        (self.wait(), self.slot.upkeep())
    }

    fn wait(&self) -> Wait {
        let poll = (!self.waiting.is_empty()).then_some(POLL);
        let retry = (!self.unwritten.is_empty()).then(|| self.retry_at.saturating_duration_since(Instant::now()));
        let renew = self.slot.renewal().map(|_| self.renew_at.saturating_duration_since(Instant::now()));
        let forget = self.retention.as_ref().map(Retention::wait);
        Wait {
            at_most: [poll, retry, renew, forget].into_iter().flatten().min(),
            // What a settlement frees is waited for.
            gathers_settlements: self.waiting.is_empty(),
        }
    }

    /// Shows the other processes that this one runs, where they cannot see that by themselves.
    fn renew(&mut self) {
        let Some(every) = self.slot.renewal() else { return };
        let now = Instant::now();
        if now >= self.renew_at {
            self.renew_at = now + every;
            // If it fails, the next time may be early enough.
            let _: StoreResult<()> = self.slot.get().and_then(Store::recover);
        }
    }

    /// Deletes old calls, where the operator wants that. A ledger that is not open yet is not opened for it.
    fn forget_calls(&mut self) {
        if let Some(retention) = &mut self.retention {
            retention.keep(self.slot.get_open());
        }
    }

    /// Reserves in the caller's place, together with all settlements that have arrived, if that takes no waiting. Gives
    /// the reservation back where the thread has to make it.
    pub(super) fn reserve_at_once(
        &mut self,
        pending: PendingReservation,
        commands: &Commands,
    ) -> Option<PendingReservation> {
        if !self.waiting.is_empty() || !self.unwritten.is_empty() {
            return Some(pending);
        }
        let Some(store) = self.slot.get_open() else { return Some(pending) };
        let Some(settlements) = commands.take_settlements() else { return Some(pending) };
        let began = Instant::now();
        let located: Vec<_> = settlements.iter().map(|settlement| self.open_calls.locate(settlement)).collect();
        let posted = store.post_at_once(&Batch { settlements: &located, reservations: &[pending.request(began)] });
        self.unwritten.extend(settlements);
        let Ok(Some(outcomes)) = posted else {
            // The thread finds out what is wrong, or waits for the other process.
            commands.wake();
            return Some(pending);
        };
        if !pending.limits.is_empty() {
            self.slot.guard_budget();
        }
        self.telemetry.ledger_transaction(began.elapsed(), 1 + located.len(), true);
        self.health.note(None);
        self.waiting.push(pending);
        self.posted(outcomes, located.len());
        // The thread looks after calls that wait for money, and does what waits for the disk.
        if !self.waiting.is_empty() || self.slot.upkeep().is_some() {
            commands.wake();
        }
        None
    }

    /// Whether a new decision can have another result, although no command has arrived.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        if !self.unwritten.is_empty() && now >= self.retry_at {
            return true;
        }
        // A caller who left makes room for those behind it, and a call whose time is up is decided now.
        let queue_moves = self.waiting.iter().any(|pending| now >= pending.deadline || pending.reply.is_closed());
        let waits = !self.waiting.is_empty();
        queue_moves || (waits && (now >= self.recover_at || self.slot.has_changed()))
    }

    /// Makes one transaction and then sends the answers, so that a reservation is committed before its caller gets it.
    /// With `recover`, the open reservations of ended processes are booked first, so that no call waits for them.
    fn post(&mut self, recover: bool) {
        self.waiting.retain(|pending| !pending.reply.is_closed());
        if self.waiting.is_empty() && self.unwritten.is_empty() {
            return;
        }
        let began = Instant::now();
        let entries = self.waiting.len() + self.unwritten.len();
        let result = self.try_post(recover);
        self.telemetry.ledger_transaction(began.elapsed(), entries, result.is_ok());
        self.health.note(result.as_ref().err());
        match result {
            Ok(outcomes) => self.posted(outcomes, MOST_ENDS),
            Err(error) => {
                self.retry_at = Instant::now() + RETRY;
                self.keep_unwritten();
                self.refuse_all(&Refused::Unavailable(error));
            }
        }
    }

    /// After a transaction, with the first `ends` of the ends that wait.
    fn posted(&mut self, outcomes: Vec<ReserveOutcome>, ends: usize) {
        self.slot.remember_posted();
        let written: Vec<_> = self.unwritten.drain(..self.unwritten.len().min(ends)).collect();
        self.open_calls.remove(&written);
        self.taken_over = self.taken_over.saturating_sub(written.len());
        self.spool.forget(written.len(), self.unwritten.is_empty());
        self.answer_reservations(outcomes);
    }

    /// Keeps the ends of calls that could not be written where they survive this process.
    fn keep_unwritten(&mut self) {
        let ends: Vec<_> = self.unwritten.iter().map(|settlement| self.open_calls.locate(settlement)).collect();
        if let Err(error) = self.spool.keep(&ends, self.taken_over) {
            self.telemetry.notice(&format!(
                "warning: what calls cost is kept in memory only until the ledger can be reached: {error}"
            ));
        }
    }

    fn try_post(&mut self, recover: bool) -> StoreResult<Vec<ReserveOutcome>> {
        match self.post_once(recover, false) {
            // Now it is looked more closely, and found out whether the operator has accepted that.
            Err(error) if error.is_discontinuous() => self.post_once(recover, true),
            posted => posted,
        }
    }

    fn post_once(&mut self, recover: bool, is_known_to_differ: bool) -> StoreResult<Vec<ReserveOutcome>> {
        let (store, was_replaced) = self.slot.get_to_write(is_known_to_differ)?;
        if was_replaced {
            self.telemetry.notice(
                "warning: the ledger was removed, replaced or set back; calls are booked in the one that is there now",
            );
            self.open_calls.lose_numbers();
        }
        let ends = self.unwritten.iter().take(MOST_ENDS);
        let settlements: Vec<_> = ends.map(|settlement| self.open_calls.locate(settlement)).collect();
        let now = Instant::now();
        if recover {
            self.recover_at = now + RETRY;
            store.recover()?;
        }
        let reservations: Vec<_> = self.waiting.iter().map(|pending| pending.request(now)).collect();
        store.post(&Batch { settlements: &settlements, reservations: &reservations })
    }

    fn answer_reservations(&mut self, outcomes: Vec<ReserveOutcome>) {
        let waiting = std::mem::take(&mut self.waiting);
        for (pending, outcome) in waiting.into_iter().zip(outcomes) {
            let answer = match outcome {
                ReserveOutcome::Waiting => {
                    self.waiting.push(pending);
                    continue;
                }
                ReserveOutcome::OverBudget(status) => Err(Refused::OverBudget(status)),
                ReserveOutcome::OverRate(refusal) => Err(Refused::OverRate(refusal)),
                ReserveOutcome::Reserved { id, amount, statuses, rates } => {
                    let queue = Arc::clone(&self.queue);
                    let model = pending.call.model.clone();
                    let ticket = self.open_calls.add(id, self.slot.process(), pending.call, amount);
                    let reservation = Reservation::booked(ticket, amount, model, queue);
                    Ok(Granted { reservation, statuses, rates })
                }
            };
            // If the caller has left, the reservation is dropped here, unsent, and so released.
            drop(pending.reply.send(answer));
        }
    }

    fn refuse_all(&mut self, refused: &Refused) {
        for pending in self.waiting.drain(..) {
            drop(pending.reply.send(Err(refused.clone())));
        }
    }

    fn answer_statuses(&mut self, requests: Vec<StatusRequest>) {
        for StatusRequest { limits, reply } in requests {
            let statuses = self.slot.get().and_then(|store| store.statuses(&limits));
            if statuses.is_ok() {
                self.slot.remember();
            }
            let _ = reply.send(statuses.unwrap_or_default());
        }
    }

    fn note_refusals(&mut self, limits: Vec<BudgetLimit>) {
        for limit in limits {
            // If it cannot be noted now, the next refusal notes it.
            let _: StoreResult<()> = self.slot.get().and_then(|store| store.note_refusal(&limit));
        }
    }

    fn answer_alerts(&mut self, finished: Vec<(String, bool)>, requests: Vec<AlertRequest>) {
        for (id, delivered) in finished {
            // An alert that cannot be finished is told again.
            let _: StoreResult<()> = self.slot.get().and_then(|store| store.finish_alert(&id, delivered));
        }
        for AlertRequest { watched, most, reply } in requests {
            let alerts = self.slot.get().and_then(|store| store.claim_alerts(&watched, most, ALERT_LEASE));
            let _ = reply.send(alerts.unwrap_or_default());
        }
    }

    /// Reads the keys once for all requests.
    fn answer_keys(&mut self, replies: Vec<oneshot::Sender<KeySnapshot>>) {
        if replies.is_empty() {
            return;
        }
        let snapshot = self.read_keys();
        for reply in replies {
            let _ = reply.send(snapshot.clone());
        }
    }

    fn read_keys(&mut self) -> KeySnapshot {
        let began = Instant::now();
        let keys = self.slot.get().and_then(Store::keys);
        if keys.is_ok() {
            self.slot.remember();
        }
        self.health.note_failure(keys.as_ref().err());
        if keys.as_ref().is_ok_and(|keys| keys.iter().any(|key| key.budget_limits().next().is_some())) {
            self.slot.guard_budget();
        }
        // The age of keys counts from the start of the read. The age of a failure counts from its end, so that a ledger
        // that takes long to fail is not tried for every request.
        let read_at = if keys.is_ok() { began } else { Instant::now() };
        KeySnapshot { read_at, keys: keys.map(Into::into) }
    }

    fn answer_checks(&mut self, checks: Vec<Check>) {
        for Check { guards_budget, reply } in checks {
            let checked = self.slot.get().and_then(Store::check_writable);
            self.health.note(checked.as_ref().err());
            if guards_budget {
                self.slot.guard_budget();
            }
            let _ = reply.send(checked);
        }
    }

    fn close(&mut self) {
        self.refuse_all(&Refused::Closed);
        self.post(false);
        while !self.unwritten.is_empty() && self.health.get().is_ok() {
            self.post(false);
        }
        // A command that ends soon looks for old calls before it does.
        self.forget_calls();
        // Open reservations can no longer be settled. If this cannot be written they stay reserved, and the next
        // process that opens the ledger books them as uncertain.
        let _: Result<(), StoreError> = self.slot.abandon_own();
    }
}
