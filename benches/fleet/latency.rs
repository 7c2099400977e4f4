//! What a reservation adds to a call at a steady rate, on SQLite and on PostgreSQL in turns.

use super::{Place, call, runtime};
use std::time::Duration;

pub(super) const RATE: u32 = 500;

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// Lets calls begin at a steady rate. Gives how long their reservations took, shortest first.
pub(super) async fn steady(place: &Place, seconds: u32) -> Vec<Duration> {
    let ledger = place.start();
    // The first call opens the ledger.
    call(&ledger, None).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut calls = Vec::new();
    for _ in 0..RATE * seconds {
        tick.tick().await;
        let ledger = ledger.clone();
        calls.push(tokio::spawn(async move { call(&ledger, None).await }));
    }
    let mut took = Vec::new();
    for call in calls {
        took.push(call.await.unwrap());
    }
    took.sort();
    took
}

pub(super) fn print(name: &str, took: &[Duration]) {
    let [p50, p90, p99, most] = [50, 90, 99, 100].map(|percent| format!("{:.2?}", percentile(took, percent)));
    println!("| {name:<28} | {p50:>10} | {p90:>10} | {p99:>10} | {most:>10} |");
}

pub(super) fn print_head(what: &str) {
    println!("\n{what}");
    println!("| {:<28} | {:>10} | {:>10} | {:>10} | {:>10} |", "ledger", "p50", "p90", "p99", "max");
    println!("|{:-<30}|{:->12}|{:->12}|{:->12}|{:->12}|", "", ":", ":", ":", ":");
}

pub(super) fn measure(url: &str) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let places = [("SQLite", Place::File(folder.path().join("ledger.db"))), ("PostgreSQL", Place::Url(url.to_owned()))];
    print_head(&format!("What a reservation adds to a call, at {RATE} calls a second"));
    // In turns, so that a noisy machine hits both.
    for _ in 0..2 {
        for (name, place) in &places {
            print(name, &runtime().block_on(steady(place, 10)));
        }
    }
}
