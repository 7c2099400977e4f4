//! Tests under load. The budget is never exceeded, and after a kill no call that reached Bedrock is missing from the
//! ledger.

use super::{PATIENCE, day, question, serve, worst};
use crate::support::{Bedrock, Chatrix, Home, Reply, SetOnDrop, eventually};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Checks what is booked until `over` is set. Returns the number of checks, and the most that was booked at once.
fn watch(home: &Home, budget: i64, over: &AtomicBool) -> (u32, i64) {
    let mut checks = 0;
    let mut max_booked = 0;
    while !over.load(Ordering::SeqCst) {
        let (settled, reserved, uncertain) = home.booked();
        let booked = settled + reserved + uncertain;
        assert!(booked <= budget, "{booked} is booked of {budget}");
        checks += 1;
        max_booked = max_booked.max(booked);
    }
    (checks, max_booked)
}

#[test]
fn c8_c9_concurrent_calls_never_overshoot_and_all_that_fits_is_served() {
    const CALLS: usize = 520;
    // Each call costs 500 × 35 + 480 × 140. The budget is enough for a third of them.
    let cost = 500 * 35 + 480 * 140;
    let budget = cost * 520 / 3;
    // The wait is long enough for any machine, so that a call is refused for its cost and not because of the time.
    let home = Home::new(&day(budget).replace("wait_seconds = 0.2", "wait_seconds = 30"));
    let bedrock = Bedrock::script([Reply::Measured(500, 480)]);
    Chatrix::usage().home(&home).run().code(0); // creates the ledger
    let server = serve(&home, &bedrock).with_patience(PATIENCE);
    let (good, refused, over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let (mut checks, mut max_booked) = (0, 0);
    std::thread::scope(|scope| {
        let end = SetOnDrop(&over);
        let watcher = scope.spawn(|| watch(&home, budget, &over));
        let calls: Vec<_> = (0..CALLS)
            .map(|n| {
                let (server, home, bedrock, good, refused) = (&server, &home, &bedrock, &good, &refused);
                scope.spawn(move || {
                    let ok = if n % 26 == 0 {
                        let ask = Chatrix::ask().args(["-q", "-m", "nova-micro", "hi"]).home(home).bedrock(bedrock);
                        let ended = ask.run();
                        match ended.code {
                            Some(0) => true,
                            Some(3) => false,
                            _ => panic!("{ended:?}"),
                        }
                    } else {
                        let answer = server.chat(&question(&json!({"stream": n % 2 == 0})));
                        assert!([200, 402].contains(&answer.status), "{}", answer.body);
                        assert!(answer.status == 200 || answer.error().1 == "insufficient_quota");
                        answer.status == 200
                    };
                    if ok { good } else { refused }.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        for call in calls {
            call.join().unwrap();
        }
        drop(end);
        (checks, max_booked) = watcher.join().unwrap();
    });
    let (settled, reserved, uncertain) = home.at_rest();
    let (good, refused) = (good.into_inner(), refused.into_inner());
    println!(
        "budget {budget}, settled {settled}, most booked at once {max_booked} in {checks} checks (nano-dollars); \
         {good} served, {refused} refused"
    );
    assert_eq!((reserved, uncertain, good + refused, bedrock.calls().len()), (0, 0, CALLS, good));
    assert!(settled <= budget && max_booked <= budget && checks > 20);
    assert!(budget - settled < worst(64), "{} is left, which is enough for another call", budget - settled);
}

#[test]
fn a_killed_server_has_booked_every_call_that_reached_bedrock() {
    const KILLS: usize = 50;
    let home = Home::new(&day(1_000_000_000));
    let bedrock = Bedrock::script([Reply::Slow(vec!["a ".into(); 4], (10, 5))]);
    let mut random = fastrand::Rng::with_seed(4);
    // At most so many milliseconds pass before a kill: enough for some of the calls, however slow this machine is.
    let mut latest = 250;
    for round in 0..KILLS {
        let server = serve(&home, &bedrock);
        std::thread::scope(|scope| {
            for n in 0..12 {
                let server = &server;
                scope.spawn(move || {
                    // Every prompt has a different length, so that every call has a different worst case.
                    let prompt = "x".repeat(1 + round * 12 + n);
                    let body = json!({
                        "model": "nova-micro", "stream": n % 3 > 0, "max_tokens": 100,
                        "messages": [{"role": "user", "content": prompt}],
                    });
                    // The server may be killed before the connection is made, or while it is open.
                    let socket = server.try_open("POST", "/v1/chat/completions", &[], &body.to_string());
                    let _ = socket.and_then(|mut socket| socket.read_to_end(&mut Vec::new()));
                });
            }
            std::thread::sleep(Duration::from_millis(random.u64(0..latest)));
            std::process::Command::new("kill").args(["-9", &server.pid().to_string()]).status().unwrap();
        });
        if home.calls().iter().all(|call| call.0 != 1) {
            latest = (latest * 3 / 2).min(10_000);
        }
    }
    home.end_leases();
    // The next process that opens the ledger books the reservations of the killed servers as uncertain.
    Chatrix::usage().home(&home).run().code(0);
    let reserved: BTreeSet<i64> = home.calls().iter().map(|call| call.1).collect();
    let sent = bedrock.calls();
    let missing: Vec<_> = sent
        .iter()
        .map(|call| i64::try_from(call.body["messages"][0]["content"][0]["text"].as_str().unwrap().len()).unwrap())
        .filter(|length| !reserved.contains(&((length + 544) * 35 + 100 * 140)))
        .collect();
    let states = |state: i64| home.calls().iter().filter(|call| call.0 == state).count();
    println!(
        "{KILLS} kills: {} calls reached Bedrock, {} are booked ({} settled, {} uncertain, {} released)",
        sent.len(),
        home.calls().len(),
        states(1),
        states(3),
        states(4)
    );
    assert!(missing.is_empty(), "prompts of these lengths are missing: {missing:?}");
    assert!(sent.len() > KILLS && states(1) > 0 && states(3) > 0, "the kills came too early or too late");
    assert_eq!(states(0), 0);
    // The uncertain calls count against the budget.
    let (settled, _, uncertain) = home.booked();
    home.configure(&day(settled + uncertain + 1000));
    let refused = serve(&home, &bedrock).chat(&question(&json!({})));
    assert_eq!(refused.error().0, 402);
    eventually("nothing is left open", || home.booked().1 == 0);
}
