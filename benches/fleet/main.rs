//! Measures the ledger on PostgreSQL: `cargo bench --bench fleet`. It starts a server of its own, whose commits wait for
//! the disk, or uses the database of `CHATRIX_LEDGER`, whose ledger should be empty. It prints what the ledger adds to a
//! call beside SQLite, how many calls a second processes can admit, how long it takes until calls are admitted again
//! after a failure (with a server of its own only), what ten million calls change, and by simulation what a thousand
//! processes do to each other. Nothing is asserted, because machines differ.
//!
//! `cargo bench --bench fleet -- admissions` measures only one of `latency`, `admissions`, `recovery`, `volume` and
//! `simulation`.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "the benchmark prints its figures")]
#![expect(unreachable_pub, dead_code, unused_imports, reason = "what it shares with the tests is made for them")]

mod admissions;
mod latency;
mod recovery;
mod simulation;
mod volume;

/// What it shares with the tests.
#[path = "../../tests/support"]
mod support {
    pub mod postgres;
    pub mod proxy;

    use std::time::{Duration, Instant};

    #[track_caller]
    pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_true() {
            assert!(started.elapsed() < Duration::from_mins(1), "not within a minute: {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn signal(pid: u32, name: &str) {
        let status = std::process::Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
        assert!(status.unwrap().success());
    }
}

use chatrix::catalog::NanoDollars;
use chatrix::conversation::Usage;
use chatrix::ledger::budget::{BudgetLimit, CostRange, Holder, Period};
use chatrix::ledger::{Address, Clock, KeyId, Ledger, Location, NewCall, Refused, Reservation};
use chatrix::telemetry::Telemetry;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::postgres::{Cluster, Options};

/// Where a ledger is.
#[derive(Clone)]
enum Place {
    File(PathBuf),
    Url(String),
}

impl Place {
    fn location(&self) -> Location {
        match self {
            Self::File(path) => Location::File(path.clone()),
            Self::Url(url) => Location::Database {
                address: Box::new(Address::parse(url, None, &|name| std::env::var(name).ok()).unwrap()),
                spool: None,
            },
        }
    }

    fn start(&self) -> Ledger {
        Ledger::at(&self.location(), Clock::system(), Telemetry::default())
    }
}

fn new_call(key: Option<KeyId>) -> NewCall {
    NewCall {
        command: "serve",
        key,
        group: None,
        requested_model: "nova-micro".into(),
        model: "us.amazon.nova-micro-v1:0".into(),
        request_id: Some("req_0123456789abcdef0123456789abcdef".into()),
        rate: None,
    }
}

/// The budgets of a call: those of all calls, or of its key.
fn limits(key: Option<KeyId>) -> Vec<BudgetLimit> {
    let holder = key.map_or(Holder::All, |id| Holder::Key { id, name: format!("key-{}", id.0) });
    let limit = |period| BudgetLimit { holder: holder.clone(), period, amount: NanoDollars(u64::MAX / 2048) };
    vec![limit(Period::Day), limit(Period::Month)]
}

async fn reserve(ledger: &Ledger, key: Option<KeyId>) -> Result<Reservation, Refused> {
    let cost = CostRange { full: NanoDollars(90_000), minimum: NanoDollars(30_000) };
    let granted = ledger.reserve(new_call(key), limits(key), cost, Duration::ZERO).await?;
    let mut reservation = granted.reservation;
    reservation.sent();
    Ok(reservation)
}

fn settle(mut reservation: Reservation) {
    reservation.settle(Usage { input: 100, output: 50, ..Usage::default() }, Some(NanoDollars(10_500)));
}

/// Reserves and settles a call. Gives how long the reservation took.
async fn call(ledger: &Ledger, key: Option<KeyId>) -> Duration {
    let began = Instant::now();
    let reservation = reserve(ledger, key).await.unwrap();
    let took = began.elapsed();
    settle(reservation);
    took
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if arguments.first().is_some_and(|role| role == "process") {
        return admissions::run_process(&arguments[1..]);
    }
    if arguments.first().is_some_and(|role| role == "hold") {
        return recovery::hold(&arguments[1]);
    }
    let is_wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|wanted| wanted == name);
    if is_wanted("simulation") {
        simulation::print();
    }
    if arguments == ["simulation"] {
        return;
    }
    let given = std::env::var("CHATRIX_LEDGER").ok();
    let cluster = if given.is_none() { Cluster::new(Options { durable: true, ..Options::default() }) } else { None };
    let new_url = || match (&given, &cluster) {
        (Some(url), _) => url.clone(),
        (None, Some(cluster)) => cluster.database().url(),
        (None, None) => panic!("there is no PostgreSQL here: install it, or set CHATRIX_LEDGER"),
    };
    if is_wanted("latency") {
        latency::measure(&new_url());
    }
    if is_wanted("admissions") {
        admissions::measure(new_url);
    }
    if let Some(cluster) = cluster.as_ref().filter(|_| is_wanted("recovery")) {
        recovery::measure(cluster);
    }
    if let Some(cluster) = cluster.as_ref().filter(|_| is_wanted("volume")) {
        volume::measure(cluster);
    }
}
