//! `/metrics`, `/readyz` and `/healthz` of `serve`, and what is built on them in `deploy/`.

mod exposition;

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta, eventually, signal};
use exposition::{Metric, parse};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;

type Metrics = BTreeMap<String, Metric>;

fn scrape(server: &Server) -> Metrics {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    parse(&answer.body)
}

/// The sum of all samples with these labels.
fn value(metrics: &Metrics, name: &str, labels: &[(&str, &str)]) -> f64 {
    let family = ["_count", "_sum"].iter().find_map(|suffix| metrics.get(name.strip_suffix(suffix)?));
    let metric = metrics.get(name).or(family).unwrap_or_else(|| panic!("no metric {name}"));
    let fits =
        |found: &exposition::Labels| labels.iter().all(|(label, value)| found.get(*label).is_some_and(|v| v == value));
    metric.samples.iter().filter(|(sample, found, _)| sample == name && fits(found)).map(|(.., value)| value).sum()
}

/// A metric, some of its labels, and what their samples add up to.
type Expected<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

#[track_caller]
fn check(metrics: &Metrics, expected: &[Expected<'_>]) {
    for (name, labels, amount) in expected {
        let found = value(metrics, name, labels);
        assert!((found - amount).abs() < 1e-12, "{name} {labels:?} is {found}, not {amount}");
    }
}

fn question(model: &str, stream: bool) -> String {
    let messages = json!([{"role": "user", "content": "the prompt"}]);
    json!({"model": model, "stream": stream, "messages": messages}).to_string()
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of them are the table of what is expected")]
fn requests_tokens_money_and_times_are_counted() {
    let home = Home::new("[budget]\nday_usd = 1\nmonth_usd = 20\n");
    let key = Chatrix::keys().home(&home).args(["add", "laptop", "--day-usd", "0.5"]).run().code(0).stdout;
    let bedrock = Bedrock::script([
        Reply::text("the answer"),
        Reply::Error(429, "ThrottlingException", "Too many requests."),
        Reply::text("the answer"),
        Reply::Cut(vec![delta("half")]),
    ]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let path = "/v1/chat/completions";
    let authorization = format!("Bearer {}", key.trim());
    server.send("POST", path, &[("authorization", &authorization)], &question("nova-micro", false));
    server.send("POST", path, &[], &question("nova-micro", true));
    server.send("POST", path, &[], &question("nova-micro", true));
    server.send("POST", path, &[], &question("no such model", false));
    server.send("POST", path, &[("authorization", "Bearer sk-chatrix-wrong")], &question("nova-micro", false));
    server.get("/the/prompt");
    home.at_rest();
    let metrics = scrape(&server);
    let route = ("route", path);
    let model = ("gen_ai_request_model", "nova-micro");
    check(
        &metrics,
        &[
            ("chatrix_requests_total", &[route, ("model", "nova-micro"), ("key", "laptop"), ("status", "200")], 1.0),
            ("chatrix_requests_total", &[route, ("model", "nova-micro"), ("status", "200")], 3.0),
            ("chatrix_requests_total", &[route, ("status", "404")], 1.0),
            ("chatrix_requests_total", &[("route", "unknown")], 1.0),
            ("chatrix_refusals_total", &[("reason", "ModelNotFound")], 1.0),
            ("chatrix_refusals_total", &[("reason", "InvalidKey")], 1.0),
            ("chatrix_refusals_total", &[("reason", "UnknownUrl")], 1.0),
            ("chatrix_failures_total", &[("reason", "Truncated")], 1.0),
            ("chatrix_tokens_total", &[("model", "nova-micro"), ("key", "laptop"), ("kind", "input")], 10.0),
            ("chatrix_tokens_total", &[("kind", "output")], 10.0),
            ("chatrix_cost_dollars_total", &[("model", "nova-micro")], 0.000_002_1),
            ("gen_ai_client_token_usage_count", &[model, ("gen_ai_token_type", "input")], 2.0),
            ("gen_ai_client_token_usage_sum", &[model, ("gen_ai_token_type", "output")], 10.0),
            ("gen_ai_server_request_duration_seconds_count", &[("gen_ai_operation_name", "chat")], 5.0),
            ("gen_ai_server_request_duration_seconds_count", &[model, ("error_type", "Truncated")], 1.0),
            ("gen_ai_server_time_to_first_token_seconds_count", &[model], 2.0),
            ("gen_ai_client_operation_duration_seconds_count", &[model], 3.0),
            ("chatrix_upstream_tries_total", &[("outcome", "accepted")], 3.0),
            ("chatrix_upstream_tries_total", &[("outcome", "Throttled")], 1.0),
            ("chatrix_upstream_retries_total", &[], 1.0),
            ("chatrix_reservations_ended_total", &[("end", "settled")], 2.0),
            ("chatrix_reservations_ended_total", &[("end", "uncertain")], 1.0),
            ("chatrix_booked_dollars_total", &[("end", "settled")], 0.000_002_1),
            ("chatrix_budget_limit_dollars", &[("budget", "day"), ("key", "laptop")], 0.5),
            ("chatrix_budget_left_dollars", &[("budget", "day"), ("key", "laptop")], 0.499_998_95),
            ("chatrix_budget_booked_dollars", &[("budget", "month"), ("state", "settled")], 0.000_002_1),
            ("chatrix_reserved_dollars", &[], 0.0),
            ("chatrix_requests_in_flight", &[], 1.0),
            ("chatrix_streams_open", &[], 0.0),
            ("chatrix_ready", &[], 1.0),
            ("chatrix_ledger_up", &[], 1.0),
            ("chatrix_ledger_failures_total", &[], 0.0),
            ("chatrix_log_lines_dropped_total", &[], 0.0),
            ("chatrix_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0),
        ],
    );
    let (settled, _, uncertain) = home.booked();
    #[expect(clippy::cast_precision_loss, reason = "the amounts are small")]
    let dollars = |nano: i64| nano as f64 / 1e9;
    check(
        &metrics,
        &[
            ("chatrix_booked_dollars_total", &[("end", "settled")], dollars(settled)),
            ("chatrix_booked_dollars_total", &[("end", "uncertain")], dollars(uncertain)),
            ("chatrix_budget_booked_dollars", &[("budget", "month"), ("state", "uncertain")], dollars(uncertain)),
        ],
    );
    assert!(value(&metrics, "chatrix_ledger_transaction_seconds_count", &[]) > 0.0);
    assert!(value(&metrics, "process_start_time_seconds", &[]) > 1.7e9);
}

#[test]
fn what_is_running_is_shown_and_goes_away() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("half")])]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config("[budget]\nday_usd = 1\n"));
    let mut socket = server.open("POST", "/v1/chat/completions", &[], &question("nova-micro", true));
    socket.read_exact(&mut [0; 16]).unwrap();
    let metrics = scrape(&server);
    check(&metrics, &[("chatrix_streams_open", &[], 1.0), ("chatrix_requests_in_flight", &[], 2.0)]);
    let reserved = value(&metrics, "chatrix_reserved_dollars", &[]);
    assert!(reserved > 0.0);
    check(&metrics, &[("chatrix_budget_booked_dollars", &[("state", "reserved")], reserved)]);
    assert!(value(&metrics, "chatrix_connections_open", &[]) >= 2.0);
    drop(socket);
    eventually("the call is cancelled", || bedrock.abandoned() == 1);
    eventually("nothing runs any more", || {
        let metrics = scrape(&server);
        value(&metrics, "chatrix_streams_open", &[]) + value(&metrics, "chatrix_reserved_dollars", &[]) == 0.0
    });
}

#[test]
fn labels_are_bounded_and_hostile_names_are_escaped() {
    let home = Home::new("");
    let key = Chatrix::keys().home(&home).args(["add", "laptop"]).run().code(0).stdout;
    let hostile = "a\"b\\c\nd{}\u{1b}";
    assert_eq!(home.open().execute("UPDATE keys SET name = ?1", [hostile]).unwrap(), 1);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&Bedrock::script([Reply::text("ok")])));
    let authorization = format!("Bearer {}", key.trim());
    let headers = [("authorization", authorization.as_str())];
    server.send("POST", "/v1/chat/completions", &headers, &question("nova-micro", false));
    // Names with the shape of an id resolve, and no such model need exist.
    for number in 0..150 {
        let asked = json!({"model": format!("us.vendor{number}.model"), "messages": [], "max_tokens": 0});
        server.send("POST", "/v1/chat/completions", &[], &asked.to_string());
    }
    let metrics = scrape(&server);
    check(&metrics, &[("chatrix_requests_total", &[("key", "a\"b\\c\nd{}?"), ("status", "200")], 1.0)]);
    let models: BTreeSet<_> =
        metrics["chatrix_requests_total"].samples.iter().filter_map(|(_, labels, _)| labels.get("model")).collect();
    assert_eq!(models.len(), 1, "{models:?}");
}

#[test]
fn metrics_are_for_this_machine_or_for_keys() {
    let home = Home::new("");
    let key = Chatrix::keys().home(&home).args(["add", "laptop"]).run().code(0).stdout;
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock).arg("--require-key"));
    assert_eq!(server.get("/metrics").error().0, 401);
    let authorization = format!("Bearer {}", key.trim());
    let with_key = server.send("GET", "/metrics", &[("authorization", &authorization)], "");
    assert_eq!(with_key.status, 200);
    for (name, foreign) in [("host", "evil.example"), ("origin", "https://evil.example")] {
        let headers = [("authorization", authorization.as_str()), (name, foreign)];
        assert_eq!(server.send("GET", "/metrics", &headers, "").status, 403, "{name}");
    }
    assert_eq!(server.send("POST", "/metrics", &[("authorization", &authorization)], "").status, 405);
    assert_eq!((server.get("/healthz").status, server.get("/readyz").status), (200, 200), "for everyone");
}

/// Sends a request to an address of its own.
fn ask(address: &str, head: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn an_address_of_its_own_asks_for_no_key_and_answers_nothing_else() {
    let home = Home::new("");
    let key = Chatrix::keys().home(&home).args(["add", "laptop"]).run().code(0).stdout;
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("half")])]);
    let serve = Chatrix::serve().home(&home).bedrock(&bedrock);
    let server = Server::run(serve.args(["--require-key", "--metrics-addr", "127.0.0.1:0"]));
    let line = server.start_up().lines().find_map(|line| line.strip_prefix("metrics on http://")).unwrap();
    let address = line.strip_suffix("/metrics").unwrap().to_owned();
    let get = |path: &str, host: &str| ask(&address, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n"));
    let metrics = get("/metrics", &address);
    assert!(metrics.starts_with("HTTP/1.1 200 "), "{metrics}");
    assert!(metrics.contains("# TYPE chatrix_requests_total counter"), "{metrics}");
    assert!(get("/readyz", &address).contains("{\"status\":\"ready\"}"));
    assert!(get("/healthz", &address).starts_with("HTTP/1.1 200 "));
    assert!(get("/v1/models", &address).starts_with("HTTP/1.1 404 "));
    assert!(get("/metrics", "evil.example").starts_with("HTTP/1.1 403 "));
    // It is still there while the server drains.
    let authorization = format!("Bearer {}", key.trim());
    let headers = [("authorization", authorization.as_str())];
    let mut stream = server.open("POST", "/v1/chat/completions", &headers, &question("nova-micro", true));
    stream.read_exact(&mut [0; 16]).unwrap();
    signal(server.pid(), "TERM");
    eventually("the server drains", || get("/readyz", &address).contains("\"draining\""));
    drop(stream);
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn readiness_names_what_stands_in_the_way() {
    let server = Server::run(Chatrix::serve().env("AWS_REGION", "us-east-1"));
    let answer = server.get("/readyz");
    assert_eq!((answer.status, answer.json()), (503, json!({"status": "not ready", "reasons": ["credentials"]})));
    check(&scrape(&server), &[("chatrix_ready", &[], 0.0)]);
    let home = Home::new("[budget]\nday_usd = 1\n");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    assert_eq!(server.get("/readyz").json(), json!({"status": "ready"}));
    // A ledger that is lost under a budget: nothing can be answered, and the process lives.
    let ask = || server.send("POST", "/v1/chat/completions", &[], &question("nova-micro", false)).status;
    assert_eq!(ask(), 200);
    home.at_rest();
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", home.ledger().display()));
    }
    assert_eq!(ask(), 503);
    let answer = server.get("/readyz");
    assert_eq!((answer.status, answer.json()), (503, json!({"status": "not ready", "reasons": ["ledger"]})));
    check(&scrape(&server), &[("chatrix_ready", &[], 0.0), ("chatrix_ledger_up", &[], 0.0)]);
    assert_eq!(server.get("/healthz").json(), json!({"status": "ok"}));
}

#[test]
fn the_dashboard_and_the_alert_rules_use_metrics_that_exist() {
    let known: BTreeSet<String> = scrape(&Server::offline()).into_keys().collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let dashboard = std::fs::read_to_string(folder.join("grafana-dashboard.json")).unwrap();
    let json: Value = serde_json::from_str(&dashboard).unwrap();
    let queries: Vec<&str> = json["panels"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() >= 15, "{}", queries.len());
    let rules = std::fs::read_to_string(folder.join("prometheus-rules.yml")).unwrap();
    assert!(rules.matches("alert: ").count() >= 6);
    let manual = std::fs::read_to_string(folder.join("../docs/operating.md")).unwrap();
    for (place, text) in [("dashboard", queries.join("\n")), ("rules", rules), ("manual", manual.clone())] {
        for name in names(&text) {
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name);
            assert!(known.contains(&name) || known.contains(base), "{place}: {name}");
        }
    }
    for name in &known {
        assert!(manual.contains(&format!("`{name}`")), "docs/operating.md does not explain {name}");
    }
}

/// The names of metrics in a text.
fn names(text: &str) -> Vec<String> {
    const LABELS: [&str; 4] =
        ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"];
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let metric = |word: &&str| ["chatrix_", "gen_ai_", "process_"].iter().any(|prefix| word.starts_with(prefix));
    words.filter(metric).filter(|word| !LABELS.contains(word)).map(ToOwned::to_owned).collect()
}
