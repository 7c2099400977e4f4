//! Four machines under load: the budget is never exceeded, and everything that fits is served.

use super::{Machine, Watcher, at_rest, day, question, worst};
use crate::support::postgres::Database;
use crate::support::{Bedrock, Chatrix, Reply, SetOnDrop};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One of the calls: an `ask` for every twenty-sixth, and otherwise a call of a server. Whether it was served.
fn call(machine: &Machine, n: usize) -> bool {
    loop {
        let served = if n.is_multiple_of(26) { ask(machine) } else { chat(machine, n) };
        if let Some(served) = served {
            return served;
        }
    }
}

/// `None` where it is to be tried again: the database is too slow for a machine that is busy with all of this.
fn ask(machine: &Machine) -> Option<bool> {
    let ask = machine.run(Chatrix::ask()).args(["-q", "-m", "nova-micro", "hi"]).run();
    match ask.code {
        Some(0) => Some(true),
        Some(3) => Some(false),
        Some(1) if ask.stderr.contains("no call is made without the ledger") => None,
        _ => panic!("{ask:?}"),
    }
}

fn chat(machine: &Machine, n: usize) -> Option<bool> {
    let answer = machine.chat(&question("hi", &json!({"stream": n.is_multiple_of(2)})));
    match answer.status {
        200 => Some(true),
        402 => Some(false),
        503 => None,
        _ => panic!("{} {}", answer.status, answer.body),
    }
}

/// Lets so many calls run at once on four machines, under a budget for a third of them.
pub(super) fn never_overshoots(database: &Database<'_>, url: &str, calls: usize) {
    let cost = 500 * 35 + 480 * 140;
    let budget = cost * calls / 3;
    let bedrock = Bedrock::script([Reply::Measured(500, 480)]);
    // The wait is long enough for any machine, so that a call is refused for its cost and not because of the time.
    let machines: Vec<_> = (0..4).map(|_| Machine::start(&day(budget, 60.0), url, &bedrock)).collect();
    let (served, watcher) = (AtomicUsize::new(0), Watcher::default());
    let began = std::time::Instant::now();
    let most = std::thread::scope(|scope| {
        let end = SetOnDrop(&watcher.over);
        let watching = scope.spawn(|| watcher.watch(database, budget));
        let machines = &machines;
        let started = (0..calls).map(|n| scope.spawn(move || call(&machines[n % 4], n)));
        let started: Vec<_> = started.collect();
        let good = started.into_iter().map(|call| call.join().unwrap()).filter(|good| *good).count();
        drop(end);
        served.store(good, Ordering::SeqCst);
        watching.join().unwrap()
    });
    let (checks, misses) = (watcher.checks(), watcher.misses());
    let took = began.elapsed();
    let (settled, reserved, uncertain) = at_rest(database);
    let (served, settled) = (served.into_inner(), usize::try_from(settled).unwrap());
    println!(
        "budget {budget}, settled {settled}, most booked at once {most} in {checks} checks (nano-dollars); \
         {served} of {calls} served in {took:?}"
    );
    // The last answer that fits may be shorter.
    let tokens = |sent: &crate::support::Call| {
        usize::try_from(sent.body["inferenceConfig"]["maxTokens"].as_u64().unwrap()).unwrap()
    };
    let owed: usize = bedrock.calls().iter().map(|sent| 500 * 35 + tokens(sent).min(480) * 140).sum();
    assert_eq!((reserved, uncertain, bedrock.calls().len(), settled), (0, 0, served, owed));
    assert!(settled <= budget && most <= budget && checks > 20, "{checks} checks");
    assert_eq!(misses, 0, "the database could not be asked, though it is there");
    assert!(budget - settled < worst(2, 64), "{} is left, which is enough for another call", budget - settled);
}

#[test]
fn four_machines_never_overshoot_and_all_that_fits_is_served() {
    let Some(database) = Database::new() else { return };
    never_overshoots(&database, &database.url(), 520);
}
