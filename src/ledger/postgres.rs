//! The ledger of many machines, in one PostgreSQL database: a row for each call, and running sums beside them, so that no
//! check has to scan. The only part of Chatrix that names `tokio_postgres`. Processes are kept apart by row locks on the
//! holders of budgets; days are those of the database's clock.

mod address;
mod alerts;
mod audit;
mod batch;
mod calls;
mod export;
mod failure;
mod groups;
mod import;
mod keys;
mod password;
mod process;
mod reads;
mod report;
mod retention;
mod schema;
mod session;
mod snapshot;
mod transaction;
mod values;
mod writes;

pub use address::Address;

use super::actor::actor;
use super::alert::{self, BudgetAlert};
use super::audit::{AuditEntry, Author};
use super::budget::{BudgetLimit, BudgetStatus, Holder};
use super::clock::{Clock, day_of};
use super::continuity::{Continuity, Mark};
use super::group::{Group, GroupChange, GroupLimits, Move, Removal};
use super::ids::CallId;
use super::key::{Addition, Key, NewKey, Rotation};
use super::key_settings::WatchedBudgets;
use super::report::{By, Examination, ReportRow, UncertainCall};
use super::rows::{Fingerprint, Piece, Row};
use super::store::{Batch, Correction, ReserveOutcome, Store, StoreError, StoreResult, Upkeep};
use crate::catalog::NanoDollars;
use batch::Batches;
use failure::Failure;
use process::NOW;
use session::Session;
use std::cell::RefCell;
use std::time::Duration;
use tokio_postgres::Client;

/// How often a process renews its lease, well before that runs out, and looks for processes that have not.
const RENEWAL: Duration = Duration::from_secs(5);

/// An open ledger in a database. A connection that breaks is made anew when it is needed.
#[derive(Debug)]
pub(super) struct PostgresStore {
    session: Session,
    batches: Batches,
    /// What was last read or booked.
    seen: Option<Mark>,
    /// Something that differs after each change of the sums, as it was when calls last had to wait or when that was last
    /// asked.
    changes: Option<(i64, i64)>,
    /// The number up to which calls were looked at for their age.
    looked_at: i64,
}

/// A session that found no connection. It knows that the database is away, so nobody waits for it as long again.
#[derive(Debug, Default)]
pub(super) struct Unconnected(RefCell<Option<Session>>);

impl PostgresStore {
    /// Connects, makes the tables if there are none, and brings older ones up to date.
    pub(super) fn open(address: &Address, clock: &Clock, unconnected: &Unconnected) -> StoreResult<Self> {
        let failed = |failure: Failure| sentence(address, "opened", &failure);
        let kept = unconnected.0.take();
        let mut session = kept.map_or_else(|| Session::new(address.clone()), Ok).map_err(failed)?;
        if let Err(failure) = session.connect() {
            unconnected.0.replace(Some(session));
            return Err(failed(failure));
        }
        let clock = clock.sql().unwrap_or(NOW).to_owned();
        Ok(Self { session, batches: Batches::new(clock), seen: None, changes: None, looked_at: 0 })
    }

    /// Does something in a transaction of its own. `now` by the database's clock is passed on (milliseconds since 1970).
    #[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
    fn transact<T>(&mut self, what: &str, work: impl AsyncFn(&Client, i64) -> Result<T, Failure>) -> StoreResult<T> {
        let clock = self.batches.clock();
        let done = self.session.transact(async |client| {
            let now = reads::now(client, clock).await?;
            work(client, now).await
        });
        done.map_err(|failure| sentence(self.session.address(), what, &failure))
    }

    fn read<T>(&mut self, work: impl AsyncFn(&Client, i64) -> Result<T, Failure>) -> StoreResult<T> {
        self.transact("read", work)
    }

    /// Gives back what was reserved in a transaction of which nobody has said whether it was committed.
    fn release_unanswered(&mut self) -> StoreResult<()> {
        match self.batches.release_unanswered(&mut self.session) {
            Err(Failure::Discontinuous) => Err(StoreError::discontinuous()),
            released => released.map_err(|failure| sentence(self.session.address(), "written", &failure)),
        }
    }

    fn write<T>(&mut self, work: impl AsyncFn(&Client, i64) -> Result<T, Failure>) -> StoreResult<T> {
        self.transact("written", work)
    }

    /// Makes a change that is audited, at a time of the database's clock. A person who is told that it failed makes it
    /// again, so it is told only if it is true.
    #[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is passed")]
    fn change<T>(&mut self, work: impl AsyncFn(&Client, &Author) -> Result<T, Failure>) -> StoreResult<T> {
        // The operating system may take its time to say who that is, and no transaction waits for it.
        let (actor, clock) = (actor(), self.batches.clock());
        let done = self.session.transact_once(async |client| {
            let author = Author { at: reads::now(client, clock).await?, actor: actor.clone() };
            work(client, &author).await
        });
        done.map_err(|failure| sentence(self.session.address(), "written", &failure))
    }
}

impl Store for PostgresStore {
    fn post(&mut self, batch: &Batch<'_>) -> StoreResult<Vec<ReserveOutcome>> {
        match self.batches.post(&mut self.session, batch) {
            Ok(posted) => {
                let call = posted.last.or_else(|| self.seen.take().and_then(|mark| mark.call));
                self.seen = Some(Mark { call, seen_at: posted.now });
                self.changes = posted.changes;
                Ok(posted.outcomes)
            }
            Err(Failure::Discontinuous) => Err(StoreError::discontinuous()),
            Err(failure) => Err(sentence(self.session.address(), "written", &failure)),
        }
    }

    /// The network has to be waited for, always.
    fn post_at_once(&mut self, _: &Batch<'_>) -> StoreResult<Option<Vec<ReserveOutcome>>> {
        Ok(None)
    }

    fn process(&self) -> Option<&str> {
        self.batches.process()
    }

    fn renewal(&self) -> Option<Duration> {
        Some(RENEWAL)
    }

    fn upkeep(&self) -> Option<Upkeep> {
        None
    }

    fn forget_calls(&mut self, keep_days: i64) -> StoreResult<bool> {
        let after = self.looked_at;
        let end = self.write(async |client, now| {
            let before = day_of(now) - keep_days;
            let end = retention::oldest(client, after, before).await?.end();
            if let Some((until, _)) = end.filter(|(until, _)| *until > after) {
                retention::delete(client, after, until, before).await?;
            }
            Ok(end)
        })?;
        let (until, has_more) = end.unwrap_or_default();
        // After the last of them it begins again: what was uncertain may be settled since.
        self.looked_at = if has_more { after.max(until) } else { 0 };
        Ok(has_more)
    }

    fn recover(&mut self) -> StoreResult<()> {
        self.release_unanswered()?;
        let (clock, own) = (self.batches.clock().to_owned(), self.batches.process().map(ToOwned::to_owned));
        self.write(async |client, now| {
            if let Some(own) = &own {
                process::renew(client, &clock, own).await?;
            }
            let ended = process::lock_ended(client, &clock).await?;
            calls::abandon(client, now, &ended).await?;
            process::forget_ended(client, &clock).await
        })
    }

    fn abandon_own(&mut self) -> StoreResult<()> {
        self.release_unanswered()?;
        let Some(own) = self.batches.process().map(ToOwned::to_owned) else { return Ok(()) };
        self.write(async |client, now| {
            calls::abandon(client, now, std::slice::from_ref(&own)).await?;
            process::forget(client, &own).await
        })?;
        self.batches.forget_process();
        Ok(())
    }

    fn statuses(&mut self, limits: &[BudgetLimit]) -> StoreResult<Vec<BudgetStatus>> {
        self.read(async |client, now| reads::statuses(client, limits, day_of(now)).await)
    }

    fn report(&mut self, by: By, since: i64) -> StoreResult<Vec<ReportRow>> {
        self.read(async |client, _| report::report(client, by, since).await)
    }

    fn uncertain_calls(&mut self) -> StoreResult<Vec<UncertainCall>> {
        self.read(async |client, _| calls::uncertain(client).await)
    }

    fn correct(&mut self, id: CallId, cost: NanoDollars, above_reserved: bool) -> StoreResult<Correction> {
        self.change(async |client, author| calls::correct(client, author, id, cost, above_reserved).await)
    }

    fn note_refusal(&mut self, limit: &BudgetLimit) -> StoreResult<()> {
        // Of many refusals only the first is written.
        self.write(async |client, now| {
            let today = day_of(now);
            if alerts::is_noted(&alerts::noted(client, today).await?, today, limit, alert::REFUSAL) {
                return Ok(());
            }
            alerts::note(client, today, limit, alert::REFUSAL).await
        })
    }

    fn claim_alerts(&mut self, watched: &WatchedBudgets, most: usize, lease: i64) -> StoreResult<Vec<BudgetAlert>> {
        self.write(async |client, now| {
            let today = day_of(now);
            let statuses = alerts::statuses(client, today, watched).await?;
            if !alerts::is_any_due(&alerts::noted(client, today).await?, now, today, &statuses) {
                return Ok(Vec::new());
            }
            alerts::claim(client, (now, today), now.saturating_add(lease), &statuses, most).await
        })
    }

    fn finish_alert(&mut self, id: &str, delivered: bool) -> StoreResult<()> {
        self.write(async |client, _| alerts::finish(client, id, delivered).await)
    }

    fn keys(&mut self) -> StoreResult<Vec<Key>> {
        let keys = self.session.run(async |client| keys::all(client).await);
        keys.map_err(|failure| sentence(self.session.address(), "read", &failure))
    }

    fn add_key(&mut self, key: &NewKey<'_>) -> StoreResult<Addition> {
        self.change(async |client, author| keys::add(client, author, key).await)
    }

    fn rotate_key(&mut self, name: &str, rotation: &Rotation) -> StoreResult<bool> {
        self.change(async |client, author| keys::rotate(client, author, name, rotation).await)
    }

    fn revoke_key(&mut self, name: &str) -> StoreResult<bool> {
        self.change(async |client, author| keys::revoke(client, author, name).await)
    }

    fn move_key(&mut self, name: &str, group: Option<&str>) -> StoreResult<Move> {
        self.change(async |client, author| keys::move_to(client, author, name, group).await)
    }

    fn groups(&mut self) -> StoreResult<Vec<Group>> {
        self.read(async |client, _| groups::all(client).await)
    }

    fn add_group(&mut self, name: &str, limits: GroupLimits) -> StoreResult<bool> {
        self.change(async |client, author| groups::add(client, author, name, limits).await)
    }

    fn change_group(&mut self, name: &str, change: GroupChange) -> StoreResult<Option<GroupLimits>> {
        self.change(async |client, author| groups::change(client, author, name, change).await)
    }

    fn remove_group(&mut self, name: &str) -> StoreResult<Removal> {
        self.change(async |client, author| groups::remove(client, author, name).await)
    }

    fn spent(&mut self, holder: &Holder) -> StoreResult<NanoDollars> {
        self.read(async |client, _| report::spent(client, holder).await)
    }

    fn audit(&mut self, since: i64) -> StoreResult<Vec<AuditEntry>> {
        self.read(async |client, _| audit::since(client, since).await)
    }

    fn has_changed(&mut self) -> bool {
        let clock = self.batches.clock();
        let found = self.session.run(async |client| reads::changes(client, clock).await).ok();
        // Without anything to compare with, nothing has changed since.
        let changed = found.is_none() || self.changes.is_some_and(|before| found != Some(before));
        self.changes = found;
        changed
    }

    /// A database is told by what it holds, when it is written to.
    fn is_current(&self) -> bool {
        true
    }

    fn check_writable(&mut self) -> StoreResult<()> {
        self.write(async |client, _| {
            client.batch_execute("UPDATE chatrix.version SET version = version WHERE false").await?;
            let standby = client.query_typed_one("SELECT pg_is_in_recovery()", &[]).await?;
            if standby.try_get(0)? {
                return Err(Failure::Refused("it is a standby, which can only be read".to_owned()));
            }
            Ok(())
        })
    }

    fn mark(&mut self) -> StoreResult<Mark> {
        let mark = self.read(async |client, now| Ok(Mark { call: calls::last(client).await?, seen_at: now }))?;
        self.batches.was_examined();
        Ok(self.seen.insert(mark).clone())
    }

    fn remembered(&self) -> Option<Mark> {
        self.seen.clone()
    }

    fn continuity(&mut self, mark: &Mark) -> StoreResult<Continuity> {
        let lost = self.batches.lost().cloned();
        let continuity = self.read(async |client, now| {
            let asked = (retention::kept_from(client), report::accepted_at(client));
            let (kept_from, accepted_at) = tokio::join!(asked.0, asked.1);
            let found = match &mark.call {
                Some(call) => calls::seen(client, call.id).await?,
                None => None,
            };
            let lacks_own = match &lost {
                Some(lost) => process::was_set_back(client, lost, now.saturating_sub(mark.seen_at)).await?,
                None => false,
            };
            Ok(mark.compare(found.as_ref(), kept_from?, accepted_at?, lacks_own))
        })?;
        if continuity != Continuity::Lost {
            self.batches.was_examined();
        }
        Ok(continuity)
    }

    fn accept(&mut self) -> StoreResult<()> {
        self.change(async |client, author| report::accept(client, author).await)
    }

    fn examine(&mut self) -> StoreResult<Examination> {
        let done = self.session.transact_within(session::LONG, async |client| {
            client.batch_execute("SET LOCAL statement_timeout = 0").await?;
            report::examine(client).await
        });
        done.map_err(|failure| sentence(self.session.address(), "read", &failure))
    }

    fn export(&mut self, take: &mut dyn FnMut(Row) -> StoreResult<()>) -> StoreResult<()> {
        let done = self.session.run_within(session::ALL_ROWS, async |client| {
            client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
            let done =
                export::export(client, |row| take(row).map_err(|error| Failure::Refused(error.to_string()))).await;
            transaction::roll_back(client).await;
            done
        });
        done.map_err(|failure| sentence(self.session.address(), "read", &failure))
    }

    fn import(&mut self, pieces: &mut dyn Iterator<Item = StoreResult<Piece>>) -> StoreResult<Fingerprint> {
        let (actor, clock) = (actor(), self.batches.clock());
        let done = self.session.run_within(session::ALL_ROWS, async |client| {
            let author = Author { at: reads::now(client, clock).await?, actor };
            import::import(client, &author, pieces).await
        });
        done.map_err(|failure| sentence(self.session.address(), "written", &failure))
    }
}

fn sentence(address: &Address, what: &str, failure: &Failure) -> StoreError {
    let what = if failure.is_about_the_connection() { "reached" } else { what };
    StoreError::new(format!("the ledger {address} cannot be {what}: {}", failure.cause()))
}
