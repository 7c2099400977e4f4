//! Budgets end to end: what is refused, lowered, shown and booked, through the real binary and a scripted Bedrock.
//! Amounts are in nano-dollars, computed by hand: nova-micro takes 35 for an input token and 140 for an output token.

mod dialects;
mod ends;
mod groups;
mod keys;
mod load;
mod trouble;

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, eventually};
use serde_json::{Value, json};
use std::time::Duration;

/// The worst case of `hi` to nova-micro: 2 bytes and 16 + 16 + 512 for their frame, and the whole answer.
const fn worst(max_tokens: i64) -> i64 {
    546 * 35 + max_tokens * 140
}

/// What `Reply::text` costs on nova-micro: 10 tokens in, 5 out.
const COST: i64 = 10 * 35 + 5 * 140;

fn ask(home: &Home, bedrock: &Bedrock) -> Chatrix {
    Chatrix::ask().args(["-m", "nova-micro", "hi"]).home(home).bedrock(bedrock)
}

/// How long a client waits for an answer that may wait for hundreds of others.
const PATIENCE: Duration = Duration::from_mins(2);

fn serve(home: &Home, bedrock: &Bedrock) -> Server {
    Server::run(Chatrix::serve().home(home).bedrock(bedrock))
}

fn question(more: &Value) -> Value {
    let mut body = json!({"model": "nova-micro", "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A config with a day's budget of so many nano-dollars.
fn day(nano: i64) -> String {
    format!("[budget]\nday_usd = {}\nwait_seconds = 0.2\n", dollars(nano))
}

fn dollars(nano: i64) -> String {
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

#[test]
fn every_call_is_booked_and_settled_with_its_usage() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    ask(&home, &bedrock).stdout("ok\n").code(0);
    assert_eq!(home.calls(), [(1, worst(512), Some(COST), "us.amazon.nova-micro-v1:0".to_owned())]);
    Chatrix::chat().args(["-m", "nova-micro"]).home(&home).bedrock(&bedrock).stdin("hi\nhi\n").run().code(0);
    let server = serve(&home, &bedrock);
    for streamed in [false, true] {
        let answer = server.chat(&question(&json!({"stream": streamed, "stream_options": {"include_usage": true}})));
        assert_eq!(answer.status, 200);
        let usage = if streamed { serde_json::from_str(answer.data()[3]).unwrap() } else { answer.json() };
        assert_eq!(usage["usage"]["cost"], json!(0.000_001_05), "{}", answer.body);
        assert_eq!(answer.headers.get("x-chatrix-budget-remaining-usd"), None, "there is no budget");
    }
    assert_eq!(home.at_rest(), (5 * COST, 0, 0));

    let usage: Value = serde_json::from_str(&Chatrix::usage().arg("--json").home(&home).run().code(0).stdout).unwrap();
    assert_eq!(usage["total"]["calls"], 5);
    assert_eq!(usage["total"]["settled_usd"], json!(0.000_005_25));
    assert_eq!((&usage["total"]["reserved_usd"], &usage["total"]["uncertain_usd"]), (&json!(0.0), &json!(0.0)));
    assert_eq!((&usage["total"]["input_tokens"], &usage["total"]["output_tokens"]), (&json!(50), &json!(25)));
    let by = |what: &str| Chatrix::usage().args(["--by", what, "--csv"]).home(&home).run().code(0).stdout;
    assert!(by("command").contains("\nask,1,0.00000105,0.00,0.00,10,5,0,0,0\nchat,2,0.0000021,"), "{}", by("command"));
    assert!(by("model").contains("\nus.amazon.nova-micro-v1:0,5,0.00000525,"));
    let table = Chatrix::usage().home(&home).run().code(0).stdout;
    assert!(!table.contains("█") && table.lines().last().unwrap().starts_with("total"), "{table}");
    if Home::has_file() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(home.ledger()).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_day_that_is_used_up_refuses_with_the_sums() {
    // One call fits whole, the next one shortened to 100 tokens, the third not at all.
    let budget = worst(400) + worst(100) + 139;
    let (home, bedrock) = (Home::new(&day(budget)), Bedrock::script([Reply::Measured(546, 400)]));
    let first = ask(&home, &bedrock).arg("-v").stdout("ok\n").code(0);
    first.stderr_has("answer limited to 512 tokens (default; --max-tokens up to 1024)\n");
    let second = ask(&home, &bedrock).arg("-v").stdout("ok\n").code(0);
    second.stderr_has("answer limited to 100 tokens (to fit what may be spent)\n");
    assert_eq!(bedrock.calls()[1].body["inferenceConfig"]["maxTokens"], 100);
    assert_eq!(home.at_rest().0, worst(400) + worst(100));
    let third = ask(&home, &bedrock).stdout("").code(3);
    third
        .stderr_has(
            "this call needs $0.00009079, or at least $0.00002807 with a short answer, but only $0.000000139 is left of the",
        )
        .stderr_has("day budget of $0.00011: $0.00011 spent, $0.00 reserved by running calls; it resets on 20")
        .stderr_has(" at 00:00 UTC");
    let server = serve(&home, &bedrock);
    for streamed in [false, true] {
        let refused = server.chat(&question(&json!({"stream": streamed})));
        assert_eq!(refused.error(), (402, "insufficient_quota".into(), "insufficient_quota".into()));
        assert_eq!(refused.headers["x-should-retry"], "false");
    }
    assert_eq!(bedrock.calls().len(), 2, "what is refused is not sent");
    assert_eq!(home.calls().len(), 2);
}

#[test]
fn what_is_left_is_told_and_a_warning_comes_at_80_percent() {
    let (home, bedrock) = (Home::new(&day(worst(512) + 10 * COST)), Bedrock::script([Reply::Measured(500, 500)]));
    let server = serve(&home, &bedrock);
    let answer = server.chat(&question(&json!({})));
    let left = worst(512) + 10 * COST - (500 * 35 + 500 * 140);
    assert_eq!(answer.headers["x-chatrix-budget-remaining-usd"], dollars(left).trim_end_matches('0'));
    let streamed = server.chat(&question(&json!({"stream": true, "max_tokens": 1})));
    assert_eq!(streamed.status, 402, "{}", streamed.body);
    // Nothing fits any more, but for a budget that is larger.
    home.configure(&day(500 * 35 + 500 * 140 + 20_000));
    ask(&home, &bedrock)
        .args(["--max-tokens", "1"])
        .stdout("ok\n")
        .code(0)
        .stderr_has("97 % is used of the day budget of $0");
    ask(&home, &bedrock).args(["-q", "--max-tokens", "1"]).stdout("").code(3);
}

#[test]
fn a_server_warns_once_at_each_threshold_of_each_budget() {
    // One answer costs 87,500: ten take 87 % of the day's budget, and eleven 96 %. Of the week's budget they take half.
    let home = Home::new("[budget]\nday_usd = 0.001\nweek_usd = 0.002\nwait_seconds = 0\n");
    let bedrock = Bedrock::script([Reply::Measured(500, 500)]);
    let server = serve(&home, &bedrock);
    for n in 0..12_i64 {
        assert_eq!(server.chat(&question(&json!({"stream": n % 2 == 0}))).status, 200, "{n}");
        home.at_rest();
    }
    let log = server.stop();
    let warnings: Vec<_> = log.lines().filter_map(|line| line.split_once(" is used of the ")).collect();
    let shares: Vec<_> =
        warnings.iter().map(|(share, budget)| (*share, budget.starts_with("day budget of $"))).collect();
    assert_eq!(shares, [("87 %", true), ("96 %", true)], "{log}");
}

#[test]
fn one_call_has_a_ceiling_of_its_own() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let home = Home::new(&format!("[budget]\nrequest_usd = {}", dollars(worst(200))));
    ask(&home, &bedrock)
        .arg("-v")
        .stdout("ok\n")
        .code(0)
        .stderr_has("answer limited to 200 tokens (to fit what may be spent)");
    // The stricter of the two holds.
    let cost = dollars(worst(70));
    ask(&home, &bedrock)
        .args(["-v", "--max-cost", &cost])
        .stdout("ok\n")
        .stderr_has("answer limited to 70 tokens (to fit what may be spent)");
    let refused = ask(&home, &bedrock).args(["--max-cost", &dollars(worst(64) - 1)]).stdout("").code(3);
    refused.stderr_has(
        "--max-cost allows $0.000028069 per call, but this call can cost $0.00002807 even with an answer of only 64",
    );
    // An answer that is meant to be shorter than the floor may be.
    let short = ["--max-tokens", "3", "--max-cost"];
    ask(&home, &bedrock).args(short).arg(&dollars(worst(3))).stdout("ok\n").code(0);
    ask(&home, &bedrock).args(["--max-cost", "five"]).stdout("").code(2).stderr_has("not an amount of dollars");
    assert_eq!(bedrock.calls().len(), 3);
}

#[test]
fn a_chat_spends_no_more_than_it_may() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let chat =
        Chatrix::chat().args(["-m", "nova-micro", "--max-tokens", "100", "--max-cost", &dollars(worst(100) + COST)]);
    let outcome = chat.home(&home).bedrock(&bedrock).stdin("hi\nhi\nhi\n/cost\n").run().code(3);
    // The conversation grows with each turn, and so does its worst case; the second turn is shortened.
    outcome
        .stderr_has("--max-cost allows")
        .stderr_has("this session: 2 answers, $0.0000021\n$0.000032 left of --max-cost $0.000034");
    assert_eq!(bedrock.calls().len(), 2);
}

#[test]
fn a_chat_counts_what_came_to_nothing() {
    let bedrock = Bedrock::script([Reply::Error(500, "InternalServerException", "Oh."), Reply::text("ok")]);
    let chat =
        Chatrix::chat().args(["-m", "nova-micro", "--max-tokens", "100", "--max-cost", &dollars(worst(100) + 9)]);
    let home = Home::new("");
    let outcome = chat.home(&home).bedrock(&bedrock).stdin("hi\nhi\n/cost\n").run().code(3);
    outcome
        .stderr_has("what is left of --max-cost allows $0.000000009")
        .stderr_has("and at most $0.000033 for answers");
    assert_eq!((bedrock.calls().len(), home.booked()), (1, (0, 0, worst(100))));
}

#[test]
fn embeddings_that_failed_in_part_are_not_tried_again_for_free() {
    let ok = json!({"embedding": [0.5], "inputTextTokenCount": 3}).to_string();
    let ok = Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], ok.into());
    let bedrock = Bedrock::script([ok, Reply::Error(429, "ThrottlingException", "Too many requests.")]);
    let home = Home::new("");
    let server = serve(&home, &bedrock);
    let answer = server.post("/v1/embeddings", &json!({"model": "titan-embed", "input": ["a", "b"]}));
    assert_eq!((answer.error().0, answer.headers["x-should-retry"].as_str()), (502, "false"));
    assert_eq!(home.at_rest(), (0, 0, 2 * 17 * 20), "booked at the bound");
}

#[test]
fn an_unknown_price_is_no_price_under_a_budget() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let asked =
        |home: &Home| Chatrix::ask().args(["-m", "us.anthropic.claude-next-9", "hi"]).home(home).bedrock(&bedrock);
    let home = Home::new("[budget]\nmonth_usd = 5");
    asked(&home)
        .stdout("")
        .code(3)
        .stderr_has("the price of us.anthropic.claude-next-9 is unknown, but a budget is set");
    asked(&home).run().stderr_has("[models.\"us.anthropic.claude-next-9\"] price = { input = …, output = … }");
    assert!(bedrock.calls().is_empty());
    home.configure("[budget]\nmonth_usd = 5\n[models.\"us.anthropic.claude-next-9\"]\nid = \"us.anthropic.claude-next-9\"\nprice = { input = 1, output = 2 }");
    asked(&home).stdout("ok\n").code(0);
    assert_eq!(home.at_rest(), (10 * 1000 + 5 * 2000, 0, 0));
    let free = Home::new("");
    asked(&free).stdout("ok\n").code(0);
    assert_eq!(free.calls()[0], (1, 0, None, "us.anthropic.claude-next-9".to_owned()), "booked without a cost");
    let slip = Home::new("[models.nova-micro]\nprice = { input = 0.00000003, output = 0.0000001 }");
    asked(&slip).stdout("").code(2).stderr_has("looks like a price per token");
}

#[test]
fn tokens_are_counted_only_where_that_can_help() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let asked = |home: &Home| {
        Chatrix::ask().args(["-m", "claude-haiku-4-5", "-v"]).arg(&"word ".repeat(400)).home(home).bedrock(&bedrock)
    };
    bedrock.count_as(410);
    asked(&Home::new("[budget]\nday_usd = 1")).stdout("ok\n").code(0);
    assert_eq!(bedrock.counted(), 0, "far from the ceiling");
    // By bytes 2,544 tokens of input, by count 410 + 20 + 64.
    let (by_bytes, by_count) = (2_543 * 1100 + 512 * 5500, 494 * 1100 + 512 * 5500);
    for budget in ["day_usd", "request_usd"] {
        let home = Home::new(&format!("[budget]\n{budget} = {}", dollars(by_count + 1100)));
        let outcome = asked(&home).stdout("ok\n").code(0);
        outcome.stderr_has("answer limited to 512 tokens (default; --max-tokens up to 1024)\n");
        assert!(home.calls()[0].1 <= by_count + 1100 && home.calls()[0].1 < by_bytes);
    }
    assert_eq!(bedrock.counted(), 2);
    bedrock.count_as(0);
    let home = Home::new(&format!("[budget]\nday_usd = {}", dollars(by_count)));
    asked(&home).stdout("ok\n").code(0).stderr_has("(to fit what may be spent)");
    assert_eq!(bedrock.counted(), 3, "and a model that turns out not to count is done without");
}

#[test]
fn a_dry_run_shows_everything_and_sends_nothing() {
    let home = Home::new(&day(worst(90)));
    let dry = || Chatrix::ask().args(["-m", "nova-micro", "hi", "--dry-run"]).home(&home);
    let shown: Value = serde_json::from_str(&dry().run().code(0).stdout).unwrap();
    assert_eq!(shown["request"]["inferenceConfig"]["maxTokens"], 90);
    assert_eq!(shown["request"]["messages"], json!([{"role": "user", "content": [{"text": "hi"}]}]));
    assert_eq!(
        (&shown["model"], &shown["worst_case_usd"]),
        (&json!("us.amazon.nova-micro-v1:0"), &json!(0.000_031_71))
    );
    assert_eq!(shown["edits"], json!(["max_tokens unset→90 (budget)", "temperature unset→0.3", "top_p unset→0.3"]));
    assert_eq!((&shown["budgets"][0]["left_usd"], &shown["refused"]), (&json!(0.000_031_71), &Value::Null));
    let ceiling: Value = serde_json::from_str(&dry().args(["--max-cost", "0"]).run().code(3).stdout).unwrap();
    assert_eq!(ceiling["budgets"][0], json!({"budget": "--max-cost", "usd": 0.0, "left_usd": 0.0}));
    home.configure(&day(5));
    let refused = dry().run().code(3).stderr_has("$0.000000005 is left of the day budget");
    let shown: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert!(shown["refused"].as_str().unwrap().contains("this call needs $0.00009079"));
    assert!(home.calls().is_empty());
}

#[test]
fn embeddings_are_booked_too() {
    let body = json!({"embedding": [0.5], "inputTextTokenCount": 3}).to_string();
    let reply = Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], body.into());
    let nova = json!({"embeddings": [{"embeddingType": "TEXT", "embedding": [0.5]}]}).to_string();
    let uncounted = Reply::Recorded(200, vec![("content-type".into(), "application/json".into())], nova.into());
    let bedrock = Bedrock::script([reply, uncounted]);
    let home = Home::new("[budget]\nday_usd = 1\n[models.titan-embed]\nprice = { input = 0.03, output = 0 }");
    let server = serve(&home, &bedrock);
    let answer = server.post("/v1/embeddings", &json!({"model": "titan-embed", "input": "abc"}));
    // 3 tokens at 30, the operator's price.
    assert_eq!((answer.status, answer.headers["x-chatrix-cost-usd"].as_str()), (200, "0.00000009"));
    assert_eq!(server.post("/v1/embeddings", &json!({"model": "nova-embed", "input": "abc"})).status, 200);
    // A service that does not count is booked at the bound: 19 tokens at 135.
    assert_eq!(home.at_rest(), (90 + 19 * 135, 0, 0));
    assert_eq!(home.calls().iter().map(|call| call.0).collect::<Vec<_>>(), [1, 2]);
    home.configure("[budget]\nday_usd = 0.000003");
    let refused = serve(&home, &bedrock).post("/v1/embeddings", &json!({"model": "nova-embed", "input": "abc"}));
    assert_eq!(refused.error().0, 402);
}

#[test]
fn offline_calls_have_a_ledger_of_their_own() {
    let home = Home::new(&day(1_000_000_000));
    Chatrix::ask().args(["--offline", "-q", "echo a"]).home(&home).stdout("a\n").code(0);
    let json = |args: &[&str]| -> Value {
        let usage = args.iter().fold(Chatrix::usage().arg("--json"), |usage, arg| usage.arg(arg));
        serde_json::from_str(&usage.home(&home).run().code(0).stdout).unwrap()
    };
    // Shown by itself as long as there is nothing else; but whoever shares a database is shown that.
    let unasked = json(&[]);
    let expected = if Home::has_file() { json!([true, 1]) } else { json!([false, 0]) };
    assert_eq!(json!([unasked["offline"], unasked["total"]["calls"]]), expected);
    ask(&home, &Bedrock::script([Reply::text("ok")])).stdout("ok\n").code(0);
    assert_eq!((&json(&[])["offline"], &json(&[])["total"]["calls"]), (&json!(false), &json!(1)));
    assert_eq!(json(&["--offline"])["total"]["calls"], 1);
    assert_eq!(home.booked(), (COST, 0, 0));
}

#[test]
fn an_agents_answer_is_not_shortened_below_what_it_can_work_with() {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let config = |nano: i64, more: &str| format!("[limits]\nmax_tokens_limit = 8000\n{}{more}", day(nano));
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let asked = |home: &Home, more: Value| {
        let mut body = question(&json!({"max_tokens": 8000}));
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serve(home, &bedrock).chat(&body)
    };
    // The bound of a request with tools is at least 1,100 tokens.
    let (with_3000, with_5000) = (1100 * 35 + 3000 * 140, 1200 * 35 + 5000 * 140);
    let quick = "tools_wait_seconds = 0\n";
    for (budget, more, settings, status) in [
        (with_3000, json!({}), quick, 200),
        (with_3000, json!({"tools": tools}), quick, 402),
        (with_5000, json!({"tools": tools}), quick, 200),
        // The operator may lower the floor, and nobody is refused for an answer that was to be short.
        (with_3000, json!({"tools": tools}), "tools_wait_seconds = 0\ntools_floor_tokens = 2000\n", 200),
        (with_3000, json!({"tools": tools, "max_tokens": 2500}), quick, 200),
        // Tools that may not be called are no reason.
        (with_3000, json!({"tools": tools, "tool_choice": "none"}), quick, 200),
    ] {
        let answer = asked(&Home::new(&config(budget, settings)), more.clone());
        assert_eq!(answer.status, status, "{budget} {more} {settings}: {}", answer.body);
    }
    let home = Home::new(&format!("[limits]\nmax_tokens_limit = 8000\n[budget]\nrequest_usd = {}", dollars(with_3000)));
    let refused = asked(&home, json!({"tools": tools}));
    assert!(refused.body.contains("even with an answer of only 4000 tokens"), "{}", refused.body);
}

#[test]
fn a_call_with_tools_waits_longer_for_running_ones() {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    // Enough for one call at a time.
    let home = Home::new(&day(1300 * 35 + 500 * 140));
    let bedrock = Bedrock::script([Reply::text("ok")]);
    bedrock.hold();
    let server = serve(&home, &bedrock);
    let body = |more: &Value| {
        let mut body = question(more);
        body["max_tokens"] = 500.into();
        body
    };
    let with_tools = body(&json!({"tools": tools}));
    std::thread::scope(|scope| {
        let server = &server;
        let with_tools = &with_tools;
        let running = scope.spawn(move || server.chat(with_tools).status);
        eventually("the first call runs", || bedrock.calls().len() == 1);
        let patient = scope.spawn(move || server.chat(with_tools).status);
        // It asks for as much as the other, and gives up first.
        let refused = server.chat(&body(&json!({"messages": [{"role": "user", "content": "x".repeat(650)}]})));
        assert_eq!((refused.status, patient.is_finished()), (402, false), "{}", refused.body);
        bedrock.go_on();
        assert_eq!((running.join().unwrap(), patient.join().unwrap()), (200, 200));
    });
    assert_eq!(bedrock.calls().len(), 2);
}
