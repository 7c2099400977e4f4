//! `serve --log`: one line per request on stderr, and a summary at the end.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta, signal};
use serde_json::json;

/// The lines of a log, without what differs from run to run: times, ids and milliseconds.
fn lines(log: &str) -> Vec<String> {
    let stable = |word: &str| match word.split_once('=') {
        Some((name @ ("ms" | "first_event_ms" | "ledger_ms" | "ledger_transactions"), _)) => format!("{name}=N"),
        _ if word.starts_with("req_") => "ID".to_owned(),
        _ => word.to_owned(),
    };
    let logged = log.lines().filter(|line| line.starts_with("20"));
    logged
        .map(|line| {
            let (time, rest) = line.split_once(' ').unwrap();
            assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
            rest.split(' ').map(stable).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn each_request_is_one_line_and_holds_no_secret() {
    let home = Home::new("[budget]\nday_usd = 1\n");
    let key = Chatrix::keys().home(&home).args(["add", "laptop", "--day-usd", "0.5"]).run().code(0).stdout;
    let bedrock =
        Bedrock::script([Reply::text("the answer"), Reply::text("the answer"), Reply::Cut(vec![delta("half")])]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock).arg("--log"));
    let body = |stream: bool| {
        json!({"model": "nova-micro", "stream": stream, "messages": [{"role": "user", "content": "the prompt"}]})
            .to_string()
    };
    let authorization = format!("Bearer {}", key.trim());
    let complete = server.send("POST", "/v1/chat/completions", &[("authorization", &authorization)], &body(false));
    server.send("POST", "/chat/completions", &[], &body(true));
    let broken = server.send("POST", "/v1/chat/completions", &[], &body(true));
    assert_eq!(broken.status, 200, "it failed after it had begun");
    server.send("POST", "/v1/completions", &[], "{\"model\": \"no\\u001b such model\", \"prompt\": \"the prompt\"}");
    server.get("/v1/models/nova-micro");
    server.get("/the/prompt");
    server.send("GET", "/v1/models", &[("origin", "https://evil.example")], "");
    signal(server.pid(), "TERM");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    assert_eq!(
        lines(&log),
        [
            "ID POST /v1/chat/completions key=laptop model=nova-micro used=us.amazon.nova-micro-v1:0 status=200 \
             input=10 output=5 cost_usd=0.00000105 ms=N",
            "ID POST /v1/chat/completions model=nova-micro used=us.amazon.nova-micro-v1:0 status=200 input=10 \
             output=5 cost_usd=0.00000105 ms=N",
            "ID POST /v1/chat/completions model=nova-micro used=us.amazon.nova-micro-v1:0 status=200 \
             error=Truncated ms=N",
            "ID POST /v1/completions model=\"no\\u{1b} such model\" status=404 error=ModelNotFound ms=N",
            "ID GET /v1/models/{id} status=200 ms=N",
            "ID GET unknown status=404 error=UnknownUrl ms=N",
            "ID GET /v1/models status=403 error=OriginRefused ms=N",
            "summary requests=7 refused=2 tries=3 retries=0 failed_tries=0 first_event_ms=N settled=2 estimated=0 \
             uncertain=1 released=0 ledger_transactions=N ledger_failures=0 ledger_ms=N",
        ]
    );
    for secret in ["the prompt", "the answer", key.trim(), "dummy", "AKIDEXAMPLE"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
    // The same id is in the answer, in the log and in the ledger.
    let id = &complete.headers["x-request-id"];
    assert!(log.contains(&format!(" {id} POST")), "{log}");
    let sql = "SELECT COUNT(*) FROM calls WHERE chatrix_request_id = ?1";
    assert_eq!(home.open().query_row(sql, [id], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn without_the_flag_nothing_is_logged() {
    let server = Server::start(&Bedrock::script([Reply::text("ok")]));
    server.get("/v1/models");
    signal(server.pid(), "TERM");
    assert_eq!(lines(&server.wait().1), [] as [&str; 0]);
}
