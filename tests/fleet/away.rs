//! While the database is away, calls under a budget are refused at once, and what ends is kept until it is back.

use super::{Machine, at_rest, day, question, within_a_minute, worst};
use crate::support::postgres::{Cluster, Database, Options};
use crate::support::{Bedrock, Chatrix, Fault, Proxy, Reply};
use chatrix::ledger::key::{Addition, KeyLimits, NewKey, Rotation};
use chatrix::ledger::{self, Address, Clock, Location};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out.
const COST: i64 = 10 * 35 + 5 * 140;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A machine whose call has been sent to Bedrock, which holds the answer back.
fn with_call_under_way(
    database: &Database<'_>,
    url: &str,
    bedrock: &Bedrock,
) -> (Machine, std::thread::JoinHandle<u16>) {
    bedrock.hold();
    let machine = Machine::start(&day(1_000_000, 0.2), url, bedrock);
    let server = machine.server();
    let call = std::thread::spawn(move || server.chat(&question("hi", &json!({}))).status);
    within_a_minute("the call is under way", || bedrock.calls().len() == 1 && database.booked().1 > 0);
    (machine, call)
}

/// The reasons that `/readyz` gives, besides its status.
fn readiness(machine: &Machine) -> (u16, Value) {
    let answer = machine.server().get("/readyz");
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::String(answer.body)))
}

#[test]
fn calls_are_refused_at_once_and_told_when_to_come_again() {
    let Some(cluster) = Cluster::new(Options::default()) else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start(&day(1_000_000, 30.0), &database.url(), &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    assert_eq!((readiness(&machine).0, at_rest(&database)), (200, (COST, 0, 0)));
    cluster.stop_immediate();
    for _ in 0..3 {
        let began = Instant::now();
        let refused = machine.chat(&question("hi", &json!({})));
        assert_eq!(refused.error(), (503, "server_error".into(), "ledger_unavailable".into()));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let seconds: u64 = refused.headers["retry-after"].parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    within_a_minute("it is not ready", || readiness(&machine).0 == 503);
    assert!(readiness(&machine).1.to_string().contains("ledger"), "{:?}", readiness(&machine));
    let ask = machine.run(Chatrix::ask()).args(["-m", "nova-micro", "hi"]).run();
    assert_eq!((ask.code, ask.stdout.as_str()), (Some(1), ""), "{ask:?}");
    assert!(ask.stderr.contains("a budget is set, so no call is made"), "{ask:?}");
    assert_eq!(bedrock.calls().len(), 1, "what cannot be booked is not sent");
    cluster.start();
    within_a_minute("it is ready again", || readiness(&machine).0 == 200);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    assert_eq!(at_rest(&database), (2 * COST, 0, 0));
}

#[test]
fn what_ends_meanwhile_is_booked_when_the_database_is_back() {
    let Some(cluster) = Cluster::new(Options::default()) else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (_machine, call) = with_call_under_way(&database, &database.url(), &bedrock);
    cluster.stop_immediate();
    bedrock.go_on();
    assert_eq!(call.join().unwrap(), 200, "an answer is not held up by the ledger");
    cluster.start();
    assert_eq!(at_rest(&database), (COST, 0, 0));
    let ends = "SELECT COUNT(*) FROM calls WHERE state = 1";
    assert_eq!(database.number(ends), 1);
}

#[test]
fn what_has_ended_survives_the_end_of_its_process() {
    let Some(cluster) = Cluster::new(Options::default()) else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (machine, call) = with_call_under_way(&database, &database.url(), &bedrock);
    cluster.stop_immediate();
    bedrock.go_on();
    assert_eq!(call.join().unwrap(), 200);
    let state = machine.home.path(".local/state/chatrix");
    within_a_minute("the end is in a file", || files(&state).iter().any(|file| file.metadata().unwrap().len() > 0));
    for file in files(&state) {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{} may be read by others", file.display());
    }
    machine.kill();
    cluster.start();
    assert_eq!(database.booked().0, 0);
    machine.restart();
    within_a_minute("it is booked", || database.booked() == (COST, 0, 0));
    // A process that is started once more finds nothing left to book.
    machine.kill();
    machine.restart();
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    assert_eq!(at_rest(&database), (2 * COST, 0, 0));
    assert_eq!(database.number("SELECT COUNT(*) FROM calls"), 2);
}

#[test]
fn calls_without_a_budget_go_on_and_are_booked_later() {
    let Some(cluster) = Cluster::new(Options::default()) else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start("", &database.url(), &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    cluster.stop_immediate();
    for _ in 0..3 {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    }
    cluster.start();
    within_a_minute("all are booked", || database.booked() == (4 * COST, 0, 0));
    assert_eq!(database.number("SELECT COUNT(*) FROM calls"), 4);
}

#[test]
fn a_call_whose_commit_was_cut_is_served_and_booked_once() {
    let Some(cluster) = Cluster::shared() else { return };
    for fault in [Fault::LoseAnswerToCommit, Fault::LoseCommit] {
        let database = cluster.database();
        let proxy = Proxy::to(cluster.port());
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let machine = Machine::start(&day(1_000_000, 0.2), &database.url_at(proxy.port()), &bedrock);
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
        at_rest(&database);
        let (mut served, mut tries) = (1, 0);
        // On a machine that is too busy to connect again in time, the call is refused and nothing is booked for it.
        while served == 1 && tries < 5 {
            tries += 1;
            proxy.lose_one(fault);
            let answer = machine.chat(&question("hi", &json!({})));
            assert!([200, 503].contains(&answer.status), "{fault:?}: {}", answer.body);
            served += i64::from(answer.status == 200);
            assert_eq!((at_rest(&database), proxy.lost()), ((served * COST, 0, 0), tries), "{fault:?}");
            let settled = database.number("SELECT COUNT(*) FROM calls WHERE state = 1");
            let asked = i64::try_from(bedrock.calls().len()).unwrap();
            assert_eq!((asked, settled), (served, served), "{fault:?}");
        }
        assert_eq!(served, 2, "{fault:?}: {tries} calls were refused");
    }
}

#[test]
fn what_has_ended_survives_although_a_commit_is_in_doubt() {
    let Some(cluster) = Cluster::new(Options::default()) else { return };
    let database = cluster.database();
    let proxy = Proxy::to(cluster.port());
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (machine, call) = with_call_under_way(&database, &database.url_at(proxy.port()), &bedrock);
    let before = database.booked().1;
    proxy.set(Fault::LoseAnswerToCommit);
    let doubtful = machine.server();
    let doubtful = std::thread::spawn(move || doubtful.chat(&question("hi", &json!({}))).status);
    within_a_minute("a commit is in doubt", || database.booked().1 > before);
    proxy.set(Fault::Refuse);
    assert_eq!(doubtful.join().unwrap(), 503);
    bedrock.go_on();
    assert_eq!(call.join().unwrap(), 200);
    let state = machine.home.path(".local/state/chatrix");
    within_a_minute("the end is in a file", || files(&state).iter().any(|file| file.metadata().unwrap().len() > 0));
    machine.kill();
    proxy.set(Fault::None);
    machine.restart();
    within_a_minute("it is booked", || database.booked().0 == COST);
}

#[test]
fn a_process_that_serves_nothing_gives_back_what_was_in_doubt() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    let proxy = Proxy::to(cluster.port());
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start(&day(1_000_000, 0.2), &database.url_at(proxy.port()), &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    let before = database.booked().1;
    proxy.set(Fault::LoseAnswerToCommit);
    let doubtful = machine.server();
    let doubtful = std::thread::spawn(move || doubtful.chat(&question("hi", &json!({}))).status);
    within_a_minute("a commit is in doubt", || database.booked().1 > before);
    proxy.set(Fault::Refuse);
    assert_eq!(doubtful.join().unwrap(), 503);
    proxy.set(Fault::None);
    within_a_minute("it is given back", || database.booked() == (COST, 0, 0));
}

#[test]
fn a_change_whose_commit_was_cut_is_made_or_not_as_is_said() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    let proxy = Proxy::to(cluster.port());
    let address = Address::parse(&database.url_at(proxy.port()), None, &|_| None).unwrap();
    let location = Location::Database { address: Box::new(address), spool: None };
    let mut store = ledger::open(&location, Clock::system()).unwrap();
    let limits = KeyLimits::default();
    let added = |name| NewKey { name, hash: name, limits: &limits, expires: None, group: None };
    let rotation = |hash: &str| Rotation { hash: hash.to_owned(), previous_until: None, expires: None };
    let hashes = || database.sql("SELECT hash FROM keys").remove(0);
    proxy.lose_one(Fault::LoseCommit);
    store.add_key(&added("lost")).unwrap_err();
    proxy.lose_one(Fault::LoseAnswerToCommit);
    assert_eq!(store.add_key(&added("laptop")), Ok(Addition::Added));
    assert_eq!(database.number("SELECT COUNT(*) FROM keys"), 1);
    proxy.lose_one(Fault::LoseCommit);
    store.rotate_key("laptop", &rotation("never")).unwrap_err();
    assert_eq!(hashes(), [Some("laptop".to_owned())]);
    proxy.lose_one(Fault::LoseAnswerToCommit);
    assert_eq!(store.rotate_key("laptop", &rotation("second")), Ok(true));
    assert_eq!((hashes(), proxy.lost()), (vec![Some("second".to_owned())], 4));
}

#[test]
fn an_end_that_is_kept_twice_is_booked_once() {
    let Some(cluster) = Cluster::new(Options::default()) else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start("", &database.url(), &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    cluster.stop_immediate();
    for _ in 0..3 {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    }
    let state = machine.home.path(".local/state/chatrix");
    let kept = || {
        let file = files(&state).into_iter().find(|file| file.extension().is_some_and(|name| name == "jsonl"))?;
        Some((std::fs::read_to_string(&file).ok().filter(|text| text.lines().count() == 3)?, file))
    };
    within_a_minute("the ends are in a file", || kept().is_some());
    machine.kill();
    let (text, file) = kept().unwrap();
    std::fs::write(file, format!("{text}{text}")).unwrap();
    cluster.start();
    machine.restart();
    within_a_minute("all are booked", || database.booked() == (4 * COST, 0, 0));
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    assert_eq!((at_rest(&database), database.number("SELECT COUNT(*) FROM calls")), ((5 * COST, 0, 0), 5));
}

#[test]
fn a_database_that_was_set_back_opens_no_budget_again() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start(&day(1_000_000, 0.2), &database.url(), &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    at_rest(&database);
    // As in an older copy, which knows neither the call nor the process.
    database.sql("DELETE FROM calls; DELETE FROM processes; UPDATE booked SET settled = 0;");
    for _ in 0..2 {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 503);
        // Whoever only reads declares no database to be right.
        assert_eq!(machine.server().get("/metrics").status, 200);
    }
    machine.run(Chatrix::ledger()).arg("accept").run().code(0);
    within_a_minute("it goes on", || machine.chat(&question("hi", &json!({}))).status == 200);
    // The log is written a moment later.
    let told = || machine.server().log().lines().filter(|line| line.contains("the ledger can")).count();
    within_a_minute("both is said once", || told() == 2);
}

#[test]
fn a_machine_whose_database_hangs_serves_nothing_unbooked() {
    let Some(cluster) = Cluster::shared() else { return };
    let database = cluster.database();
    let proxy = Proxy::to(cluster.port());
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start(&day(worst_of_one(), 0.2), &database.url_at(proxy.port()), &bedrock);
    proxy.set(Fault::Hang);
    let began = Instant::now();
    let refused = machine.chat(&question("hi", &json!({})));
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(bedrock.calls().len(), 0);
    proxy.set(Fault::None);
    within_a_minute("it serves again", || machine.chat(&question("hi", &json!({}))).status == 200);
    assert_eq!(at_rest(&database), (COST, 0, 0));
}

#[test]
fn calls_without_a_budget_do_not_wait_for_a_silent_database_again_and_again() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let url = format!("postgres://u@{}/d?connect_timeout=5", silent.local_addr().unwrap());
    let machine = Machine::start("", &url, &bedrock);
    let began = Instant::now();
    for _ in 0..4 {
        assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    }
    // Each would wait as long as a connection may take.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

/// Enough for one call.
fn worst_of_one() -> usize {
    worst(2, 512)
}
