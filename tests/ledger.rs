//! The ledger against a plain model of itself, and against the calendar.

use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::budget::{BudgetTotals, CostRange, Limit, Period};
use chatrix::ledger::{By, Clock, Ledger, NewCall, Outcome, Refused, Settlement, SqliteStore};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const DAY: i64 = 86_400_000;

/// A clock that is set by hand.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn at(day: i64) -> Self {
        let hand = Self::default();
        hand.set(day);
        hand
    }

    fn set(&self, day: i64) {
        self.0.store(day * DAY + DAY / 2, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.0);
        Clock::new(move || time.load(Ordering::SeqCst))
    }
}

fn entry(key: i64) -> NewCall {
    NewCall { command: "ask", key, asked: "m".into(), model: "us.m".into() }
}

fn limit(key: i64, period: Period, amount: u64) -> Limit {
    let key = (key != 0).then(|| (key, format!("k{key}")));
    Limit { key, period, amount: NanoDollars(amount) }
}

fn wish(full: u64, minimum: u64) -> CostRange {
    CostRange { full: NanoDollars(full), minimum: NanoDollars(minimum) }
}

fn ending(id: i64, outcome: Outcome) -> Settlement {
    Settlement {
        id,
        late: None,
        outcome,
        model: "us.m".into(),
        request_id: None,
        milliseconds: 1,
        edits: String::new(),
    }
}

fn open(path: &Path, hand: &Hand) -> SqliteStore {
    SqliteStore::open(path, hand.clock()).unwrap()
}

/// What the model remembers of a call.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    id: i64,
    day: i64,
    key: i64,
    reserved: u64,
    /// What is booked for it in the end; `None` while it is open or uncertain.
    settled: Option<u64>,
    uncertain: bool,
}

fn booked(calls: &[Remembered], key: i64, from: i64) -> BudgetTotals {
    let calls = || calls.iter().filter(|call| (key == 0 || call.key == key) && call.day >= from);
    let open = |uncertain: bool| {
        let open = calls().filter(|call| call.settled.is_none() && call.uncertain == uncertain);
        NanoDollars(open.map(|call| call.reserved).sum())
    };
    BudgetTotals {
        settled: NanoDollars(calls().filter_map(|call| call.settled).sum()),
        reserved: open(false),
        uncertain: open(true),
    }
}

#[test]
fn any_interleaving_books_what_a_plain_model_books() {
    for seed in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let hand = Hand::at(20_000);
        // Two processes: whatever one of them commits, the other sees.
        let mut books = [open(&path, &hand), open(&path, &hand)];
        let mut random = fastrand::Rng::with_seed(seed);
        let mut calls: Vec<Remembered> = Vec::new();
        let mut today = 20_000;
        for _ in 0..150 {
            let book = &mut books[random.usize(..2)];
            let open: Vec<usize> =
                (0..calls.len()).filter(|n| calls[*n].settled.is_none() && !calls[*n].uncertain).collect();
            match random.u32(..10) {
                0..=4 => {
                    let key = random.i64(0..3);
                    let mut limits = vec![limit(0, Period::Day, 1000), limit(0, Period::Month, 4000)];
                    if key > 0 {
                        limits.push(limit(key, Period::Day, 300));
                    }
                    let wish = wish(random.u64(1..200), random.u64(1..50));
                    let wish = CostRange { minimum: wish.minimum.min(wish.full), ..wish };
                    let (verdict, statuses) =
                        book.transact(|pages| pages.reserve("gone", &entry(key), &limits, wish, false)).unwrap();
                    let left = limits.iter().map(|limit| {
                        let from = limit.period.start(today);
                        let all = booked(&calls, limit.key.as_ref().map_or(0, |key| key.0), from).all();
                        limit.amount - all
                    });
                    let left = left.min().unwrap();
                    match verdict {
                        Ok((id, amount)) => {
                            assert_eq!(amount, wish.full.min(left), "seed {seed}");
                            calls.push(Remembered {
                                id,
                                day: today,
                                key,
                                reserved: amount.0,
                                settled: None,
                                uncertain: false,
                            });
                            assert!(statuses.iter().all(|status| status.totals.all() <= status.limit.amount));
                        }
                        Err(_) => assert!(wish.minimum > left, "seed {seed}: {wish:?} was refused with {left:?} left"),
                    }
                }
                5 | 6 if !open.is_empty() => {
                    let call = &mut calls[open[random.usize(..open.len())]];
                    let cost = random.u64(..=call.reserved);
                    let outcome = match random.u32(..3) {
                        0 => Outcome::Released,
                        1 => Outcome::Estimated(NanoDollars(cost)),
                        _ => Outcome::Settled(Usage::default(), Some(NanoDollars(cost))),
                    };
                    call.settled = Some(if outcome == Outcome::Released { 0 } else { cost });
                    let id = call.id;
                    book.transact(|pages| pages.settle(&ending(id, outcome))).unwrap();
                    // The first end stands.
                    book.transact(|pages| pages.settle(&ending(id, Outcome::Uncertain))).unwrap();
                }
                7 if !open.is_empty() => {
                    let call = &mut calls[open[random.usize(..open.len())]];
                    call.uncertain = true;
                    let id = call.id;
                    book.transact(|pages| pages.settle(&ending(id, Outcome::Uncertain))).unwrap();
                }
                8 => {
                    // The process that made them is not there: a crash.
                    book.recover().unwrap();
                    calls.iter_mut().filter(|call| call.settled.is_none()).for_each(|call| call.uncertain = true);
                    if let Some(call) = calls.iter_mut().find(|call| call.settled.is_none() && random.bool()) {
                        call.settled = Some(7);
                        let id = call.id;
                        assert!(book.transact(|pages| pages.correct(id, NanoDollars(7))).unwrap());
                    }
                }
                _ => {
                    // Mostly forward, sometimes back.
                    today += [1, 1, 0, -1, 12][random.usize(..5)];
                    hand.set(today);
                }
            }
            for key in 0..3 {
                for period in [Period::Day, Period::Month] {
                    let status = books[0].statuses(&[limit(key, period, 1)]).unwrap().remove(0);
                    assert_eq!(status.totals, booked(&calls, key, period.start(today)), "seed {seed}, key {key}");
                }
            }
        }
        let rows = books[1].report(By::Day, 0).unwrap();
        let settled: NanoDollars = rows.iter().map(|row| row.sums.settled).sum();
        assert_eq!(settled, booked(&calls, 0, 0).settled, "the report's sums are the same");
        assert_eq!(rows.iter().map(|row| row.sums.calls).sum::<u64>(), calls.len() as u64);
    }
}

#[test]
fn a_clock_that_is_set_back_opens_no_budget_again() {
    let folder = tempfile::tempdir().unwrap();
    let hand = Hand::at(20_000);
    let mut book = open(&folder.path().join("ledger.db"), &hand);
    let limits = [limit(0, Period::Day, 100)];
    let mut reserve =
        |amount| book.transact(|pages| pages.reserve("p", &entry(0), &limits, wish(amount, amount), false)).unwrap().0;
    assert!(reserve(100).is_ok());
    hand.set(19_999);
    assert!(reserve(1).is_err(), "yesterday is no way around today");
    hand.set(20_001);
    assert!(reserve(100).is_ok(), "tomorrow is another day");
}

#[test]
fn a_call_counts_in_the_month_in_which_it_began() {
    let folder = tempfile::tempdir().unwrap();
    // 30 November and 1 December 2026.
    let (november, december) = (20_787, 20_788);
    let hand = Hand::at(november);
    let mut book = open(&folder.path().join("ledger.db"), &hand);
    let limits = [limit(0, Period::Month, 100)];
    let reserve = |book: &mut SqliteStore| {
        book.transact(|pages| pages.reserve("p", &entry(0), &limits, wish(80, 80), false)).unwrap().0
    };
    let (id, _) = reserve(&mut book).unwrap();
    assert!(reserve(&mut book).is_err());
    hand.set(december);
    let (second, _) = reserve(&mut book).unwrap();
    for id in [id, second] {
        book.transact(|pages| pages.settle(&ending(id, Outcome::Settled(Usage::default(), Some(NanoDollars(70))))))
            .unwrap();
    }
    let rows = book.report(By::Day, 0).unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.sums.settled.0)).collect();
    assert_eq!(rows, [("2026-11-30", 70), ("2026-12-01", 70)]);
}

#[tokio::test]
async fn c9_a_call_waits_for_running_ones_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(folder.path().join("ledger.db"), Clock::system());
    let limits = vec![limit(0, Period::Day, 100)];
    let reserve = |full, least, patience| ledger.reserve(entry(0), limits.clone(), wish(full, least), patience);
    let mut first = reserve(90, 90, Duration::ZERO).await.unwrap().reservation;
    first.sent();
    // The money comes back while the second one waits.
    let (second, ()) = tokio::join!(reserve(80, 80, Duration::from_secs(20)), async {
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
    let status = ledger.statuses(limits.clone()).remove(0);
    let booked = BudgetTotals { settled: NanoDollars(10), reserved: NanoDollars(0), uncertain: NanoDollars(80) };
    assert_eq!(status.totals, booked);
    // Nobody waits any more: what was asked for is not reserved.
    let _ = tokio::time::timeout(Duration::from_millis(50), reserve(20, 20, Duration::from_secs(1))).await;
    assert_eq!(ledger.statuses(limits.clone()).remove(0).totals, booked);
}
