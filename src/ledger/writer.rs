//! The clerk: one thread for each process that writes the ledger, so that no async thread ever waits for a disk.
//! Whatever has gathered since its last transaction goes into the next one: a burst of calls shares it. Money that
//! comes back is booked first, then who waits for some is served in the order they came, then who is new.

use super::budget::{BudgetStatus, CostRange, Decision, Limit};
use super::call::{NewCall, Settlement};
use super::clock::Clock;
use super::sqlite::process_lock::{self, ProcessLock};
use super::sqlite::{SqliteStore, SqliteTransaction, StoreResult, lock_folder};
use super::{Granted, Refused, Reservation};
use crate::catalog::NanoDollars;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The most jobs of one transaction.
const BATCH: usize = 256;
/// How often waiting calls look again: other processes' money comes back without a word.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// How often what could not be written is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What a reservation ends in.
pub type Answer = Result<Granted, Refused>;

/// What the clerk is asked to do.
pub enum Command {
    /// Reserve.
    Reserve(PendingReservation),
    /// Book an end.
    Settle(Settlement),
    /// Say how some ceilings stand.
    Look(Vec<Limit>, Sender<Vec<BudgetStatus>>),
    /// Write what is there, give open reservations up, and go.
    Close,
}

/// Somebody who wants to reserve.
pub struct PendingReservation {
    /// What the call is.
    pub entry: NewCall,
    /// The ceilings it is under.
    pub limits: Vec<Limit>,
    /// What it would like.
    pub wish: CostRange,
    /// Until when it waits for open reservations.
    pub until: Instant,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// The thread's own state.
struct Writer {
    path: PathBuf,
    clock: Clock,
    jobs: Sender<Command>,
    open: Option<(SqliteStore, ProcessLock)>,
    waiting: Vec<PendingReservation>,
    /// When it was last looked whether other processes are gone.
    looked: Instant,
    /// Ends that could not be written yet. Money is never lost for a full disk.
    unwritten: Vec<Settlement>,
}

/// Runs until it is told to close.
pub fn run(path: PathBuf, clock: Clock, jobs: Sender<Command>, desk: &Receiver<Command>) {
    let mut clerk =
        Writer { path, clock, jobs, open: None, waiting: Vec::new(), looked: Instant::now(), unwritten: Vec::new() };
    let mut closing = false;
    loop {
        let mut looks = Vec::new();
        let mut fresh = Vec::new();
        let mut next = clerk.next(desk);
        let mut taken = 0;
        while let Some(job) = next {
            taken += 1;
            match job {
                Command::Reserve(wait) => fresh.push(wait),
                Command::Settle(ending) => clerk.unwritten.push(ending),
                Command::Look(limits, reply) => looks.push((limits, reply)),
                Command::Close => closing = true,
            }
            // Not counted: what an earlier transaction could not write. It must not hold up who comes now.
            let full = closing || taken >= BATCH;
            next = if full { None } else { desk.try_recv().ok() };
        }
        let queued = !clerk.waiting.is_empty();
        clerk.waiting.append(&mut fresh);
        if closing {
            break;
        }
        clerk.work(queued);
        for (limits, reply) in looks {
            // Who asked may be gone.
            let _ = reply.send(clerk.look(&limits));
        }
    }
    clerk.close();
}

impl Writer {
    /// The next job, or nothing when it is time to look again.
    fn next(&self, desk: &Receiver<Command>) -> Option<Command> {
        let pause = match (self.waiting.is_empty(), self.unwritten.is_empty()) {
            (true, true) => return desk.recv().ok().or(Some(Command::Close)),
            (false, _) => LOOK_AGAIN,
            (true, false) => TRY_AGAIN,
        };
        match desk.recv_timeout(pause) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Command::Close),
        }
    }

    /// One transaction, and then the answers: a reservation is on disk before anybody hears of it.
    /// `queued`: whether somebody has waited for money already.
    fn work(&mut self, queued: bool) {
        // Whoever hung up meanwhile reserves nothing.
        self.waiting.retain(|wait| !wait.reply.is_closed());
        if self.waiting.is_empty() && self.unwritten.is_empty() {
            return;
        }
        if let Err(reason) = self.open() {
            self.refuse(&reason);
            return;
        }
        let Some((book, process_lock)) = &mut self.open else { return };
        let (waiting, unwritten, now) = (&self.waiting, &self.unwritten, Instant::now());
        // What a killed process has left open will not come back: nobody is to wait for that.
        let recover = queued && self.looked.elapsed() > TRY_AGAIN;
        if recover {
            self.looked = now;
        }
        let result = book.transact(|pages| {
            if recover {
                pages.recover()?;
            }
            for ending in unwritten {
                pages.settle(ending)?;
            }
            // The first who has to wait stands for all who wish as much under the same ceilings: a long queue is cheap.
            let mut stuck: Option<&PendingReservation> = None;
            let verdicts = waiting.iter().map(|wait| {
                let patient = now < wait.until;
                if patient
                    && stuck.is_some_and(|first| first.wish.full <= wait.wish.full && first.limits == wait.limits)
                {
                    return Ok(None);
                }
                let verdict = judged(pages, process_lock.name(), wait, patient)?;
                stuck = stuck.or(verdict.is_none().then_some(wait));
                Ok(verdict)
            });
            verdicts.collect::<StoreResult<Vec<_>>>()
        });
        match result {
            Ok(verdicts) => {
                self.unwritten.clear();
                let waiting = std::mem::take(&mut self.waiting);
                for (wait, verdict) in waiting.into_iter().zip(verdicts) {
                    match verdict {
                        None => self.waiting.push(wait),
                        Some(answer) => {
                            let answer = answer.map(|granted| self.hand_out(&wait, granted));
                            // A reservation that nobody takes is dropped here, unsent: it is released.
                            drop(wait.reply.send(answer));
                        }
                    }
                }
            }
            Err(error) => self.refuse(&format!("the ledger {} cannot be written: {error}", self.path.display())),
        }
    }

    fn hand_out(
        &self,
        wait: &PendingReservation,
        (id, amount, statuses): (i64, NanoDollars, Vec<BudgetStatus>),
    ) -> Granted {
        let reservation = Reservation::new(id, amount, wait.entry.model.clone(), Some(self.jobs.clone()));
        Granted { reservation, statuses }
    }

    /// Opens the ledger, if that is still to be done.
    fn open(&mut self) -> Result<(), String> {
        if self.open.as_ref().is_some_and(|(book, _)| book.is_there()) {
            return Ok(());
        }
        self.open = None;
        let mut book = SqliteStore::open(&self.path, self.clock.clone())?;
        let told =
            |error: &dyn std::fmt::Display| format!("the ledger {} cannot be written: {error}", self.path.display());
        let folder = lock_folder(&self.path);
        let process_lock = ProcessLock::show(&folder).map_err(|error| told(&error))?;
        book.recover().map_err(|error| told(&error))?;
        process_lock::tidy(&folder);
        self.open = Some((book, process_lock));
        Ok(())
    }

    fn look(&mut self, limits: &[Limit]) -> Vec<BudgetStatus> {
        let opened = self.open().is_ok();
        let statuses = self.open.as_mut().filter(|_| opened).map(|(book, _)| book.statuses(limits));
        statuses.and_then(Result::ok).unwrap_or_default()
    }

    /// Nothing can be written: who waits is told, what has ended is kept.
    fn refuse(&mut self, reason: &str) {
        for wait in self.waiting.drain(..) {
            drop(wait.reply.send(Err(Refused::Unavailable(reason.to_owned()))));
        }
    }

    fn close(&mut self) {
        for wait in self.waiting.drain(..) {
            drop(wait.reply.send(Err(Refused::Closed)));
        }
        self.work(false);
        if let Some((book, process_lock)) = &mut self.open {
            // What is still open cannot be settled any more. A ledger that cannot be written now keeps them as reserved,
            // and whoever opens it next does this.
            let _ = book.transact(|pages| pages.give_up(process_lock.name()));
        }
    }
}

type Verdicted = Option<Result<(i64, NanoDollars, Vec<BudgetStatus>), Refused>>;

/// `None`: it goes on waiting.
fn judged(
    pages: &mut SqliteTransaction<'_>,
    process: &str,
    wait: &PendingReservation,
    patient: bool,
) -> StoreResult<Verdicted> {
    let (verdict, statuses) = pages.reserve(process, &wait.entry, &wait.limits, wait.wish, patient)?;
    Ok(match verdict {
        Ok((id, amount)) => Some(Ok((id, amount, statuses))),
        Err(Decision::Refuse(index)) => statuses.into_iter().nth(index).map(|status| Err(Refused::OverBudget(status))),
        Err(Decision::Wait | Decision::Grant(_)) => None,
    })
}
