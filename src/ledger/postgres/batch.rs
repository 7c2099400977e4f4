//! A batch in one transaction: what it needs is read and locked in one round trip, decided, and written and committed in
//! another. A transaction of which nobody has said whether it was committed is resolved before anything else is done.

use super::calls;
use super::failure::Failure;
use super::process::{self, Process};
use super::reads::{self, Needs, Reads};
use super::session::{Session, retried};
use super::snapshot::{Changes, NeedsRecent};
use super::transaction::roll_back;
use super::values;
use super::writes::{self, Begin};
use crate::ledger::call::{SettledCall, Settlement};
use crate::ledger::clock::{Clock, day_of};
use crate::ledger::continuity::SeenCall;
use crate::ledger::ids::CallId;
use crate::ledger::store::{Batch, ReserveOutcome, decide_in_order};
use std::cell::RefCell;
use tokio_postgres::Client;

/// The transactions of this process.
#[derive(Debug)]
pub(super) struct Batches {
    /// What gives now in SQL.
    clock: String,
    /// `None` until the first transaction, so that a process that only reads leaves no trace.
    process: Option<Process>,
    /// Whether the process is not in the database any more: its lease has run out, or the database was set back. It books
    /// nothing until it is known which.
    is_lost: bool,
    /// A transaction that may or may not be committed.
    doubt: Option<Doubt>,
    /// What gives back what transactions in doubt have reserved, until that is written.
    releases: Vec<Settlement>,
    /// What the database's clock is ahead of this machine's (milliseconds).
    ahead: i64,
}

/// A transaction of which nobody has said whether it was committed.
#[derive(Debug)]
struct Doubt {
    /// The process as it was before.
    process: Process,
    posted: Posted,
    /// What gives back what it has reserved.
    releases: Vec<Settlement>,
}

/// A transaction, if it is committed.
#[derive(Debug)]
pub(super) struct Posted {
    pub outcomes: Vec<ReserveOutcome>,
    /// When it began (milliseconds since 1970).
    pub now: i64,
    /// The last call that it reserved.
    pub last: Option<SeenCall>,
    /// Where calls have to wait: what differs after each further change of the sums.
    pub changes: Option<(i64, i64)>,
}

impl Batches {
    pub(super) fn new(clock: String) -> Self {
        Self { clock, process: None, is_lost: false, doubt: None, releases: Vec::new(), ahead: 0 }
    }

    /// What this process books its calls under.
    pub(super) fn process(&self) -> Option<&str> {
        self.process.as_ref().map(|process| process.name.as_str())
    }

    /// Notes that this process is not in the database any more. It comes back with its next transaction.
    pub(super) fn forget_process(&mut self) {
        (self.process, self.is_lost) = (None, false);
    }

    /// This process as it last was in the database, where it is not that any more.
    pub(super) fn lost(&self) -> Option<&Process> {
        self.process.as_ref().filter(|_| self.is_lost)
    }

    /// Notes that the database is the one that this process has booked in, or is to be used all the same.
    pub(super) fn was_examined(&mut self) {
        if self.is_lost {
            self.forget_process();
        }
    }

    /// What gives now in SQL.
    pub(super) fn clock(&self) -> &str {
        &self.clock
    }

    /// Books a batch.
    pub(super) fn post(&mut self, session: &mut Session, batch: &Batch<'_>) -> Result<Posted, Failure> {
        self.release_unanswered(session)?;
        match retried(|| self.post_once(session, batch)) {
            // The connection was lost while it was committed: another one tells whether it was.
            Err(failure) if failure.is_about_the_connection() && self.doubt.is_some() => match self.resolve(session)? {
                Some(Doubt { posted, .. }) => Ok(posted),
                None => retried(|| self.post_once(session, batch)),
            },
            posted => posted,
        }
    }

    fn post_once(&mut self, session: &mut Session, batch: &Batch<'_>) -> Result<Posted, Failure> {
        if self.is_lost {
            return Err(Failure::Discontinuous);
        }
        let clock = &self.clock;
        let process = match self.process.take() {
            Some(process) => process,
            None => session.run(async |client| process::register(client, clock).await)?,
        };
        // What day it is thought to be by the database's clock. Asking it first would take a round trip more.
        let today = day_of(machine_now().saturating_add(self.ahead));
        let committing: RefCell<Option<Posted>> = RefCell::new(None);
        let done = session.run(async |client| {
            let done = post(client, clock, &process, batch, today, &committing).await;
            if done.is_err() && committing.borrow().is_none() {
                roll_back(client).await;
            }
            done
        });
        match (done, committing.into_inner()) {
            (Ok(()), Some(posted)) => {
                self.ahead = posted.now.saturating_sub(machine_now());
                self.process = Some(Process { batch: process.batch + 1, ..process });
                Ok(posted)
            }
            (Err(failure), Some(posted)) if failure.is_about_the_connection() => {
                let releases = releases(batch, &posted, &process.name);
                self.doubt = Some(Doubt { process, posted, releases });
                Err(failure)
            }
            (Err(failure), _) => {
                self.is_lost = failure == Failure::Discontinuous;
                self.process = Some(process);
                Err(failure)
            }
            (Ok(()), None) => Err(Failure::Refused("a transaction ended before it was committed".to_owned())),
        }
    }

    /// Finds out whether the transaction in doubt was committed, and gives it back if so.
    fn resolve(&mut self, session: &mut Session) -> Result<Option<Doubt>, Failure> {
        let Some(Doubt { process: Process { name, batch }, .. }) = &self.doubt else { return Ok(None) };
        // The transaction holds the row until it has ended, one way or the other.
        let made = session.transact(async |client| process::made_transactions(client, name).await)?;
        let before = *batch;
        let Some(doubt) = self.doubt.take() else { return Ok(None) };
        match made {
            Some(made) if made == before => {
                self.process = Some(doubt.process);
                Ok(None)
            }
            Some(made) if made == before + 1 => {
                self.process = Some(Process { batch: made, ..doubt.process.clone() });
                Ok(Some(doubt))
            }
            _ => {
                self.releases.extend(doubt.releases);
                (self.process, self.is_lost) = (Some(doubt.process), true);
                Err(Failure::Discontinuous)
            }
        }
    }

    /// Gives back what a transaction in doubt has reserved: its calls were refused meanwhile, and never left.
    pub(super) fn release_unanswered(&mut self, session: &mut Session) -> Result<(), Failure> {
        if let Some(Doubt { releases, .. }) = self.resolve(session)? {
            self.releases.extend(releases);
        }
        if self.releases.is_empty() {
            return Ok(());
        }
        let releases = self.releases.clone();
        let batch = Batch { settlements: &releases, reservations: &[] };
        retried(|| self.post_once(session, &batch))?;
        self.releases.clear();
        Ok(())
    }
}

/// What gives back all that a batch has reserved.
fn releases(batch: &Batch<'_>, posted: &Posted, process: &str) -> Vec<Settlement> {
    let reserved = batch.reservations.iter().zip(&posted.outcomes).filter_map(|(request, outcome)| match outcome {
        ReserveOutcome::Reserved { id, .. } => Some(calls::released(*id, process, &request.call.model)),
        _ => None,
    });
    reserved.collect()
}

/// Makes the transaction. `committing` holds what it does from the moment on when it may be committed.
async fn post(
    client: &Client,
    clock: &str,
    process: &Process,
    batch: &Batch<'_>,
    today: i64,
    committing: &RefCell<Option<Posted>>,
) -> Result<(), Failure> {
    let needs = Needs::of(batch);
    let read = reads::read(client, clock, (&process.name, process.batch), &needs, today).await?;
    let Some(mut reads) = read else { return Err(Failure::Discontinuous) };
    let (outcomes, changes) = loop {
        match decide(&reads, batch) {
            Ok(decided) => break decided,
            Err(NeedsRecent(key)) => {
                let recent = reads::recent_calls(client, key, reads.snapshot.now).await?;
                reads.snapshot.recent.insert(key, recent);
            }
        }
    };
    let now = reads.snapshot.now;
    let seen = |id| SeenCall { id, at: now, process: process.name.clone() };
    let last = outcomes.iter().rev().find_map(|outcome| match outcome {
        ReserveOutcome::Reserved { id, .. } => Some(seen(*id)),
        _ => None,
    });
    let waits = outcomes.contains(&ReserveOutcome::Waiting);
    committing.replace(Some(Posted { outcomes, now, last, changes: None }));
    let begin = Begin { now, today: reads.snapshot.today, process: &process.name };
    let (written, seen, committed) = tokio::join!(
        writes::write(client, &changes, begin),
        async { if waits { reads::changes(client, clock).await.map(Some) } else { Ok(None) } },
        client.batch_execute("COMMIT"),
    );
    written?;
    let seen = seen?;
    committed?;
    if let Some(posted) = committing.borrow_mut().as_mut() {
        posted.changes = seen;
    }
    Ok(())
}

/// Decides a batch on what was read, settlements first: the money that they free can be reserved at once.
fn decide<'a>(reads: &Reads, batch: &Batch<'a>) -> Result<(Vec<ReserveOutcome>, Changes<'a>), NeedsRecent> {
    let Reads { snapshot, found, written } = reads;
    let (mut snapshot, mut changes) = (snapshot.clone(), Changes::default());
    let (mut found, mut written) = (found.clone(), written.clone());
    for settlement in batch.settlements {
        match &settlement.call {
            // A call ends once, even where its end was sent twice.
            SettledCall::Booked(CallId(id)) => {
                if let Some(found) = found.remove(id) {
                    snapshot.end(&found, settlement, &mut changes);
                }
            }
            // In a database that was set back, the number may be that of another call.
            SettledCall::BookedBy { process, id: CallId(id) } => {
                if let Some(found) = found.remove(id).filter(|found| found.process == *process) {
                    snapshot.end(&found, settlement, &mut changes);
                }
            }
            SettledCall::Unwritten { call, reserved, receipt } => {
                let receipt = values::receipt(*receipt);
                if written.insert(receipt.clone()) {
                    snapshot.begin_and_end(call, *reserved, receipt, settlement, &mut changes);
                }
            }
        }
    }
    let outcomes = decide_in_order(batch.reservations, |request| snapshot.reserve(request, &mut changes))?;
    Ok((outcomes, changes))
}

/// Now by this machine's clock (milliseconds since 1970). It decides nothing.
fn machine_now() -> i64 {
    Clock::system().now()
}
