//! `chatrix ledger copy`: a machine's ledger moves into a database, with every row and every sum.

use super::{Machine, day, question, within_a_minute};
use crate::support::postgres::{Cluster, Database};
use crate::support::{Bedrock, Chatrix, Home, Outcome, Reply, Server};
use serde_json::json;

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out.
const COST: i64 = 10 * 35 + 5 * 140;

fn copy(home: &Home, words: &[&str]) -> Outcome {
    words.iter().fold(Chatrix::ledger().arg("copy"), |command, word| command.arg(word)).home(home).run()
}

fn run(home: &Home, words: &[&str]) -> String {
    let command = words.iter().fold(Chatrix::command(), |command, word| command.arg(word));
    command.home(home).run().code(0).stdout
}

/// What a machine has after a while: keys and groups, revoked and removed ones too, calls of both, an uncertain call.
fn used(bedrock: &Bedrock) -> (Home, String) {
    let home = Home::new(&day(1_000_000_000, 0.2));
    run(&home, &["groups", "add", "research", "--day-usd", "5", "--each-day-usd", "1"]);
    run(&home, &["groups", "add", "gone"]);
    run(&home, &["groups", "remove", "gone"]);
    let token = run(&home, &["keys", "add", "ana", "--group", "research", "--models", "nova-micro,nova-lite"]);
    run(&home, &["keys", "add", "ben", "--day-usd", "2", "--rpm", "100"]);
    run(&home, &["keys", "revoke", "ben"]);
    let token = token.trim().to_owned();
    let server = Server::run(Chatrix::serve().home(&home).bedrock(bedrock));
    let authorization = format!("Bearer {token}");
    let body = question("hi\twith \\N and\nlines", &json!({})).to_string();
    for _ in 0..3 {
        let headers = [("authorization", authorization.as_str())];
        assert_eq!(server.send("POST", "/v1/chat/completions", &headers, &body).status, 200);
    }
    home.at_rest();
    drop(server);
    Chatrix::ask().args(["-q", "-m", "nova-micro", "--no-stdin", "hi"]).home(&home).bedrock(bedrock).run().code(0);
    (home, token)
}

#[test]
fn a_copied_ledger_has_every_key_and_sum_and_goes_on() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (home, token) = used(&bedrock);
    let reports: [&[&str]; 5] = [
        &["usage", "--since", "all", "--by", "day", "--json"],
        &["usage", "--since", "all", "--by", "group", "--json"],
        &["usage", "--since", "all", "--by", "key", "--json"],
        &["keys", "list", "--json"],
        &["groups", "list", "--json"],
    ];
    let before = reports.map(|words| run(&home, words));
    let file = home.ledger();
    let copied = copy(&home, &[file.to_str().unwrap(), &database.url()]).code(0);
    for line in ["calls      4", "keys       2", "groups     2"] {
        assert!(copied.stdout.contains(line), "{}", copied.stdout);
    }
    copied.stderr_has("every row and every sum is the same in both").stderr_lacks(crate::support::postgres::PASSWORD);
    // Now the machine uses the database.
    home.configure(&format!("[ledger]\nurl = {:?}\n{}", database.url(), day(1_000_000_000, 0.2)));
    for (words, before) in reports.iter().zip(&before) {
        assert_eq!(&run(&home, words), before, "{words:?}");
    }
    assert_eq!(database.booked(), (4 * COST, 0, 0));
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let authorization = format!("Bearer {token}");
    let body = question("hi", &json!({})).to_string();
    let answer = server.send("POST", "/v1/chat/completions", &[("authorization", &authorization)], &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    run(&home, &["keys", "add", "carl", "--group", "research"]);
    within_a_minute("the call is booked", || database.booked() == (5 * COST, 0, 0));
    let last = "SELECT COUNT(*) FROM calls WHERE id > 4";
    assert_eq!(database.number(last), 1, "new calls are numbered behind those that were copied");
    run(&home, &["ledger", "check"]);
    assert!(run(&home, &["ledger", "audit"]).contains("ledger.copied"));
    // A database into another one, as when a cluster is left.
    let second = Cluster::shared().unwrap().database();
    drop(server);
    copy(&home, &[&database.url(), &second.url()]).code(0);
    assert_eq!(second.booked(), database.booked());
}

#[test]
fn nothing_is_copied_where_the_copy_would_not_be_whole() {
    let Some(database) = Database::new() else { return };
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (home, _) = used(&bedrock);
    let file = home.ledger();
    let file = file.to_str().unwrap();
    let url = database.url();
    copy(&home, &["/nowhere/ledger.db", &url]).code(1).stderr_has("there is no ledger at /nowhere/ledger.db");
    copy(&home, &[file, "/tmp/other.db"]).code(2).stderr_has("can only be copied into a PostgreSQL database");
    copy(&home, &[file]).code(2).stderr_has("can only be copied into a PostgreSQL database");
    copy(&home, &[file, "mysql://host/db"]).code(2).stderr_has("TO").stderr_has("postgres://USER@HOST:5432/DATABASE");
    // A server with a call under way still books in the file.
    bedrock.hold();
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    std::thread::scope(|scope| {
        let call = scope.spawn(|| server.chat(&question("hi", &json!({}))).status);
        within_a_minute("the call is under way", || home.booked().1 > 0);
        copy(&home, &[file, &url]).code(1).stderr_has("1 calls").stderr_has("stop the servers that use it");
        bedrock.go_on();
        assert_eq!(call.join().unwrap(), 200);
    });
    drop(server);
    assert_eq!(database.booked(), (0, 0, 0));
    // Somebody has used the database already.
    let machine = Machine::start(&day(1_000_000, 0.2), &url, &bedrock);
    assert_eq!(machine.chat(&question("hi", &json!({}))).status, 200);
    within_a_minute("it is booked", || database.booked() == (COST, 0, 0));
    copy(&home, &[file, &url]).code(1).stderr_has("there are calls in it already");
    assert_eq!(database.booked(), (COST, 0, 0));
}
