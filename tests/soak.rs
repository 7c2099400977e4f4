//! Many clients at once, faults of every kind on both sides, reloads and renewed credentials, for as long as
//! `CHATRIX_SOAK_SECONDS` says (4 by default). Afterwards the ledger equals what the scripted Bedrock has counted to the
//! nano-dollar, and the server holds no more descriptors and hardly more memory than it did at the beginning.

mod clients;
mod process;
mod steady;
mod upstream;

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, SetOnDrop, eventually, signal};
use clients::{Client, Kind};
use process::Process;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use upstream::Upstream;

const CLIENTS: u64 = 200;
/// How much larger the server may be at the end than after its first third (KiB), besides a quarter of its size.
const GROWTH: u64 = 24 * 1024;

/// A config that changes with each reload, in what can change. Every fourth is broken, and changes nothing.
fn config(generation: usize) -> String {
    if generation % 4 == 3 {
        return "[budget\n".to_owned();
    }
    let day = 1000 + generation;
    format!("stream_idle_seconds = 15\n[budget]\nday_usd = {day}\nwait_seconds = 1\n[serve]\nfetch_images = false\n")
}

fn seconds() -> u64 {
    std::env::var("CHATRIX_SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(4)
}

/// What the clients saw: how often each kind of call ended with each status.
type Outcomes = BTreeMap<(Kind, u16), u64>;

/// What the server used in its first third.
struct Early {
    resident: u64,
    descriptors: usize,
}

/// Lets all clients make calls until the time is up, while the config and the credentials change.
fn run(server: &Server, home: &Home, upstream: &Upstream, poor: &str) -> (Outcomes, Early) {
    let (over, outcomes) = (AtomicBool::new(false), Mutex::new(Outcomes::new()));
    let process = Process(server.pid());
    let mut early = None;
    std::thread::scope(|scope| {
        let end = SetOnDrop(&over);
        for number in 0..CLIENTS {
            let (over, outcomes) = (&over, &outcomes);
            scope.spawn(move || {
                let mut client = Client::new(server, poor, number);
                while !over.load(Ordering::SeqCst) {
                    let outcome = client.call();
                    *outcomes.lock().unwrap().entry(outcome).or_default() += 1;
                }
            });
        }
        let (began, length) = (Instant::now(), Duration::from_secs(seconds()));
        for generation in 1.. {
            std::thread::sleep(Duration::from_millis(500));
            home.configure(&config(generation));
            signal(server.pid(), "HUP");
            upstream.renew(home);
            if early.is_none() && began.elapsed() > length / 3 {
                early = Some(Early { resident: process.resident(), descriptors: process.descriptors() });
            }
            if began.elapsed() > length {
                break;
            }
        }
        drop(end);
    });
    (outcomes.into_inner().unwrap(), early.unwrap())
}

#[test]
fn nothing_is_lost_and_nothing_leaks() {
    let home = Home::new(&config(0));
    let upstream = Arc::new(Upstream::default());
    upstream.renew(&home);
    let poor = Chatrix::keys().home(&home).args(["add", "poor", "--day-usd", "0.000001"]).run().code(0).stdout;
    let answering = Arc::clone(&upstream);
    let bedrock = Bedrock::script([Reply::Chosen(Arc::new(move |call| answering.answer(call)))]);
    let server = Server::run(Chatrix::serve().home(&home).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url));
    let process = Process(server.pid());
    let (outcomes, early) = run(&server, &home, &upstream, poor.trim());

    let (settled, reserved, _) = home.at_rest();
    let counted = upstream.counted();
    println!("outcomes by kind and status: {outcomes:?}");
    println!("Bedrock counted {counted:?}; {settled} nano-dollars are settled");
    assert_eq!((settled, reserved), (counted.cost(), 0));
    // Whoever leaves while a refusal is on its way cannot know that the call was free.
    let uncertain = home.count_uncertain();
    let possible = counted.maybe_billed..=counted.maybe_billed + counted.refused_and_left;
    assert!(possible.contains(&uncertain), "{uncertain} calls are uncertain, not {possible:?}");
    let unexpected: Vec<_> = outcomes.iter().filter(|((kind, status), _)| !kind.may_end_with(*status)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    assert!(Kind::ALL.iter().all(|kind| outcomes.keys().any(|(seen, _)| seen == kind)), "a kind is missing");

    eventually("the connections of all clients are closed", || process.descriptors() <= early.descriptors);
    let (resident, limit) = (process.resident(), early.resident + early.resident / 4 + GROWTH);
    println!(
        "{} KiB resident early, {resident} at the end; {} descriptors early, {} at the end",
        early.resident,
        early.descriptors,
        process.descriptors()
    );
    assert!(resident <= limit, "{resident} KiB is more than {limit}");
    signal(process.0, "TERM");
    assert_eq!(server.wait().0, Some(0));
}
