//! New, empty ledgers of every kind, with a clock that is set by hand.

use super::DAY;
use crate::support::postgres::{Database, Session};
use chatrix::ledger::store::Store;
use chatrix::ledger::{self, Address, Clock, Location};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

/// A ledger that several processes can open. It is noon of some day.
pub(super) struct NewLedger {
    time: Arc<AtomicI64>,
    place: Place,
}

enum Place {
    File(TempDir),
    Database(Box<Database<'static>>, Box<Session>),
}

/// Where a database of a test keeps its time.
const NOW: &str = "(SELECT now FROM public.manual_clock)";

const MANUAL_CLOCK: &str = "CREATE TABLE public.manual_clock (now bigint NOT NULL);
    INSERT INTO public.manual_clock VALUES (0);
    GRANT SELECT ON public.manual_clock TO PUBLIC";

/// A process, as the ledger knows it.
pub(super) struct Process {
    store: Box<dyn Store>,
}

impl Process {
    pub(super) fn as_mut(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }
}

impl std::ops::Deref for Process {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        self.store.as_ref()
    }
}

impl std::ops::DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.store.as_mut()
    }
}

impl NewLedger {
    #[expect(clippy::unnecessary_wraps, reason = "it is made as one in a database is, which need not be installed")]
    pub(super) fn sqlite() -> Option<Self> {
        Some(Self::at(Place::File(tempfile::tempdir().unwrap())))
    }

    pub(super) fn postgres() -> Option<Self> {
        let database = Database::new()?;
        let session = database.session().unwrap();
        session.try_sql(MANUAL_CLOCK).unwrap();
        let ledger = Self::at(Place::Database(Box::new(database), Box::new(session)));
        // The first process makes the tables.
        drop(ledger::open(&ledger.location(), ledger.clock()).unwrap());
        Some(ledger)
    }

    fn at(place: Place) -> Self {
        let ledger = Self { time: Arc::default(), place };
        ledger.set_time(20_000);
        ledger
    }

    /// Sets the clock to noon of a day (days since 1970). Processes that run renew their leases meanwhile.
    pub(super) fn set_day(&self, day: i64) {
        let now = self.set_time(day);
        self.sql(&format!("UPDATE processes SET lease_until = {now} + 30000 WHERE lease_until <> 0"));
    }

    fn set_time(&self, day: i64) -> i64 {
        let now = day * DAY + DAY / 2;
        self.time.store(now, Ordering::SeqCst);
        self.sql(&format!("UPDATE public.manual_clock SET now = {now}"));
        now
    }

    /// Changes a database by hand.
    pub(super) fn sql(&self, sql: &str) {
        if let Place::Database(_, session) = &self.place {
            session.try_sql(sql).unwrap();
        }
    }

    pub(super) fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::new(move || time.load(Ordering::SeqCst)).in_database(NOW)
    }

    pub(super) fn location(&self) -> Location {
        match &self.place {
            Place::File(folder) => Location::File(folder.path().join("ledger.db")),
            Place::Database(database, _) => {
                let address = Address::parse(&database.url(), None, &|_| None).unwrap();
                Location::Database { address: Box::new(address), spool: None }
            }
        }
    }

    /// Opens the ledger, as a process does.
    pub(super) fn open(&self) -> Process {
        Process { store: ledger::open(&self.location(), self.clock()).unwrap() }
    }

    /// Ends a process that has no time to do anything. Where that is noticed by its lease, the lease runs out.
    pub(super) fn kill(&self, process: Process) {
        let name = process.store.process().map(ToOwned::to_owned);
        drop(process.store);
        if let Some(name) = name {
            self.sql(&format!("UPDATE processes SET lease_until = 0 WHERE name = '{name}'"));
        }
    }

    /// How many random histories are compared with a plain model.
    pub(super) fn histories(&self) -> u64 {
        match &self.place {
            Place::File(_) => 30,
            Place::Database(..) => 5,
        }
    }
}
