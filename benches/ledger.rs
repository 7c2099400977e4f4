//! Measures the ledger; run it with `cargo bench --bench ledger`. It prints the latency that the ledger adds to a call
//! at 500 calls a second, the throughput of a burst, and the time of a report over ten million calls. Nothing is
//! asserted, because machines differ.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "the benchmark prints its figures")]

use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::budget::{BudgetLimit, CostRange, Holder, Period};
use chatrix::ledger::report::By;
use chatrix::ledger::{self, Clock, Ledger, Location, NewCall};
use chatrix::telemetry::Telemetry;
use std::path::Path;
use std::time::{Duration, Instant};

fn new_call() -> NewCall {
    NewCall {
        command: "serve",
        key: None,
        group: None,
        requested_model: "nova-micro".into(),
        model: "us.amazon.nova-micro-v1:0".into(),
        request_id: Some("req_0123456789abcdef0123456789abcdef".into()),
        rate: None,
    }
}

fn limits() -> Vec<BudgetLimit> {
    let limit = |period| BudgetLimit { holder: Holder::All, period, amount: NanoDollars(u64::MAX / 2048) };
    vec![limit(Period::Day), limit(Period::Month)]
}

/// Reserves and settles a call. Returns how long the reservation took.
async fn call(ledger: &Ledger) -> Duration {
    let cost = CostRange { full: NanoDollars(90_000), minimum: NanoDollars(30_000) };
    let began = Instant::now();
    let granted = ledger.reserve(new_call(), limits(), cost, Duration::ZERO).await.unwrap();
    let took = began.elapsed();
    let mut reservation = granted.reservation;
    reservation.sent();
    reservation.settle(Usage { input: 100, output: 50, ..Usage::default() }, Some(NanoDollars(10_500)));
    took
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

async fn steady(path: &Path, seconds: u32) {
    const RATE: u32 = 500;
    let ledger = Ledger::at(&Location::File(path.to_owned()), Clock::system(), Telemetry::default());
    // The first call opens the ledger.
    call(&ledger).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut calls = Vec::new();
    for _ in 0..RATE * seconds {
        tick.tick().await;
        let ledger = ledger.clone();
        calls.push(tokio::spawn(async move { call(&ledger).await }));
    }
    let mut took = Vec::new();
    for call in calls {
        took.push(call.await.unwrap());
    }
    took.sort();
    println!(
        "at {RATE} calls/s for {seconds} s: added p50 {:?}, p90 {:?}, p99 {:?}, max {:?}",
        percentile(&took, 50),
        percentile(&took, 90),
        percentile(&took, 99),
        percentile(&took, 100)
    );
}

async fn burst(path: &Path) {
    const CALLS: u32 = 5000;
    let ledger = Ledger::at(&Location::File(path.to_owned()), Clock::system(), Telemetry::default());
    call(&ledger).await;
    let began = Instant::now();
    futures_util::future::join_all((0..CALLS).map(|_| call(&ledger))).await;
    ledger.close();
    println!(
        "{CALLS} calls at once: {:.0} reserved and settled per second",
        f64::from(CALLS) / began.elapsed().as_secs_f64()
    );
}

/// Writes ten million calls of one year with SQL, and the totals that they would have left.
fn fill(path: &Path) {
    drop(ledger::open(&Location::File(path.to_owned()), Clock::system()).unwrap());
    let today = Clock::system().today();
    let sql = format!(
        "PRAGMA synchronous = OFF; BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999999)
         INSERT INTO calls (at, day, command, key, asked, model, input, output, reserved, settled, state, edits, process)
         SELECT ({today} - i % 365) * 86400000, {today} - i % 365, 'serve', i % 7, 'm', 'us.model-' || i % 11, 100, 50,
                90000, 10500, 1, 'max_tokens unset->512', 'p' FROM n;
         INSERT INTO totals SELECT day, command, key, model, COUNT(*), SUM(input), SUM(output), 0, 0, SUM(settled), 0, 0
         FROM calls GROUP BY day, command, key, model;
         INSERT INTO booked SELECT 0, day, SUM(settled), 0, 0 FROM calls GROUP BY day;
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
    );
    rusqlite::Connection::open(path).unwrap().execute_batch(&sql).unwrap();
    // The filled file is synced first, so that this time is not measured as the ledger's.
    std::fs::File::open(path).unwrap().sync_all().unwrap();
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(steady(&folder.path().join("steady.db"), 20));
    runtime.block_on(burst(&folder.path().join("burst.db")));

    let path = folder.path().join("large.db");
    fill(&path);
    let bytes = std::fs::metadata(&path).unwrap().len();
    let began = Instant::now();
    let mut store = ledger::open(&Location::File(path.clone()), Clock::system()).unwrap();
    let rows = store.report(By::Day, 0).unwrap();
    let calls: u64 = rows.iter().map(|row| row.sums.calls).sum();
    println!("{calls} calls, {} MB: opened and summed up by day in {:?}", bytes >> 20, began.elapsed());
    drop(store);
    runtime.block_on(steady(&path, 5));
}
