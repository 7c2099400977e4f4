//! API keys of `serve`. A token is shown once and stored as a hash, and each key has its own budgets and models.

use super::{COST, day, dollars, question, serve, worst};
use crate::support::{Answer, Bedrock, Chatrix, Home, Reply, Server, eventually};
use serde_json::{Value, json};

fn add(home: &Home, args: &[&str]) -> String {
    let command = args.iter().fold(Chatrix::keys().arg("add"), |command, arg| command.arg(arg));
    let outcome = command.home(home).run().code(0).stderr_has("shown this once");
    outcome.stdout.trim().to_owned()
}

fn chat(server: &Server, header: (&str, &str), body: &Value) -> Answer {
    server.send("POST", "/v1/chat/completions", &[header], &body.to_string())
}

#[test]
fn a_key_is_required_where_the_operator_says_so() {
    let (home, bedrock) = (Home::new("[serve]\nrequire_key = true"), Bedrock::script([Reply::text("ok")]));
    let token = add(&home, &["laptop"]);
    assert!(token.starts_with("sk-chatrix-") && token.len() == 75);
    let stored = std::fs::read(home.ledger()).unwrap();
    assert!(!String::from_utf8_lossy(&stored).contains(&token[11..]), "the token itself is not stored");
    let server = serve(&home, &bedrock);
    let body = question(&json!({}));
    let bearer = format!("Bearer {token}");
    assert_eq!(chat(&server, ("authorization", &bearer), &body).status, 200);
    assert_eq!(chat(&server, ("x-api-key", &token), &body).status, 200);
    let invalid = (401, "invalid_request_error".to_owned(), "invalid_api_key".to_owned());
    for wrong in ["Bearer anything", "Bearer sk-chatrix-00", "", &format!("{bearer}0")] {
        assert_eq!(chat(&server, ("authorization", wrong), &body).error(), invalid, "{wrong}");
        assert_eq!(server.send("GET", "/v1/models", &[("authorization", wrong)], "").error(), invalid, "{wrong}");
    }
    assert_eq!((server.get("/healthz").status, server.get("/").status), (200, 200), "these routes need no key");
    assert_eq!(server.send("OPTIONS", "/v1/models", &[("origin", "http://localhost:1")], "").status, 204);

    Chatrix::keys().args(["revoke", "laptop"]).home(&home).run().code(0);
    eventually("the running server refuses the revoked key", || {
        chat(&server, ("authorization", &bearer), &body).status == 401
    });
    Chatrix::keys().args(["revoke", "laptop"]).home(&home).run().code(2).stderr_has("no key \"laptop\" to revoke");
    let list = Chatrix::keys().arg("list").home(&home).run().code(0).stdout;
    assert!(list.contains("laptop") && list.contains("revoked") && !list.contains("sk-chatrix"), "{list}");
}

#[test]
fn c8_each_key_has_its_own_budget_within_the_common_one() {
    let (home, bedrock) = (Home::new(&day(10 * worst(512))), Bedrock::script([Reply::text("ok")]));
    let small = add(&home, &["small", "--day-usd", &dollars(worst(512) + COST)]);
    let large = add(&home, &["large", "--models", "nova-micro,titan-embed"]);
    let server = serve(&home, &bedrock);
    let body = question(&json!({"max_tokens": 512}));
    let with = |token: &str, body: &Value| chat(&server, ("authorization", &format!("Bearer {token}")), body);
    assert_eq!((with(&small, &body).status, with(&small, &body).status), (200, 200));
    eventually("both are settled", || home.booked().0 == 2 * COST);
    // After two answers, the budget allows only a shorter third one.
    let third = with(&small, &body);
    assert!(third.headers["x-chatrix-policy"].contains("max_tokens 512->504 (budget)"), "{:?}", third.headers);
    let long = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "x".repeat(2300)}]});
    let refused = with(&small, &long);
    assert_eq!(refused.error().0, 402);
    assert!(refused.body.contains("day budget of key small"), "{}", refused.body);
    // Other keys, and calls without a key, may spend what is left of the common budget.
    assert_eq!((with(&large, &body).status, server.chat(&long).status), (200, 200));
    // A token that Chatrix did not make, such as Jan's, is ignored. A misspelt token that looks like one of Chatrix's
    // is refused.
    assert_eq!((with("anything", &body).status, with("sk-chatrix-00", &body).status), (200, 401));
    // The key allows its models under any of their ids.
    let other_model = with(&large, &question(&json!({"model": "claude-haiku"})));
    assert_eq!(other_model.error(), (403, "permission_error".into(), "model_not_allowed".into()));
    assert_eq!(with(&large, &question(&json!({"model": "amazon.nova-micro-v1:0"}))).status, 200);
    let models = server.send("GET", "/v1/models", &[("authorization", &format!("Bearer {large}"))], "").json();
    assert_eq!(models["data"].as_array().unwrap().len(), 2);

    home.at_rest();
    let by_key = Chatrix::usage().args(["--by", "key", "--csv"]).home(&home).run().stdout;
    assert!(by_key.contains("\nsmall,3,") && by_key.contains("\nlarge,2,") && by_key.contains("\n,2,"), "{by_key}");
    let listed = Chatrix::keys().args(["list", "--json"]).home(&home).run().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["day_left_usd"], json!(dollars(worst(512) - 2 * COST).parse::<f64>().unwrap()));
}

#[test]
fn a_wrong_key_command_changes_nothing() {
    let home = Home::new("");
    let keys = |args: &[&str]| args.iter().fold(Chatrix::keys(), |command, arg| command.arg(arg)).home(&home).run();
    keys(&["add", "a b"]).code(2).stderr_has("not a valid name for a key");
    keys(&["add", "x", "--day-usd", "much"]).code(2).stderr_has("not an amount of dollars");
    keys(&["add", "x", "--models", "claude-sonet-4"]).code(2).stderr_has("did you mean claude-sonnet-4?");
    keys(&["list"]).code(0).stderr_has("there are no keys");
    keys(&["add", "x"]).code(0);
    keys(&["add", "x"]).code(2).stderr_has("there is already a key \"x\"");
    keys(&["revoke", "x"]).code(0);
    keys(&["add", "x"]).code(0);
}
