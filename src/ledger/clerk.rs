//! The clerk: one thread for each process that writes the ledger, so that no async thread ever waits for a disk.
//! Whatever has gathered since its last transaction goes into the next one: a burst of calls shares it. Money that
//! comes back is booked first, then who waits for some is served in the order they came, then who is new.

use super::budget::{Limit, Standing, Verdict, Wish};
use super::call::{Ending, Entry};
use super::clock::Clock;
use super::presence::{self, Presence};
use super::sqlite::{Book, Pages, Written, presences};
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
pub enum Job {
    /// Reserve.
    Reserve(Wait),
    /// Book an end.
    Settle(Ending),
    /// Say how some ceilings stand.
    Look(Vec<Limit>, Sender<Vec<Standing>>),
    /// Write what is there, give open reservations up, and go.
    Close,
}

/// Somebody who wants to reserve.
pub struct Wait {
    /// What the call is.
    pub entry: Entry,
    /// The ceilings it is under.
    pub limits: Vec<Limit>,
    /// What it would like.
    pub wish: Wish,
    /// Until when it waits for open reservations.
    pub until: Instant,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// The thread's own state.
struct Clerk {
    path: PathBuf,
    clock: Clock,
    jobs: Sender<Job>,
    open: Option<(Book, Presence)>,
    waiting: Vec<Wait>,
    /// When it was last looked whether other processes are gone.
    looked: Instant,
    /// Ends that could not be written yet. Money is never lost for a full disk.
    unwritten: Vec<Ending>,
}

/// Runs until it is told to close.
pub fn run(path: PathBuf, clock: Clock, jobs: Sender<Job>, desk: &Receiver<Job>) {
    let mut clerk =
        Clerk { path, clock, jobs, open: None, waiting: Vec::new(), looked: Instant::now(), unwritten: Vec::new() };
    let mut closing = false;
    loop {
        let mut looks = Vec::new();
        let mut fresh = Vec::new();
        let mut next = clerk.next(desk);
        let mut taken = 0;
        while let Some(job) = next {
            taken += 1;
            match job {
                Job::Reserve(wait) => fresh.push(wait),
                Job::Settle(ending) => clerk.unwritten.push(ending),
                Job::Look(limits, reply) => looks.push((limits, reply)),
                Job::Close => closing = true,
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

impl Clerk {
    /// The next job, or nothing when it is time to look again.
    fn next(&self, desk: &Receiver<Job>) -> Option<Job> {
        let pause = match (self.waiting.is_empty(), self.unwritten.is_empty()) {
            (true, true) => return desk.recv().ok().or(Some(Job::Close)),
            (false, _) => LOOK_AGAIN,
            (true, false) => TRY_AGAIN,
        };
        match desk.recv_timeout(pause) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Job::Close),
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
        let Some((book, presence)) = &mut self.open else { return };
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
            let mut stuck: Option<&Wait> = None;
            let verdicts = waiting.iter().map(|wait| {
                let patient = now < wait.until;
                if patient
                    && stuck.is_some_and(|first| first.wish.full <= wait.wish.full && first.limits == wait.limits)
                {
                    return Ok(None);
                }
                let verdict = judged(pages, presence.name(), wait, patient)?;
                stuck = stuck.or(verdict.is_none().then_some(wait));
                Ok(verdict)
            });
            verdicts.collect::<Written<Vec<_>>>()
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

    fn hand_out(&self, wait: &Wait, (id, amount, standings): (i64, NanoDollars, Vec<Standing>)) -> Granted {
        let reservation = Reservation::new(id, amount, wait.entry.model.clone(), Some(self.jobs.clone()));
        Granted { reservation, standings }
    }

    /// Opens the ledger, if that is still to be done.
    fn open(&mut self) -> Result<(), String> {
        if self.open.as_ref().is_some_and(|(book, _)| book.is_there()) {
            return Ok(());
        }
        self.open = None;
        let mut book = Book::open(&self.path, self.clock.clone())?;
        let told =
            |error: &dyn std::fmt::Display| format!("the ledger {} cannot be written: {error}", self.path.display());
        let folder = presences(&self.path);
        let presence = Presence::show(&folder).map_err(|error| told(&error))?;
        book.recover().map_err(|error| told(&error))?;
        presence::tidy(&folder);
        self.open = Some((book, presence));
        Ok(())
    }

    fn look(&mut self, limits: &[Limit]) -> Vec<Standing> {
        let opened = self.open().is_ok();
        let standings = self.open.as_mut().filter(|_| opened).map(|(book, _)| book.standings(limits));
        standings.and_then(Result::ok).unwrap_or_default()
    }

    /// Nothing can be written: who waits is told, what has ended is kept.
    fn refuse(&mut self, reason: &str) {
        for wait in self.waiting.drain(..) {
            drop(wait.reply.send(Err(Refused::OutOfReach(reason.to_owned()))));
        }
    }

    fn close(&mut self) {
        for wait in self.waiting.drain(..) {
            drop(wait.reply.send(Err(Refused::Closed)));
        }
        self.work(false);
        if let Some((book, presence)) = &mut self.open {
            // What is still open cannot be settled any more. A ledger that cannot be written now keeps them as reserved,
            // and whoever opens it next does this.
            let _ = book.transact(|pages| pages.give_up(presence.name()));
        }
    }
}

type Verdicted = Option<Result<(i64, NanoDollars, Vec<Standing>), Refused>>;

/// `None`: it goes on waiting.
fn judged(pages: &mut Pages<'_>, process: &str, wait: &Wait, patient: bool) -> Written<Verdicted> {
    let (verdict, standings) = pages.reserve(process, &wait.entry, &wait.limits, wait.wish, patient)?;
    Ok(match verdict {
        Ok((id, amount)) => Some(Ok((id, amount, standings))),
        Err(Verdict::Refuse(index)) => {
            standings.into_iter().nth(index).map(|standing| Err(Refused::OverBudget(standing)))
        }
        Err(Verdict::Wait | Verdict::Grant(_)) => None,
    })
}
