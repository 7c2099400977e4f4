//! API keys of `serve`. A token is shown once and stored as a hash, and each key has its own budgets and models.

use super::{COST, day, dollars, question, serve, worst};
use crate::support::{Answer, Bedrock, Chatrix, Home, Reply, Server, eventually, signal};
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
    if Home::has_file() {
        let stored = std::fs::read(home.ledger()).unwrap();
        assert!(!String::from_utf8_lossy(&stored).contains(&token[11..]), "the token itself is not stored");
    }
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
fn what_the_operator_sets_for_a_key_holds_for_its_answers() {
    let home = Home::new(
        "[limits]\nmax_tokens = 100\nmax_tokens_limit = 200\n[models.claude-sonnet-4-6]\nmax_tokens_limit = 300\n",
    );
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let agent =
        add(&home, &["agent", "--max-tokens", "16000", "--max-tokens-limit", "32000", "--prompt-cache", "auto"]);
    let plain = add(&home, &["plain"]);
    let server = serve(&home, &bedrock);
    let header = |token: &str| format!("Bearer {token}");
    // What reaches Bedrock, and what the client is told.
    let sent = |token: &str, more: Value| {
        let mut body = question(&json!({"model": "claude-sonnet-4-6"}));
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = chat(&server, ("authorization", &header(token)), &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let sent = bedrock.calls().last().unwrap().body.clone();
        let policy = answer.headers.get("x-chatrix-policy").cloned().unwrap_or_default();
        (sent["inferenceConfig"]["maxTokens"].as_u64().unwrap(), policy, sent.to_string().contains("cachePoint"))
    };
    assert_eq!(sent(&plain, json!({})).0, 100);
    assert_eq!(sent(&plain, json!({"max_tokens": 64000})).0, 300);
    assert_eq!(sent(&agent, json!({})).0, 16_000);
    let (tokens, policy, _) = sent(&agent, json!({"max_tokens": 64000}));
    assert_eq!((tokens, policy.starts_with("max_tokens 64000->32000")), (32_000, true), "{policy}");
    assert_eq!(sent(&agent, json!({"max_tokens": 20000})).0, 20_000);
    let conversation = json!({"messages": [
        {"role": "user", "content": "word ".repeat(5000)}, {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "go on"},
    ]});
    assert!(
        sent(&agent, conversation.clone()).2 && !sent(&plain, conversation).2,
        "only one key uses the cache by itself"
    );
    let longest = |token: &str| {
        let headers = [("authorization", &*header(token))];
        let one = server.send("GET", "/v1/models/claude-sonnet-4-6", &headers, "").json();
        let all = server.send("GET", "/v1/models", &headers, "").json();
        let listed = all["data"].as_array().unwrap().iter().find(|model| model["id"] == "claude-sonnet-4-6").cloned();
        assert_eq!(listed.unwrap()["max_completion_tokens"], one["max_completion_tokens"]);
        one["max_completion_tokens"].clone()
    };
    assert_eq!((longest(&agent), longest(&plain)), (json!(32_000), json!(300)));
}

#[test]
fn what_the_config_file_says_of_a_key_wins_over_what_is_stored_with_it() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let agent =
        add(&home, &["agent", "--max-tokens", "16000", "--max-tokens-limit", "32000", "--prompt-cache", "auto"]);
    let plain = add(&home, &["plain"]);
    let server = serve(&home, &bedrock);
    let ask = |token: &str, more: Value| {
        let answer = chat(&server, ("authorization", &format!("Bearer {token}")), &question(&more));
        (answer, bedrock.calls().last().map(|call| call.body.clone()).unwrap_or_default())
    };
    let longest = || {
        ask(&agent, json!({"model": "claude-sonnet-4-6", "max_tokens": 64000})).1["inferenceConfig"]["maxTokens"]
            .clone()
    };
    assert_eq!(longest(), 32_000);
    let tables = "[keys.agent]\nmax_tokens_limit = 9000\nprompt_cache = \"off\"\nmodels = [\"claude-sonnet-4-6\"]\n\
                  [keys.plain]\nday_usd = 0\n[keys.nobody]\nmax_tokens = 5\n";
    home.configure(tables);
    signal(server.pid(), "HUP");
    eventually("the table is in force", || longest() == 9000);
    let (_, sent) = ask(&agent, json!({"model": "claude-sonnet-4-6"}));
    assert_eq!(sent["inferenceConfig"]["maxTokens"], 9000, "the stored default is above the new limit");
    assert_eq!(ask(&agent, json!({})).0.error().2, "model_not_allowed");
    let (refused, _) = ask(&plain, json!({}));
    assert!(refused.status == 402 && refused.body.contains("day budget of key plain"), "{}", refused.body);
    let listed = Chatrix::keys().args(["list", "--json"]).home(&home).run().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let shown = |key: &Value| json!([key["max_tokens"], key["max_tokens_limit"], key["prompt_cache"], key["day_usd"]]);
    assert_eq!(
        listed.as_array().unwrap().iter().map(shown).collect::<Vec<_>>(),
        [json!([16_000, 9000, "off", null]), json!([null, null, null, 0.0]),]
    );
    let log = server.stop();
    let warning = "warning: the config file has a table [keys.\"nobody\"], but there is no API key of that name";
    assert!(log.contains(warning) && !log.contains("[keys.\"agent\"]"), "{log}");
    let restarted = serve(&home, &bedrock).stop();
    assert!(restarted.contains(warning) && restarted.contains("API keys: 2"), "{restarted}");
}

#[test]
fn a_profile_is_a_set_of_limits_that_options_win_over() {
    let home = Home::new("");
    let add = |name: &str, more: &[&str]| {
        let command = Chatrix::keys().args(["add", name, "--for", "agents"]).home(&home);
        more.iter().fold(command, |command, arg| command.arg(arg)).run().code(0)
    };
    let said = add("laptop", &[]).stderr;
    let figures = "laptop is for agents: answers of 16000 tokens for requests that set no limit, answers of 32000 tokens at \
                   most, at most $1.50 a call, at most $20.00 a day, at most $60.00 a week, prompt cache auto\n";
    assert!(said.starts_with(figures), "{said}");
    let said =
        add("small", &["--day-usd", "5", "--max-tokens", "9000", "--prompt-cache", "off", "--models", "claude-haiku"])
            .stderr;
    assert!(
        said.contains("answers of 9000 tokens for") && said.contains("at most $5.00 a day, at most $60.00"),
        "{said}"
    );
    let listed = Chatrix::keys().args(["list", "--json"]).home(&home).run().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let shown = |key: &Value| {
        let names =
            ["max_tokens", "max_tokens_limit", "prompt_cache", "request_usd", "day_usd", "week_usd", "month_usd"];
        names.map(|name| key[name].clone())
    };
    assert_eq!(json!(shown(&listed[0])), json!([16_000, 32_000, "auto", 1.5, 20.0, 60.0, null]));
    assert_eq!(json!(shown(&listed[1])), json!([9000, 32_000, "off", 1.5, 5.0, 60.0, null]));
    assert_eq!(listed[1]["models"], json!(["claude-haiku"]));
}

#[test]
fn an_answer_that_is_cut_at_the_limit_of_a_key_names_the_key_as_the_place() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::Text(vec!["half".into()], "max_tokens", (10, 900))]);
    let token = add(&home, &["agent", "--max-tokens-limit", "900"]);
    let server = serve(&home, &bedrock);
    let bearer = format!("Bearer {token}");
    let body = question(&json!({"max_tokens": 5000}));
    assert_eq!(chat(&server, ("authorization", &bearer), &body).status, 200);
    let log = server.stop();
    assert!(log.contains("set max_tokens_limit = 5000 under [keys.\"agent\"] in the config file"), "{log}");
}

#[test]
fn a_week_has_a_budget_of_its_own_for_all_calls_and_for_each_key() {
    let home = Home::new(&format!("[budget]\nweek_usd = {}\nwait_seconds = 0\n", dollars(2 * worst(512))));
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let small = add(&home, &["small", "--week-usd", &dollars(worst(512))]);
    let server = serve(&home, &bedrock);
    let bearer = format!("Bearer {small}");
    let long = question(&json!({"messages": [{"role": "user", "content": "x".repeat(2300)}]}));
    assert_eq!(chat(&server, ("authorization", &bearer), &question(&json!({}))).status, 200);
    eventually("it is settled", || home.booked().0 == COST);
    let refused = chat(&server, ("authorization", &bearer), &long);
    assert!(refused.status == 402 && refused.body.contains("week budget of key small"), "{}", refused.body);
    let reset = chatrix::ledger::budget::Period::Week.next(chatrix::ledger::Clock::system().today());
    let reset = time::Date::from_julian_day(i32::try_from(reset).unwrap() + 2_440_588).unwrap().to_string();
    assert!(refused.body.contains(&format!("it resets on {reset} at 00:00 UTC")), "{}", refused.body);
    assert_eq!(server.chat(&long).status, 200, "the budget of all calls is larger");
    home.at_rest();
    let usage = Chatrix::usage().arg("--json").home(&home).run().stdout;
    let usage: Value = serde_json::from_str(&usage).unwrap();
    let week = &usage["budgets"][0];
    assert_eq!((&week["period"], &week["resets"]), (&json!("week"), &json!(format!("{reset}T00:00:00Z"))));
    let shown = Chatrix::usage().home(&home).run().stdout;
    assert!(shown.contains("\nweek budget") && shown.contains(&format!("resets {reset}")), "{shown}");
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("chatrix_budget_limit_dollars{budget=\"week\",key=\"small\"}"), "{metrics}");
    let listed = Chatrix::keys().arg("list").home(&home).run().stdout;
    assert!(listed.contains("A WEEK") && !listed.contains("A DAY"), "{listed}");
}

#[test]
fn a_wrong_key_command_changes_nothing() {
    let home = Home::new("");
    let keys = |args: &[&str]| args.iter().fold(Chatrix::keys(), |command, arg| command.arg(arg)).home(&home).run();
    keys(&["add", "a b"]).code(2).stderr_has("not a valid name for a key");
    keys(&["add", "x", "--day-usd", "much"]).code(2).stderr_has("not an amount of dollars");
    keys(&["add", "x", "--models", "claude-sonet-4"]).code(2).stderr_has("did you mean claude-sonnet-4?");
    keys(&["add", "x", "--max-tokens", "2000"])
        .code(2)
        .stderr_has("--max-tokens 2000 is above the limit of 1024 tokens");
    keys(&["add", "x", "--max-tokens", "9", "--max-tokens-limit", "8"])
        .code(2)
        .stderr_has("above the limit of 8 tokens");
    keys(&["add", "x", "--for", "agents", "--max-tokens-limit", "8000"])
        .code(2)
        .stderr_has("is above the limit of 8000");
    keys(&["add", "x", "--for", "robots"]).code(2).stderr_has("[possible values: agents]");
    keys(&["add", "x", "--prompt-cache", "on"]).code(2).stderr_has("[possible values: auto, off]");
    keys(&["list"]).code(0).stderr_has("there are no keys");
    keys(&["add", "x"]).code(0);
    keys(&["add", "x"]).code(2).stderr_has("there is already a key \"x\"");
    keys(&["revoke", "x"]).code(0);
    keys(&["add", "x"]).code(0);
}
