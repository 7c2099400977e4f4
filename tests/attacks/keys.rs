//! Keys whose limits many callers, over many servers, try to get beyond at once, and tokens that end.

use crate::support::{Answer, Bedrock, Chatrix, Home, Outcome, Reply, Server, eventually};
use serde_json::{Value, json};

fn add(home: &Home, args: &[&str]) -> String {
    let command = args.iter().fold(Chatrix::keys().arg("add"), |command, arg| command.arg(arg));
    command.home(home).run().code(0).stdout.trim().to_owned()
}

fn key_command(home: &Home, args: &[&str]) -> Outcome {
    args.iter().fold(Chatrix::keys(), |command, arg| command.arg(arg)).home(home).run()
}

fn serve(home: &Home, bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().home(home).bedrock(bedrock))
}

fn question() -> Value {
    json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100})
}

fn chat(server: &Server, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    server.send("POST", "/v1/chat/completions", &[("authorization", &bearer)], &body.to_string())
}

/// The answers of 40 callers at once, over three servers with one ledger.
fn crowd(servers: &[Server; 3], token: &str) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..40).map(|n| scope.spawn(move || chat(&servers[n % servers.len()], token, &question()))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn limited() -> (u16, String, String) {
    (429, "rate_limit_error".into(), "rate_limit_exceeded".into())
}

#[test]
fn requests_a_minute_hold_over_all_servers() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let token = add(&home, &["crowd", "--rpm", "10"]);
    let servers = [(); 3].map(|()| serve(&home, &bedrock));
    let answers = crowd(&servers, &token);
    assert_eq!(bedrock.calls().len(), 10);
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((good.len(), refused.len()), (10, 30));
    for answer in refused {
        assert_eq!(answer.error(), limited());
        let wait: u64 = answer.headers["retry-after"].parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    let mut left: Vec<u64> =
        good.iter().map(|answer| answer.headers["x-ratelimit-remaining-requests"].parse().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, (0..10).collect::<Vec<_>>());
    // A minute later, which the rows are told here, the key may go on; others were never concerned.
    assert_eq!(servers[0].chat(&question()).status, 200);
    home.open().execute("UPDATE calls SET at = at - 60000", []).unwrap();
    assert_eq!(chat(&servers[1], &token, &question()).status, 200);
}

#[test]
fn running_calls_hold_over_all_servers() {
    let config = "[budget]\nwait_seconds = 0.2";
    let (home, bedrock) = (Home::new(config), Bedrock::script([Reply::text("ok")]));
    let token = add(&home, &["crowd", "--max-running", "4"]);
    let servers = [(); 3].map(|()| serve(&home, &bedrock));
    bedrock.hold();
    std::thread::scope(|scope| {
        let crowd = scope.spawn(|| crowd(&servers, &token));
        eventually("all others are refused", || bedrock.calls().len() == 4);
        // Those that wait give up after 0.2 seconds, while the four are held.
        std::thread::sleep(std::time::Duration::from_secs(2));
        assert_eq!(bedrock.calls().len(), 4);
        bedrock.go_on();
        let answers = crowd.join().unwrap();
        assert!(answers.iter().filter(|answer| answer.status == 429).all(|answer| answer.error() == limited()));
        assert!(answers.iter().any(|answer| answer.status == 429));
    });
    home.at_rest();
    assert_eq!(chat(&servers[0], &token, &question()).status, 200);
}

#[test]
fn tokens_count_at_their_most_and_then_as_they_were() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    // `hi` with 100 tokens can use 646 and uses 15.
    let token = add(&home, &["tokens", "--tpm", "700"]);
    let server = serve(&home, &bedrock);
    let large = chat(
        &server,
        &token,
        &json!({"model": "nova-micro", "max_tokens": 500, "messages": [{"role": "user", "content": "hi"}]}),
    );
    assert_eq!(large.error(), (400, "invalid_request_error".into(), "refused_by_policy".into()));
    assert!(large.body.contains("this call alone can use 1046 tokens"), "{}", large.body);
    let first = chat(&server, &token, &question());
    assert_eq!(first.headers["x-ratelimit-remaining-tokens"], "54");
    home.at_rest();
    assert_eq!(chat(&server, &token, &question()).headers["x-ratelimit-remaining-tokens"], "39");
    home.at_rest();
    // A refused call of Bedrock has generated nothing and does not count.
    bedrock.answer_with(Reply::Error(400, "ValidationException", "Nope."));
    assert_eq!(chat(&server, &token, &question()).status, 400);
    home.at_rest();
    bedrock.answer_with(Reply::text("ok"));
    assert_eq!(chat(&server, &token, &question()).headers["x-ratelimit-remaining-tokens"], "24");
    home.at_rest();
    // A clock set back: calls that began in the future still count.
    home.open().execute("UPDATE calls SET at = at + 3600000, rate_tokens = 100", []).unwrap();
    let refused = chat(&server, &token, &question());
    assert_eq!(refused.error(), limited());
    let calls = bedrock.calls().len();
    assert_eq!(chat(&server, &token, &question()).status, 429);
    assert_eq!(bedrock.calls().len(), calls);
}

#[test]
fn a_rotated_key_has_two_tokens_for_a_while() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let first = add(&home, &["laptop", "--rpm", "5"]);
    let server = serve(&home, &bedrock);
    assert_eq!(chat(&server, &first, &question()).status, 200);
    let rotate = |overlap: &str| {
        let rotated = key_command(&home, &["rotate", "laptop", "--overlap", overlap]).code(0);
        (rotated.stdout.trim().to_owned(), rotated.stderr)
    };
    let status = |token: &str| chat(&server, token, &question()).status;
    let (second, _) = rotate("1h");
    eventually("the running server knows the new token", || status(&second) != 401);
    let listed = key_command(&home, &["list"]).code(0).stdout;
    assert!(listed.contains("active, its old token until 20") && listed.contains("5 calls"), "{listed}");
    // A third token ends the first one, and no more are accepted than the limits of the one key allow.
    let (third, said) = rotate("1h");
    assert!(said.contains("the token before the present one ends now"), "{said}");
    eventually("the first token has ended", || status(&first) == 401);
    let both: Vec<u16> = (0..6).flat_map(|_| [status(&second), status(&third)]).collect();
    assert!(both.iter().all(|status| [200, 429].contains(status)), "{both:?}");
    assert_eq!(bedrock.calls().len(), 5, "the two tokens share the limits of their key");
    let (fourth, _) = rotate("0");
    eventually("the third token has ended", || status(&third) == 401);
    assert_eq!((status(&second), status(&fourth)), (401, 429));
    let refused = chat(&server, &third, &question());
    assert_eq!(refused.error(), (401, "invalid_request_error".into(), "invalid_api_key".into()));
}

#[test]
fn an_expired_key_is_refused_and_says_so() {
    let (home, bedrock) = (Home::new("[serve]\nrequire_key = true"), Bedrock::script([Reply::text("ok")]));
    let token = add(&home, &["laptop", "--expires", "12h"]);
    let server = serve(&home, &bedrock);
    assert_eq!(chat(&server, &token, &question()).status, 200);
    home.open().execute("UPDATE keys SET expires = 1000", []).unwrap();
    eventually("the running server refuses the key", || chat(&server, &token, &question()).status == 401);
    let refused = chat(&server, &token, &question());
    assert_eq!(refused.error(), (401, "invalid_request_error".into(), "invalid_api_key".into()));
    assert!(refused.body.contains("the API key laptop expired on 1970-01-01 00:00:01 UTC"), "{}", refused.body);
    assert!(key_command(&home, &["list"]).stdout.contains("expired 1970-01-01 00:00:01"));
    key_command(&home, &["rotate", "laptop"]).code(2).stderr_has("add --expires with a later time");
    let token = key_command(&home, &["rotate", "laptop", "--expires", "90d"]).code(0).stdout.trim().to_owned();
    eventually("the key is accepted again", || chat(&server, &token, &question()).status == 200);
}
