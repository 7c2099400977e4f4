//! Groups of API keys in a fleet: their keys share one pool, whichever machine their calls reach.

use super::{Machine, at_rest, question, within_a_minute, worst};
use crate::support::postgres::Database;
use crate::support::{Answer, Bedrock, Chatrix, Reply};
use serde_json::{Value, json};

fn run(machine: &Machine, words: &[&str]) -> String {
    let command = words.iter().fold(Chatrix::command(), |command, word| command.arg(word));
    machine.run(command).run().code(0).stdout.trim().to_owned()
}

fn send(machine: &Machine, token: &str, method: &str, path: &str, body: &str) -> Answer {
    machine.server().send(method, path, &[("authorization", &format!("Bearer {token}"))], body)
}

#[test]
fn the_keys_of_a_group_share_its_pool_on_all_machines() {
    const CALLS: usize = 120;
    const FIT: usize = 30;
    let Some(database) = Database::new() else { return };
    // Each call reserves its worst case, and costs a little less: 500 tokens in and 480 out.
    let cost = 500 * 35 + 480 * 140;
    let pool = (FIT - 1) * cost + worst(2, 480);
    let config = "[budget]\nwait_seconds = 60\n[serve]\nrequire_key = true\n";
    let bedrock = Bedrock::script([Reply::Measured(500, 480)]);
    let machines = [0, 1].map(|_| Machine::start(config, &database.url(), &bedrock));
    run(&machines[0], &["groups", "add", "research", "--day-usd", &format!("0.{pool:09}")]);
    let tokens = [
        run(&machines[0], &["keys", "add", "ana", "--group", "research"]),
        run(&machines[1], &["keys", "add", "ben", "--group", "research"]),
    ];
    for machine in &machines {
        within_a_minute("the servers know both keys", || {
            tokens.iter().all(|token| send(machine, token, "GET", "/v1/models", "").status == 200)
        });
    }
    let body = question("hi", &json!({"max_tokens": 480})).to_string();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let call = |n: usize| send(&machines[n % 2], &tokens[n / 2 % 2], "POST", "/v1/chat/completions", &body);
        let calls: Vec<_> = (0..CALLS).map(|n| scope.spawn(move || call(n))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((served, bedrock.calls().len()), (FIT, FIT));
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.error(), (402, "insufficient_quota".into(), "insufficient_quota".into()));
        assert!(refused.body.contains("day budget of group research"), "{}", refused.body);
    }
    let spent = i64::try_from(FIT * cost).unwrap();
    assert_eq!(at_rest(&database), (spent, 0, 0));
    assert_eq!(database.number("SELECT SUM(settled + reserved + uncertain) FROM booked WHERE kind = 2"), spent);
    let by_group = run(&machines[1], &["usage", "--by", "group", "--csv"]);
    assert!(by_group.contains("\nresearch,30,"), "{by_group}");
    let audit: Value = serde_json::from_str(&run(&machines[0], &["ledger", "audit", "--json"])).unwrap();
    let changes: Vec<_> = audit.as_array().unwrap().iter().map(|entry| (&entry["action"], &entry["subject"])).collect();
    let [added, key_added] = [json!("group.added"), json!("key.added")];
    let names = ["research", "ana", "ben"].map(|name| json!(name));
    assert_eq!(changes, [(&added, &names[0]), (&key_added, &names[1]), (&key_added, &names[2])]);
}
