//! The database's server is lost for ever, and its standby takes its place.

use super::{Machine, at_rest, day, question, within_a_minute};
use crate::support::postgres::{Cluster, Database, Options, PASSWORD};
use crate::support::{Bedrock, Reply};
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out.
const COST: i64 = 10 * 35 + 5 * 140;

/// The address of both servers, of which one takes writes.
fn url(database: &Database<'_>, servers: [&Cluster; 2]) -> String {
    let [first, second] = servers.map(Cluster::port);
    let name = database.name();
    format!("postgres://{name}:{PASSWORD}@127.0.0.1:{first},127.0.0.1:{second}/{name}?target_session_attrs=read-write")
}

#[test]
fn a_standby_that_is_promoted_has_everything_that_was_committed() {
    let Some(primary) = Cluster::new(Options::default()) else { return };
    let database = primary.database();
    let standby = primary.synchronous_standby();
    let url = url(&database, [&primary, &standby]);
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let config = day(1_000_000_000, 1.0);
    let machines: Vec<_> = (0..2).map(|_| Machine::start(&config, &url, &bedrock)).collect();
    let (over, answered) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for client in 0..6 {
            let (machine, over, answered) = (&machines[client % 2], &over, &answered);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let answer = machine.chat(&question("hi", &json!({})));
                    match answer.status {
                        200 => answered.lock().unwrap().push(answer.headers["x-request-id"].clone()),
                        503 => std::thread::sleep(Duration::from_millis(50)),
                        other => panic!("{other} {}", answer.body),
                    }
                }
            });
        }
        let count = || answered.lock().unwrap().len();
        within_a_minute("calls are answered", || count() > 50);
        primary.stop_immediate();
        standby.promote();
        let before = count();
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            within_a_minute("calls are answered again", || count() > before + 50);
        }));
        over.store(true, Ordering::SeqCst);
        again.unwrap();
    });
    let copy = standby.same_database(&database);
    let (settled, reserved, uncertain) = at_rest(&copy);
    let answered = answered.into_inner().unwrap();
    let booked: Vec<_> = copy.sql("SELECT chatrix_request_id FROM calls WHERE state = 1 ORDER BY 1");
    let missing = answered.iter().filter(|id| !booked.contains(&vec![Some((*id).clone())]));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new(), "answered, but not in the ledger");
    assert_eq!((reserved, uncertain), (0, 0));
    let calls = i64::try_from(bedrock.calls().len()).unwrap();
    assert_eq!((settled, booked.len()), (calls * COST, bedrock.calls().len()));
}
