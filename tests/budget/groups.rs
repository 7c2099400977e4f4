//! Groups of API keys: a budget that they share, and one that each of them has.

use super::{COST, PATIENCE, dollars, question, serve, worst};
use crate::support::{Answer, Bedrock, Chatrix, Home, Reply, Server, SetOnDrop, eventually};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

fn groups(home: &Home, args: &[&str]) -> String {
    args.iter().fold(Chatrix::command().arg("groups"), |command, arg| command.arg(arg)).home(home).run().code(0).stdout
}

fn keys(home: &Home, args: &[&str]) -> String {
    let command = args.iter().fold(Chatrix::keys(), |command, arg| command.arg(arg));
    command.home(home).run().code(0).stdout.trim().to_owned()
}

fn chat(server: &Server, token: &str, body: &Value) -> Answer {
    server.send("POST", "/v1/chat/completions", &[("authorization", &format!("Bearer {token}"))], &body.to_string())
}

#[test]
fn the_keys_of_a_group_never_overshoot_its_pool_and_all_that_fits_is_served() {
    const CALLS: usize = 120;
    const FIT: i64 = 30;
    // Each call reserves its worst case, and costs a little less: 500 tokens in and 480 out.
    let cost = 500 * 35 + 480 * 140;
    let pool = (FIT - 1) * cost + worst(480);
    let home = Home::new("[budget]\nwait_seconds = 60\n[serve]\nrequire_key = true\n");
    let bedrock = Bedrock::script([Reply::Measured(500, 480)]);
    groups(&home, &["add", "research", "--day-usd", &dollars(pool)]);
    let tokens = ["ana", "ben"].map(|name| keys(&home, &["add", name, "--group", "research"]));
    let server = serve(&home, &bedrock).with_patience(PATIENCE);
    let over = AtomicBool::new(false);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let end = SetOnDrop(&over);
        let watcher = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let booked = home.booked_by_groups();
                assert!(booked <= pool, "{booked} is booked of {pool}");
            }
        });
        let call =
            |n: usize| chat(&server, &tokens[n % 2], &question(&json!({"max_tokens": 480, "stream": n % 4 < 2})));
        let calls: Vec<_> = (0..CALLS).map(|n| scope.spawn(move || call(n))).collect();
        let answers = calls.into_iter().map(|call| call.join().unwrap()).collect();
        drop(end);
        watcher.join().unwrap();
        answers
    });
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((good, bedrock.calls().len()), (30, 30));
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.error(), (402, "insufficient_quota".into(), "insufficient_quota".into()));
        assert!(refused.body.contains("day budget of group research"), "{}", refused.body);
    }
    assert_eq!(home.at_rest(), (FIT * cost, 0, 0));
    let by_group = Chatrix::usage().args(["--by", "group", "--csv"]).home(&home).run().code(0).stdout;
    assert!(by_group.contains(&format!("\nresearch,30,{},", dollars(FIT * cost).trim_end_matches('0'))), "{by_group}");
    let listed: Value = serde_json::from_str(&groups(&home, &["list", "--json"])).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["keys"]), (&json!("research"), &json!(["ana", "ben"])));
    assert_eq!(listed[0]["day_left_usd"], json!(dollars(pool - FIT * cost).parse::<f64>().unwrap()));
}

#[test]
fn a_running_server_follows_the_limits_of_a_group_and_the_moves_of_its_keys() {
    let (home, bedrock) = (Home::new("[serve]\nrequire_key = true\n"), Bedrock::script([Reply::text("ok")]));
    let small = dollars(worst(64) - 1);
    groups(&home, &["add", "research", "--each-day-usd", &small]);
    let ana = keys(&home, &["add", "ana", "--group", "research"]);
    let own = keys(&home, &["add", "own", "--group", "research", "--day-usd", "1"]);
    let server = serve(&home, &bedrock);
    let body = question(&json!({}));
    let refused = chat(&server, &ana, &body);
    assert!(refused.status == 402 && refused.body.contains("day budget of key ana"), "{}", refused.body);
    assert_eq!(chat(&server, &own, &body).status, 200, "its own limit wins");
    // Taken away, and set for all of them together. The pool holds what `own` has spent.
    groups(&home, &["set", "research", "--each-day-usd", "none", "--day-usd", &dollars(COST + worst(64) - 1)]);
    eventually("the server knows", || chat(&server, &ana, &body).body.contains("day budget of group research"));
    assert!(chat(&server, &own, &body).body.contains("day budget of group research"), "its own limit is no way around");
    keys(&home, &["move", "ana", "--no-group"]);
    eventually("the server knows", || chat(&server, &ana, &body).status == 200);
    keys(&home, &["move", "ana", "--group", "research"]);
    eventually("the server knows", || chat(&server, &ana, &body).status == 402);
    home.at_rest();
    let metrics = server.send("GET", "/metrics", &[("authorization", &format!("Bearer {own}"))], "").body;
    let settled = "chatrix_budget_booked_dollars{budget=\"day\",group=\"research\",state=\"settled\"} 0.00000105\n";
    assert!(metrics.contains(settled), "{metrics}");
    drop(server);
    let said = serve(&home, &bedrock).stop();
    assert!(said.contains(" left of the day budget of group research of $0.00"), "{said}");
    let audit = Chatrix::command().args(["ledger", "audit", "--json"]).home(&home).run().code(0).stdout;
    let audit: Value = serde_json::from_str(&audit).unwrap();
    let actions: Vec<_> = audit.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["group.added", "key.added", "key.added", "group.changed", "key.moved", "key.moved"]);
    assert!(!audit.to_string().contains("sk-chatrix"));
}
