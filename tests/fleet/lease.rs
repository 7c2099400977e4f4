//! A process that has ended, or hangs, is noticed by its lease: what it has reserved is uncertain once that has run out.

use super::{Machine, at_rest, day, question, within_a_minute};
use crate::support::postgres::Database;
use crate::support::{Bedrock, Reply, signal};
use serde_json::json;

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out.
const COST: i64 = 10 * 35 + 5 * 140;
/// What `hi` with an answer of 512 tokens reserves on nova-micro.
const WORST: i64 = (2 + 544) * 35 + 512 * 140;

/// A machine with a call under way, and another one.
fn two_machines(
    database: &Database<'_>,
    bedrock: &Bedrock,
) -> (Machine, std::thread::JoinHandle<Option<u16>>, Machine) {
    bedrock.hold();
    let config = day(1_000_000, 0.2);
    let one = Machine::start(&config, &database.url(), bedrock);
    let server = one.server();
    let call = std::thread::spawn(move || {
        let body = question("hi", &json!({})).to_string();
        server.try_send("POST", "/v1/chat/completions", &[], &body).ok().map(|answer| answer.status)
    });
    within_a_minute("the call is under way", || bedrock.calls().len() == 1 && database.booked() == (0, WORST, 0));
    (one, call, Machine::start(&config, &database.url(), bedrock))
}

#[test]
fn what_a_killed_process_has_reserved_becomes_uncertain_and_no_sooner() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (one, call, other) = two_machines(&database, &bedrock);
    let lease = "SELECT MIN(lease_until - extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM processes";
    let left = database.number(lease);
    assert!((10_000..=30_000).contains(&left), "the lease ends in {left} ms");
    one.kill();
    assert_eq!(call.join().unwrap(), None);
    bedrock.go_on();
    assert_eq!(other.chat(&question("hi", &json!({}))).status, 200);
    within_a_minute("the other's call has its end", || database.booked() == (COST, WORST, 0));
    database.end_leases();
    within_a_minute("it is uncertain", || database.booked() == (COST, 0, WORST));
    assert_eq!(database.number("SELECT COUNT(*) FROM calls WHERE state = 3"), 1);
}

#[test]
fn the_truth_replaces_what_is_uncertain_when_a_process_goes_on() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (one, call, _other) = two_machines(&database, &bedrock);
    signal(one.server().pid(), "STOP");
    database.end_leases();
    within_a_minute("it is uncertain", || database.booked() == (0, 0, WORST));
    signal(one.server().pid(), "CONT");
    bedrock.go_on();
    assert_eq!(call.join().unwrap(), Some(200));
    within_a_minute("the truth is booked", || database.booked() == (COST, 0, 0));
    // It is a member of the fleet again.
    assert_eq!(one.chat(&question("hi", &json!({}))).status, 200);
    assert_eq!(at_rest(&database), (2 * COST, 0, 0));
    assert_eq!(database.number("SELECT COUNT(*) FROM calls WHERE state = 3"), 0);
}

#[test]
fn a_process_that_is_asked_to_end_leaves_nothing_open() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let machine = Machine::start(&day(1_000_000, 0.2), &database.url(), &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    let server = machine.server();
    signal(server.pid(), "TERM");
    within_a_minute("it has ended", || server.try_send("GET", "/healthz", &[], "").is_err());
    assert_eq!(at_rest(&database), (COST, 0, 0));
}
