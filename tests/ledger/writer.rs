//! The thread in front of a store: who waits, who is told, and what happens when the store cannot be written.

use super::{NewLedger, cost, limit, new_call, with_every_store};
use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::alert::BudgetAlert;
use chatrix::ledger::audit::AuditEntry;
use chatrix::ledger::budget::{BudgetLimit, BudgetStatus, BudgetTotals, CostRange, Holder, Period};
use chatrix::ledger::continuity::{Continuity, Mark, Opening};
use chatrix::ledger::group::{Group, GroupChange, GroupLimits, Move, Removal};
use chatrix::ledger::key::{Addition, Key, KeyLimits, NewKey, Rotation};
use chatrix::ledger::report::{By, Examination, ReportRow, UncertainCall};
use chatrix::ledger::rows::Row;
use chatrix::ledger::store::{Batch, Correction, ReserveOutcome, Store, StoreError, StoreResult, Upkeep};
use chatrix::ledger::{self, CallId, Clock, Granted, KeyId, KeySettings, Ledger, Location, Refused, WatchedBudgets};
use chatrix::telemetry::Telemetry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

with_every_store! {
    async
    a_call_waits_for_running_ones_and_not_for_ever,
    a_waiting_call_is_decided_again_only_when_something_has_changed,
    many_calls_wait_in_their_order_and_those_that_hang_up_hold_nobody_up,
    what_a_process_leaves_open_is_uncertain_when_it_closes,
    what_cannot_be_written_is_written_later,
    keys_are_read_at_most_once_a_second_and_a_failure_is_too,
}

/// What a [`Watched`] store counts, and whether it fails.
#[derive(Debug, Default)]
struct Watch {
    opened: AtomicUsize,
    posted: AtomicUsize,
    keys_read: AtomicUsize,
    fails: AtomicBool,
}

impl Watch {
    fn posted(&self) -> usize {
        self.posted.load(Ordering::SeqCst)
    }

    fn keys_read(&self) -> usize {
        self.keys_read.load(Ordering::SeqCst)
    }

    fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn check(&self) -> StoreResult<()> {
        if self.fails.load(Ordering::SeqCst) { Err(StoreError::new("the ledger is broken")) } else { Ok(()) }
    }
}

/// A store that is watched, and fails when it is told to.
#[derive(Debug)]
struct Watched(Box<dyn Store>, Arc<Watch>);

impl Store for Watched {
    fn post(&mut self, batch: &Batch<'_>) -> StoreResult<Vec<ReserveOutcome>> {
        self.1.posted.fetch_add(1, Ordering::SeqCst);
        self.1.check()?;
        self.0.post(batch)
    }
    fn post_at_once(&mut self, batch: &Batch<'_>) -> StoreResult<Option<Vec<ReserveOutcome>>> {
        self.1.posted.fetch_add(1, Ordering::SeqCst);
        self.1.check()?;
        self.0.post_at_once(batch)
    }
    fn upkeep(&self) -> Option<Upkeep> {
        self.0.upkeep()
    }
    fn forget_calls(&mut self, keep_days: i64) -> StoreResult<bool> {
        self.0.forget_calls(keep_days)
    }
    fn export(&mut self, take: &mut dyn FnMut(Row) -> StoreResult<()>) -> StoreResult<()> {
        self.0.export(take)
    }
    fn remembered(&self) -> Option<Mark> {
        self.0.remembered()
    }
    fn recover(&mut self) -> StoreResult<()> {
        self.0.recover()
    }
    fn abandon_own(&mut self) -> StoreResult<()> {
        self.0.abandon_own()
    }
    fn statuses(&mut self, limits: &[BudgetLimit]) -> StoreResult<Vec<BudgetStatus>> {
        self.0.statuses(limits)
    }
    fn report(&mut self, by: By, since: i64) -> StoreResult<Vec<ReportRow>> {
        self.0.report(by, since)
    }
    fn uncertain_calls(&mut self) -> StoreResult<Vec<UncertainCall>> {
        self.0.uncertain_calls()
    }
    fn correct(&mut self, id: CallId, cost: NanoDollars, above_reserved: bool) -> StoreResult<Correction> {
        self.0.correct(id, cost, above_reserved)
    }
    fn keys(&mut self) -> StoreResult<Vec<Key>> {
        self.1.keys_read.fetch_add(1, Ordering::SeqCst);
        self.1.check()?;
        self.0.keys()
    }
    fn note_refusal(&mut self, limit: &BudgetLimit) -> StoreResult<()> {
        self.0.note_refusal(limit)
    }
    fn claim_alerts(&mut self, watched: &WatchedBudgets, most: usize, lease: i64) -> StoreResult<Vec<BudgetAlert>> {
        self.0.claim_alerts(watched, most, lease)
    }
    fn finish_alert(&mut self, id: &str, delivered: bool) -> StoreResult<()> {
        self.0.finish_alert(id, delivered)
    }
    fn add_key(&mut self, key: &NewKey<'_>) -> StoreResult<Addition> {
        self.0.add_key(key)
    }
    fn rotate_key(&mut self, name: &str, rotation: &Rotation) -> StoreResult<bool> {
        self.0.rotate_key(name, rotation)
    }
    fn revoke_key(&mut self, name: &str) -> StoreResult<bool> {
        self.0.revoke_key(name)
    }
    fn move_key(&mut self, name: &str, group: Option<&str>) -> StoreResult<Move> {
        self.0.move_key(name, group)
    }
    fn groups(&mut self) -> StoreResult<Vec<Group>> {
        self.0.groups()
    }
    fn add_group(&mut self, name: &str, limits: GroupLimits) -> StoreResult<bool> {
        self.0.add_group(name, limits)
    }
    fn change_group(&mut self, name: &str, change: GroupChange) -> StoreResult<Option<GroupLimits>> {
        self.0.change_group(name, change)
    }
    fn remove_group(&mut self, name: &str) -> StoreResult<Removal> {
        self.0.remove_group(name)
    }
    fn spent(&mut self, holder: &Holder) -> StoreResult<NanoDollars> {
        self.0.spent(holder)
    }
    fn audit(&mut self, since: i64) -> StoreResult<Vec<AuditEntry>> {
        self.0.audit(since)
    }
    fn has_changed(&mut self) -> bool {
        self.0.has_changed()
    }
    fn is_current(&self) -> bool {
        self.0.is_current()
    }
    fn check_writable(&mut self) -> StoreResult<()> {
        self.1.check()?;
        self.0.check_writable()
    }
    fn mark(&mut self) -> StoreResult<Mark> {
        self.0.mark()
    }
    fn continuity(&mut self, mark: &Mark) -> StoreResult<Continuity> {
        self.0.continuity(mark)
    }
    fn accept(&mut self) -> StoreResult<()> {
        self.0.accept()
    }
    fn examine(&mut self) -> StoreResult<Examination> {
        self.0.examine()
    }
}

/// A ledger of its own, as one process has it.
fn watched(location: Location) -> (Ledger, Arc<Watch>) {
    let watch = Arc::new(Watch::default());
    let shared = Arc::clone(&watch);
    let open = move |_: Opening| -> StoreResult<Box<dyn Store>> {
        shared.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Watched(ledger::open(&location, Clock::system())?, Arc::clone(&shared))))
    };
    let ledger = Ledger::start(open, Telemetry::default());
    (ledger, watch)
}

fn limits() -> Vec<BudgetLimit> {
    vec![limit(None, Period::Day, 100)]
}

async fn reserve(ledger: &Ledger, cost: CostRange, patience: Duration) -> Result<Granted, Refused> {
    ledger.reserve(new_call(None), limits(), cost, patience).await
}

async fn totals(ledger: &Ledger) -> (u64, u64, u64) {
    let BudgetTotals { settled, reserved, uncertain } = ledger.statuses(limits()).await.remove(0).totals;
    (settled.0, reserved.0, uncertain.0)
}

/// How long a call may wait that is to be served in the end.
const LONG: Duration = Duration::from_mins(2);

/// What happens at once happens within this time, on a slow machine as well.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn a_call_waits_for_running_ones_and_not_for_ever(new: &NewLedger) {
    let ledger = Ledger::at(&new.location(), Clock::system(), Telemetry::default());
    let reserve = |full, minimum, patience| reserve(&ledger, cost(full, minimum), patience);
    let mut first = reserve(90, 90, Duration::ZERO).await.unwrap().reservation;
    first.sent();
    // The money comes back while the second one waits.
    let (second, ()) = tokio::join!(reserve(80, 80, LONG), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.settle(Usage::default(), Some(NanoDollars(10)));
    });
    let mut second = second.unwrap().reservation;
    second.sent();
    // It does not: what is left is enough for a short answer.
    let third = reserve(50, 5, Duration::from_millis(100)).await.unwrap();
    assert_eq!(third.reservation.amount(), NanoDollars(10));
    let Err(Refused::OverBudget(status)) = reserve(50, 5, Duration::from_millis(100)).await else {
        panic!("there is nothing left")
    };
    assert_eq!((status.totals.settled, status.totals.reserved), (NanoDollars(10), NanoDollars(90)));
    // Dropped unsent: released. Dropped after it was sent: uncertain.
    drop(third);
    drop(second);
    assert_eq!(totals(&ledger).await, (10, 0, 80));
    // Nobody waits any more: what was asked for is not reserved.
    let _ = tokio::time::timeout(Duration::from_millis(50), reserve(20, 20, Duration::from_secs(1))).await;
    assert_eq!(totals(&ledger).await, (10, 0, 80));
}

async fn a_waiting_call_is_decided_again_only_when_something_has_changed(new: &NewLedger) {
    let ((ours, watch), (theirs, _)) = (watched(new.location()), watched(new.location()));
    let mut running = reserve(&theirs, cost(90, 90), Duration::ZERO).await.unwrap().reservation;
    running.sent();
    let waiting = reserve(&ours, cost(80, 80), LONG);
    let (granted, (while_idle, noticed)) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = watch.posted();
        tokio::time::sleep(Duration::from_millis(900)).await;
        let while_idle = watch.posted() - before;
        running.settle(Usage::default(), Some(NanoDollars(10)));
        (while_idle, Instant::now())
    });
    assert_eq!(granted.unwrap().reservation.amount(), NanoDollars(80));
    assert!(noticed.elapsed() < AT_ONCE, "what another process gives back is noticed at once");
    // Once a second it is looked for ended processes.
    assert!(while_idle <= 2, "decided {while_idle} times though nothing had changed");
}

/// A call that has asked for a reservation and waits for it.
type Waiter = tokio::task::JoinHandle<(usize, Result<Granted, Refused>)>;

/// Starts calls that wait for 60 of the 100 in the order of their numbers.
async fn start_waiters(ledger: &Ledger, numbers: std::ops::Range<usize>) -> Vec<Waiter> {
    let mut waiters = Vec::new();
    for number in numbers {
        let ledger = ledger.clone();
        waiters.push(tokio::spawn(async move { (number, reserve(&ledger, cost(60, 60), LONG).await) }));
        // Its command is in the queue before the next one's.
        tokio::task::yield_now().await;
    }
    waiters
}

async fn many_calls_wait_in_their_order_and_those_that_hang_up_hold_nobody_up(new: &NewLedger) {
    const WAITERS: usize = 400;
    let (ledger, watch) = watched(new.location());
    let mut running = reserve(&ledger, cost(90, 90), Duration::ZERO).await.unwrap().reservation;
    running.sent();
    let waiters = start_waiters(&ledger, 0..WAITERS).await;
    // What asks for less than is left, or has limits of its own, does not wait behind them.
    let began = Instant::now();
    drop(reserve(&ledger, cost(5, 5), LONG).await.unwrap());
    let others = vec![limit(Some(KeyId(7)), Period::Day, 100)];
    drop(ledger.reserve(new_call(Some(KeyId(7))), others, cost(80, 80), LONG).await.unwrap());
    // A short wait ends when it is over, however long the others wait.
    let impatient = reserve(&ledger, cost(70, 70), Duration::from_millis(50)).await;
    assert!(matches!(impatient, Err(Refused::OverBudget(_))), "{impatient:?}");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    // Every second one hangs up.
    for waiter in waiters.iter().skip(1).step_by(2) {
        waiter.abort();
    }
    let before = watch.posted();
    running.settle(Usage::default(), Some(NanoDollars(0)));
    let mut served = Vec::new();
    for waiter in waiters.into_iter().step_by(2) {
        let (number, granted) = waiter.await.unwrap();
        let mut reservation = granted.unwrap().reservation;
        served.push(number);
        reservation.sent();
        assert!(totals(&ledger).await.1 <= 100);
        reservation.settle(Usage::default(), Some(NanoDollars(0)));
    }
    assert_eq!(served, (0..WAITERS).step_by(2).collect::<Vec<_>>());
    assert_eq!(totals(&ledger).await, (0, 0, 0), "nothing is reserved for those who have left");
    let transactions = watch.posted() - before;
    assert!(transactions <= 3 * WAITERS, "{transactions} transactions");
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
}

async fn what_a_process_leaves_open_is_uncertain_when_it_closes(new: &NewLedger) {
    let ((ours, _), (theirs, _)) = (watched(new.location()), watched(new.location()));
    let mut sent = reserve(&ours, cost(40, 40), Duration::ZERO).await.unwrap().reservation;
    sent.sent();
    // Calls that could not be written when they began: one that AWS may bill, and one that it cannot.
    let mut late = ours.book_later(new_call(None), NanoDollars(9));
    late.sent();
    let unsent = ours.book_later(new_call(None), NanoDollars(5));
    ours.close();
    assert_eq!(totals(&theirs).await, (0, 0, 49));
    // Too late: the queue is closed, and the money stays booked.
    sent.settle(Usage::default(), Some(NanoDollars(1)));
    late.settle(Usage::default(), Some(NanoDollars(1)));
    drop(unsent);
    assert!(matches!(reserve(&ours, cost(1, 1), LONG).await, Err(Refused::Closed)));
    assert_eq!(totals(&theirs).await, (0, 0, 49));
}

async fn what_cannot_be_written_is_written_later(new: &NewLedger) {
    let (ledger, watch) = watched(new.location());
    let mut reservation = reserve(&ledger, cost(40, 40), Duration::ZERO).await.unwrap().reservation;
    reservation.sent();
    watch.fail(true);
    reservation.settle(Usage::default(), Some(NanoDollars(30)));
    let Err(Refused::Unavailable(error)) = reserve(&ledger, cost(1, 1), LONG).await else {
        panic!("nothing can be reserved")
    };
    assert_eq!(error.to_string(), "the ledger is broken");
    // Without a budget a call goes on, and is booked with its end.
    let mut late = ledger.book_later(new_call(None), NanoDollars(9));
    late.sent();
    drop(late);
    assert_eq!(totals(&ledger).await, (0, 40, 0));
    watch.fail(false);
    let started = Instant::now();
    while totals(&ledger).await != (30, 0, 9) {
        assert!(started.elapsed() < LONG, "{:?}", totals(&ledger).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn keys_are_read_at_most_once_a_second_and_a_failure_is_too(new: &NewLedger) {
    let (ledger, watch) = watched(new.location());
    let cache = ledger.key_cache(KeySettings::default());
    let read = async || cache.keys().await.map(|keys| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>());
    assert_eq!(read().await, Ok(Vec::new()));
    let mut other = ledger::open(&new.location(), Clock::system()).unwrap();
    let key = NewKey { name: "laptop", hash: "hash", limits: &KeyLimits::default(), expires: None, group: None };
    other.add_key(&key).unwrap();
    // Many at once share one reading.
    let (began, before) = (Instant::now(), watch.keys_read());
    while read().await == Ok(Vec::new()) {
        assert!(began.elapsed() < Duration::from_secs(5), "a new key counts within a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(watch.keys_read(), before + 1, "until then the keys came from memory");
    watch.fail(true);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let before = watch.keys_read();
    for _ in 0..10 {
        assert_eq!(read().await, Err(StoreError::new("the ledger is broken")));
    }
    assert_eq!(watch.keys_read(), before + 1);
    ledger.close();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(read().await, Err(StoreError::new("the ledger is closed: this process is shutting down")));
}

#[tokio::test]
async fn a_ledger_is_opened_when_it_is_first_needed_and_never_again_under_a_budget() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("state");
    let (ledger, watch) = watched(Location::File(home.join("ledger.db")));
    assert!(!home.exists());
    drop(reserve(&ledger, cost(1, 1), Duration::ZERO).await.unwrap());
    assert_eq!(totals(&ledger).await, (0, 0, 0));
    assert_eq!(watch.opened.load(Ordering::SeqCst), 1);
    std::fs::remove_dir_all(&home).unwrap();
    let unlimited = async || ledger.reserve(new_call(None), Vec::new(), cost(1, 1), Duration::ZERO).await;
    // A budget depends on it.
    for refused in [reserve(&ledger, cost(1, 1), Duration::ZERO).await, unlimited().await] {
        assert!(matches!(refused, Err(Refused::Unavailable(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn the_log_of_the_database_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(&Location::File(folder.path().join("ledger.db")), Clock::system(), Telemetry::default());
    for _ in 0..1500 {
        let limit = vec![limit(None, Period::Day, u64::MAX / 2048)];
        let granted = ledger.reserve(new_call(None), limit, cost(40, 40), LONG).await.unwrap();
        let mut reservation = granted.reservation;
        reservation.sent();
        reservation.settle(Usage::default(), Some(NanoDollars(1)));
    }
    // Without checkpoints it would hold several pages of 4 KiB for each of these transactions.
    let bytes = std::fs::metadata(folder.path().join("ledger.db-wal")).unwrap().len();
    assert!(bytes < 16 << 20, "{bytes} bytes");
}
