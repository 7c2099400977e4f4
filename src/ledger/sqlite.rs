//! The ledger of one machine, in one SQLite file: a row for each call, and running sums beside them, so that no check
//! has to scan. The only part of Chatrix that names `rusqlite`. Several processes share the file; SQLite's own lock
//! keeps their transactions apart.

mod alerts;
mod audit;
mod calls;
mod checkpoints;
mod examination;
mod export;
mod file;
mod groups;
mod keys;
mod process_lock;
mod rates;
mod retention;
mod schema;
mod sums;
mod transaction;
mod values;

use super::alert::{self, BudgetAlert};
use super::audit::{AuditEntry, Author};
use super::budget::{BudgetLimit, BudgetStatus, Holder};
use super::clock::Clock;
use super::continuity::{Continuity, Mark, Opening, SeenCall};
use super::group::{Group, GroupChange, GroupLimits, Move, Removal};
use super::ids::CallId;
use super::key::{Addition, Key, NewKey, Rotation};
use super::key_settings::WatchedBudgets;
use super::report::{By, Examination, ReportRow, UncertainCall};
use super::rows::Row;
use super::store::{Batch, Correction, ReserveOutcome, Store, StoreError, StoreResult, Upkeep, decide_in_order};
use crate::catalog::NanoDollars;
use calls::Begin;
use checkpoints::Checkpoints;
use file::{FileIdentity, create_private, identity, identity_of, length};
use process_lock::ProcessLock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Result};
use std::cell::Cell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use transaction::CachedTransaction;

/// How long another process may hold the ledger before it counts as unavailable.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// An open ledger file.
#[derive(Debug)]
pub(super) struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// Identifies the file that was opened, even if it is renamed.
    file: Option<FileIdentity>,
    /// How long the file has been (bytes). It never becomes shorter by itself.
    length: Cell<u64>,
    lock_folder: PathBuf,
    /// Taken with the first reservation, so that a process that only reads leaves no trace.
    process_lock: Option<ProcessLock>,
    /// What `PRAGMA data_version` was when it was last asked.
    data_version: Option<i64>,
    /// What was last read or booked.
    seen: Option<Mark>,
    checkpoints: Checkpoints,
    /// The number up to which calls were looked at for their age.
    looked_at: i64,
    clock: Clock,
}

impl SqliteStore {
    /// Opens a ledger, creates one if there is none, and brings an older one up to date.
    pub(super) fn open(path: &Path, clock: Clock, opening: Opening) -> StoreResult<Self> {
        let failed = |error: &dyn fmt::Display| failure(path, "opened", error);
        if opening == Opening::Existing && length(path) == 0 {
            return Err(StoreError::lost());
        }
        create_private(path).map_err(|error| failed(&error))?;
        let mut connection = Connection::open(path).map_err(|error| failed(&error))?;
        configure(&connection).map_err(|error| failed(&error))?;
        let checkpoints = Checkpoints::take_over(&mut connection, path).map_err(|error| failed(&error))?;
        schema::migrate(&mut connection).map_err(|error| failed(&error))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            file: identity(path),
            length: Cell::new(length(path)),
            // The folder beside a ledger in which processes show that they are running.
            lock_folder: path.with_extension("running"),
            process_lock: None,
            data_version: None,
            seen: None,
            checkpoints,
            looked_at: 0,
            clock,
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> StoreResult<T> {
        work(&self.connection).map_err(|error| failure(&self.path, "read", &error))
    }

    /// Does some work in one transaction, during which no other process can write.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> StoreResult<T> {
        self.transact(work).map_err(|error| failure(&self.path, "written", &error))
    }

    fn transact<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        // Taken for writing at once: what is read stays true until what is written is committed.
        let transaction = CachedTransaction::begin(&self.connection)?;
        let result = work(&self.connection)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Makes a change that is audited.
    fn change<T>(&self, work: impl FnOnce(&Connection, &Author) -> Result<T>) -> StoreResult<T> {
        let author = Author::now(&self.clock);
        self.write(|connection| work(connection, &author))
    }

    /// Books a batch. The inner error is that of SQLite, for callers that tell a busy database from a broken one.
    fn book(&mut self, batch: &Batch<'_>) -> StoreResult<Result<Vec<ReserveOutcome>>> {
        let Batch { settlements, reservations } = *batch;
        let process = if reservations.is_empty() { String::new() } else { self.process()?.to_owned() };
        let now = self.clock.now();
        let is_running = |process: &str| process_lock::is_running(&self.lock_folder, process);
        let seen = self.seen.as_ref().and_then(|mark| mark.call.as_ref());
        let booked = self.transact(|connection| {
            if let Some(seen) = seen
                && calls::seen(connection, seen.id)?.as_ref() != Some(seen)
            {
                return Ok(None);
            }
            calls::settle_all(connection, now, settlements)?;
            let begin = Begin { now, process: &process };
            let outcomes =
                decide_in_order(reservations, |request| calls::reserve(connection, begin, request, &is_running))?;
            Ok(Some(outcomes))
        });
        let outcomes = match booked {
            Ok(Some(outcomes)) => outcomes,
            Ok(None) => return Err(StoreError::discontinuous()),
            Err(error) => return Ok(Err(error)),
        };
        let last = outcomes.iter().rev().find_map(|outcome| match outcome {
            ReserveOutcome::Reserved { id, .. } => Some(*id),
            _ => None,
        });
        if let Some(id) = last {
            self.seen = Some(Mark { call: Some(SeenCall { id, at: now, process }), seen_at: now });
        } else if let Some(mark) = &mut self.seen {
            mark.seen_at = now;
        }
        Ok(Ok(outcomes))
    }

    /// The name that this process books its calls under.
    fn process(&mut self) -> StoreResult<&str> {
        let lock = match self.process_lock.take() {
            Some(lock) => lock,
            None => ProcessLock::take(&self.lock_folder).map_err(|error| failure(&self.path, "written", &error))?,
        };
        Ok(self.process_lock.insert(lock).name())
    }
}

impl Store for SqliteStore {
    fn post(&mut self, batch: &Batch<'_>) -> StoreResult<Vec<ReserveOutcome>> {
        self.book(batch)?.map_err(|error| failure(&self.path, "written", &error))
    }

    fn post_at_once(&mut self, batch: &Batch<'_>) -> StoreResult<Option<Vec<ReserveOutcome>>> {
        let impatient = self.connection.busy_timeout(Duration::ZERO);
        let booked = self.book(batch);
        let patient = self.connection.busy_timeout(BUSY_TIMEOUT);
        match impatient.and(patient).and(booked?) {
            Ok(outcomes) => Ok(Some(outcomes)),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(None),
            Err(error) => Err(failure(&self.path, "written", &error)),
        }
    }

    fn upkeep(&self) -> Option<Upkeep> {
        self.checkpoints.upkeep()
    }

    fn forget_calls(&mut self, keep_days: i64) -> StoreResult<bool> {
        let (after, before) = (self.looked_at, self.clock.today() - keep_days);
        let Some((until, has_more)) = self.read(|connection| retention::oldest(connection, after, before))?.end()
        else {
            self.looked_at = 0;
            return Ok(false);
        };
        if until > after {
            self.write(|connection| retention::delete(connection, after, until, before))?;
        }
        // After the last of them it begins again: what was uncertain may be settled since.
        self.looked_at = if has_more { after.max(until) } else { 0 };
        Ok(has_more)
    }

    fn recover(&mut self) -> StoreResult<()> {
        let now = self.clock.now();
        self.write(|connection| {
            let processes = calls::processes(connection)?;
            let mut ended = processes.iter().filter(|process| !process_lock::is_running(&self.lock_folder, process));
            ended.try_for_each(|process| calls::abandon(connection, now, process))
        })?;
        process_lock::remove_stale(&self.lock_folder);
        Ok(())
    }

    fn abandon_own(&mut self) -> StoreResult<()> {
        let Some(lock) = &self.process_lock else { return Ok(()) };
        let now = self.clock.now();
        self.write(|connection| calls::abandon(connection, now, lock.name()))
    }

    fn statuses(&mut self, limits: &[BudgetLimit]) -> StoreResult<Vec<BudgetStatus>> {
        let today = self.clock.today();
        let consistent = |connection: &Connection| {
            // One transaction: all limits as they are at the same moment.
            let transaction = connection.unchecked_transaction()?;
            sums::statuses(&transaction, today, limits)
        };
        self.read(consistent)
    }

    fn report(&mut self, by: By, since: i64) -> StoreResult<Vec<ReportRow>> {
        self.read(|connection| sums::report(connection, by, since))
    }

    fn uncertain_calls(&mut self) -> StoreResult<Vec<UncertainCall>> {
        self.read(calls::uncertain)
    }

    fn correct(&mut self, id: CallId, cost: NanoDollars, above_reserved: bool) -> StoreResult<Correction> {
        self.change(|connection, author| calls::correct(connection, author, id, cost, above_reserved))
    }

    fn note_refusal(&mut self, limit: &BudgetLimit) -> StoreResult<()> {
        let today = self.clock.today();
        // Of many refusals only the first is written.
        if self.read(|connection| alerts::is_noted(connection, today, limit, alert::REFUSAL))? {
            return Ok(());
        }
        self.write(|connection| alerts::note(connection, today, limit, alert::REFUSAL))
    }

    fn claim_alerts(&mut self, watched: &WatchedBudgets, most: usize, lease: i64) -> StoreResult<Vec<BudgetAlert>> {
        let (now, today) = (self.clock.now(), self.clock.today());
        // Mostly there is nothing to tell, and then nothing is written.
        let is_any_due = self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let statuses = alerts::statuses(&transaction, today, watched)?;
            alerts::is_any_due(&transaction, now, today, &statuses)
        });
        if !is_any_due? {
            return Ok(Vec::new());
        }
        self.write(|connection| {
            let statuses = alerts::statuses(connection, today, watched)?;
            alerts::claim(connection, now, today, now.saturating_add(lease), &statuses, most)
        })
    }

    fn finish_alert(&mut self, id: &str, delivered: bool) -> StoreResult<()> {
        self.write(|connection| alerts::finish(connection, id, delivered))
    }

    fn keys(&mut self) -> StoreResult<Vec<Key>> {
        self.read(keys::all)
    }

    fn add_key(&mut self, key: &NewKey<'_>) -> StoreResult<Addition> {
        self.change(|connection, author| keys::add(connection, author, key))
    }

    fn rotate_key(&mut self, name: &str, rotation: &Rotation) -> StoreResult<bool> {
        self.change(|connection, author| keys::rotate(connection, author, name, rotation))
    }

    fn revoke_key(&mut self, name: &str) -> StoreResult<bool> {
        self.change(|connection, author| keys::revoke(connection, author, name))
    }

    fn move_key(&mut self, name: &str, group: Option<&str>) -> StoreResult<Move> {
        self.change(|connection, author| keys::move_to(connection, author, name, group))
    }

    fn groups(&mut self) -> StoreResult<Vec<Group>> {
        self.read(groups::all)
    }

    fn add_group(&mut self, name: &str, limits: GroupLimits) -> StoreResult<bool> {
        self.change(|connection, author| groups::add(connection, author, name, limits))
    }

    fn change_group(&mut self, name: &str, change: GroupChange) -> StoreResult<Option<GroupLimits>> {
        self.change(|connection, author| groups::change(connection, author, name, change))
    }

    fn remove_group(&mut self, name: &str) -> StoreResult<Removal> {
        self.change(|connection, author| groups::remove(connection, author, name))
    }

    fn spent(&mut self, holder: &Holder) -> StoreResult<NanoDollars> {
        self.read(|connection| sums::spent(connection, holder))
    }

    fn audit(&mut self, since: i64) -> StoreResult<Vec<AuditEntry>> {
        self.read(|connection| audit::since(connection, since))
    }

    fn has_changed(&mut self) -> bool {
        // https://www.sqlite.org/pragma.html#pragma_data_version: it changes when another connection commits.
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
        let changed = version.is_none() || version != self.data_version;
        self.data_version = version;
        changed
    }

    fn is_current(&self) -> bool {
        let Ok(file) = std::fs::metadata(&self.path) else { return false };
        let is_shorter = file.len() < self.length.replace(file.len());
        !is_shorter && identity_of(&file) == self.file
    }

    fn check_writable(&mut self) -> StoreResult<()> {
        // Even a value that stays the same is written, so a full disk shows.
        self.write(|connection| connection.pragma_update(None, "application_id", schema::APPLICATION))
    }

    fn mark(&mut self) -> StoreResult<Mark> {
        let seen_at = self.clock.now();
        let mark = Mark { call: self.read(calls::last)?, seen_at };
        Ok(self.seen.insert(mark).clone())
    }

    fn remembered(&self) -> Option<Mark> {
        self.seen.clone()
    }

    fn continuity(&mut self, mark: &Mark) -> StoreResult<Continuity> {
        let (found, continuity) = self.read(|connection| {
            let found = match &mark.call {
                Some(call) => calls::seen(connection, call.id)?,
                None => None,
            };
            let kept_from = retention::kept_from(connection)?;
            let continuity = mark.compare(found.as_ref(), kept_from, examination::accepted_at(connection)?, false);
            Ok((found, continuity))
        })?;
        if found.is_none() && continuity == Continuity::Same {
            // It was deleted for its age, and nothing is expected of it any more.
            self.seen = None;
        }
        Ok(continuity)
    }

    fn accept(&mut self) -> StoreResult<()> {
        self.change(examination::accept)
    }

    fn examine(&mut self) -> StoreResult<Examination> {
        self.read(examination::examine)
    }

    fn export(&mut self, take: &mut dyn FnMut(Row) -> StoreResult<()>) -> StoreResult<()> {
        self.read(|connection| export::export(connection, take))?
    }
}

fn failure(path: &Path, what: &str, error: &dyn fmt::Display) -> StoreError {
    StoreError::new(format!("the ledger {} cannot be {what}: {error}", path.display()))
}

fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A killed process loses nothing that was committed; only a power cut can take the last moments (README).
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // The write-ahead log is left for the next writer, so that a short `ask` does not wait for the disk when it closes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}
