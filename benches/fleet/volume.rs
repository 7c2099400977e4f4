//! What ten million calls in the ledger change.

use super::latency::{print, print_head, steady};
use super::support::postgres::{Cluster, Database};
use super::{Place, runtime};
use chatrix::ledger::budget::Holder;
use chatrix::ledger::key::{KeyLimits, NewKey};
use chatrix::ledger::report::By;
use chatrix::ledger::{self, Clock};
use std::time::{Duration, Instant};

/// Writes ten million calls of one year with SQL, and the sums that they would have left.
fn fill(database: &Database<'_>) {
    // Not in one transaction with what follows.
    database.sql("ALTER SYSTEM SET max_wal_size = '8GB'");
    database.sql("SELECT pg_reload_conf()");
    database.sql(
        "INSERT INTO calls (id, at, day, command, key, group_id, asked, model, input, output, reserved, settled, state,
                            edits, process)
         SELECT nextval('call_ids'), (today - 364 + i / 27398) * 86400000, today - 364 + i / 27398, 'serve', i % 7, 0, 'm',
                'us.model-' || i % 11, 100, 50, 90000, 10500, 1, 'max_tokens unset->512', 'p'
         FROM generate_series(0, 9999999) AS i, (SELECT floor(extract(epoch FROM now()) / 86400)::bigint) AS t (today);
         INSERT INTO totals SELECT day, command, key, model, COUNT(*), 0, SUM(input), SUM(output), 0, 0,
                                   SUM(settled), 0, 0
         FROM calls WHERE process = 'p' GROUP BY day, command, key, model
         ON CONFLICT DO NOTHING;
         INSERT INTO booked SELECT 0, 0, day, SUM(settled), 0, 0 FROM calls WHERE process = 'p' GROUP BY day
         ON CONFLICT DO NOTHING;",
    );
    database.sql("VACUUM ANALYZE");
}

/// How long a command of the terminal reads.
fn print_reading(place: &Place) {
    let mut store = ledger::open(&place.location(), Clock::system()).unwrap();
    let reading = |name: &str, read: &mut dyn FnMut() -> u64| {
        let began = Instant::now();
        let count = read();
        let took: Duration = began.elapsed();
        println!("{name}: {took:.2?} ({count})");
    };
    for by in [By::Day, By::Model, By::Key, By::Group] {
        reading(&format!("chatrix usage, by {by:?}"), &mut || {
            store.report(by, 0).unwrap().iter().map(|row| row.sums.calls).sum()
        });
    }
    reading("chatrix keys list", &mut || {
        let keys = store.keys().unwrap();
        for key in &keys {
            store.spent(&Holder::Key { id: key.id, name: key.name.clone() }).unwrap();
        }
        keys.len() as u64
    });
}

/// How long a transaction takes that deletes the oldest calls.
fn print_forgetting(place: &Place) {
    const TRANSACTIONS: u32 = 200;
    let mut store = ledger::open(&place.location(), Clock::system()).unwrap();
    let began = Instant::now();
    for _ in 0..TRANSACTIONS {
        store.forget_calls(90).unwrap();
    }
    println!("keep_days: {:.2?} for each thousand calls", began.elapsed() / TRANSACTIONS);
}

pub(super) fn measure(cluster: &Cluster) {
    let database = cluster.database();
    let place = Place::Url(database.url());
    print_head("With an empty ledger");
    print("PostgreSQL", &runtime().block_on(steady(&place, 5)));
    let mut store = ledger::open(&place.location(), Clock::system()).unwrap();
    for n in 0..7 {
        let (name, hash, limits) = (format!("key-{n}"), format!("hash-{n}"), KeyLimits::default());
        store.add_key(&NewKey { name: &name, hash: &hash, limits: &limits, expires: None, group: None }).unwrap();
    }
    drop(store);
    print_reading(&place);
    let began = Instant::now();
    fill(&database);
    let bytes = database.number("SELECT pg_total_relation_size('calls')");
    println!("\nten million calls written in {:.0?}; the table has {} MB", began.elapsed(), bytes >> 20);
    print_head("With ten million calls");
    print("PostgreSQL", &runtime().block_on(steady(&place, 5)));
    print_reading(&place);
    print_forgetting(&place);
}
