//! The log of `serve`: one line per request on stderr, and what is in force at the start.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta, signal};
use serde_json::{Value, json};

const NUMBERS: [&str; 2] = ["first_event_ms", "ms"];

/// The lines of a log in text, without what differs from run to run: times, ids, ports and milliseconds.
fn lines(log: &str) -> Vec<String> {
    let stable = |word: &str| match word.split_once('=') {
        Some((name, _)) if NUMBERS.contains(&name) => format!("{name}=N"),
        Some(("client", address)) => format!("client={}", address.rsplit_once(':').unwrap().0),
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

/// The lines of a log in JSON.
fn objects(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| !line.starts_with("listening on "));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn question(stream: bool) -> String {
    let messages = json!([{"role": "user", "content": "the prompt"}]);
    json!({"model": "nova-micro", "stream": stream, "messages": messages}).to_string()
}

fn stop(server: Server) -> String {
    signal(server.pid(), "TERM");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    log
}

#[test]
fn each_request_is_one_line_and_holds_no_secret() {
    let home = Home::new("[budget]\nday_usd = 1\n");
    let key = Chatrix::keys().home(&home).args(["add", "laptop", "--day-usd", "0.5"]).run().code(0).stdout;
    let bedrock =
        Bedrock::script([Reply::text("the answer"), Reply::text("the answer"), Reply::Cut(vec![delta("half")])]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let authorization = format!("Bearer {}", key.trim());
    let complete = server.send("POST", "/v1/chat/completions", &[("authorization", &authorization)], &question(false));
    server.send("POST", "/chat/completions", &[], &question(true));
    let broken = server.send("POST", "/v1/chat/completions", &[], &question(true));
    assert_eq!(broken.status, 200, "it failed after it had begun");
    server.send("POST", "/v1/completions", &[], "{\"model\": \"no\\u001b such model\", \"prompt\": \"the prompt\"}");
    server.get("/v1/models/nova-micro");
    server.get("/the/prompt");
    server.send("THEPROMPT", "/v1/models", &[], "");
    server.send("GET", "/v1/models", &[("origin", "https://evil.example")], "");
    let log = stop(server);
    assert_eq!(
        lines(&log),
        [
            "ID POST /v1/chat/completions client=127.0.0.1 key=laptop model=nova-micro \
             used=us.amazon.nova-micro-v1:0 status=200 input=10 output=5 cache_read=0 cache_write=0 \
             cost_usd=0.00000105 budget_left_usd=0.49999895 first_event_ms=N ms=N retries=0",
            "ID POST /v1/chat/completions client=127.0.0.1 model=nova-micro used=us.amazon.nova-micro-v1:0 status=200 \
             input=10 output=5 cache_read=0 cache_write=0 cost_usd=0.00000105 budget_left_usd=0.9999979 \
             first_event_ms=N ms=N retries=0",
            "ID POST /v1/chat/completions client=127.0.0.1 model=nova-micro used=us.amazon.nova-micro-v1:0 status=200 \
             error=Truncated first_event_ms=N ms=N retries=0",
            "ID POST /v1/completions client=127.0.0.1 model=\"no\\u{1b} such model\" status=404 error=ModelNotFound \
             ms=N",
            "ID GET /v1/models/{id} client=127.0.0.1 status=200 ms=N",
            "ID GET unknown client=127.0.0.1 status=404 error=UnknownUrl ms=N",
            "ID OTHER /v1/models client=127.0.0.1 status=405 error=MethodNotSupported ms=N",
            "ID GET /v1/models client=127.0.0.1 status=403 error=OriginRefused ms=N",
        ]
    );
    for secret in ["the prompt", "THEPROMPT", "the answer", key.trim(), "dummy", "AKIDEXAMPLE"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
    // The same id is in the answer, in the log and in the ledger.
    let id = &complete.headers["x-request-id"];
    assert!(log.contains(&format!(" {id} POST")), "{log}");
    let sql = "SELECT COUNT(*) FROM calls WHERE chatrix_request_id = ?1";
    assert_eq!(home.open().query_row(sql, [id], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn json_lines_hold_the_same_and_numbers_are_numbers() {
    for serve in [
        Chatrix::serve().args(["--log-format", "json"]).config("[budget]\nday_usd = 1\n"),
        Chatrix::serve().config("[budget]\nday_usd = 1\n[serve]\nlog_format = \"json\"\n"),
    ] {
        let bedrock = Bedrock::script([Reply::text("the answer"), Reply::text("the answer")]);
        let server = Server::run(serve.bedrock(&bedrock));
        server.send("POST", "/chat/completions", &[], &question(true));
        server.send("POST", "/v1/completions", &[], "{\"model\": \"no\\u001b\\n such\", \"prompt\": \"the prompt\"}");
        let start = objects(server.start_up());
        assert!(start.iter().all(|line| line["message"].is_string() && line["time"].is_string()), "{start:?}");
        let log = objects(&stop(server));
        let requests: Vec<&Value> = log.iter().filter(|line| line["id"].is_string()).collect();
        let [answered, unknown] = requests[..] else { panic!("{log:?}") };
        for name in ["time", "id", "client", "first_event_ms", "ms"] {
            assert!(!answered[name].is_null(), "{name}: {answered}");
        }
        let expected = json!({
            "method": "POST", "route": "/v1/chat/completions", "model": "nova-micro",
            "used": "us.amazon.nova-micro-v1:0", "status": 200, "input": 10, "output": 5, "cache_read": 0,
            "cache_write": 0, "cost_usd": 0.000_001_05, "budget_left_usd": 0.999_998_95, "retries": 0,
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&answered[name], value, "{name}: {answered}");
        }
        assert_eq!(unknown["model"], "no\u{1b}\n such");
        assert_eq!((&unknown["status"], &unknown["error"]), (&json!(404), &json!("ModelNotFound")));
    }
}

#[test]
fn the_log_can_be_switched_off() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).args(["--log-format", "off"]));
    server.get("/v1/models");
    let log = stop(server);
    assert_eq!(lines(&log), [] as [&str; 0]);
    assert!(log.contains("stopping: "), "notices stay: {log}");
    let wrong = Chatrix::serve().args(["--offline", "--log-format", "xml"]).run().code(2);
    assert!(wrong.stderr.contains("\"xml\" is not off, text or json"), "{wrong:?}");
}

#[test]
fn the_start_says_what_is_in_force() {
    let home = Home::new("[budget]\nrequest_usd = 0.5\nday_usd = 1\n[limits]\nmax_tokens = 100\n");
    Chatrix::keys().home(&home).args(["add", "laptop"]).run().code(0);
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let limits = ["--require-key", "--log", "--max-connections", "1024", "--max-in-flight", "7"];
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock).args(limits));
    let start = server
        .start_up()
        .replace(home.path("").to_str().unwrap(), "HOME/")
        .replace(bedrock.url.trim_start_matches("http://"), "BEDROCK");
    let day = start.lines().find_map(|line| line.split_once("it resets on ")).unwrap().1.to_owned();
    assert_eq!(
        start.replace(&day, "DAY"),
        "config file: HOME/.config/chatrix/config.toml\n\
         AWS credentials: the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; region us-west-2; endpoint \
         BEDROCK (http)\n\
         budgets: at most $0.50 for one request\n\
         budgets: $1.00 left of the day budget of $1.00: $0.00 spent, $0.00 reserved by running calls; it resets on DAY\n\
         limits: answers of 100 tokens for requests that set no limit, and of 1024 at most\n\
         limits: 1024 connections, 7 running answers, and 256 MiB of request bodies in memory\n\
         API keys: 1; every call needs one\n"
    );
}

#[test]
fn bedrocks_id_and_no_account_is_in_the_line() {
    let arn = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc";
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}, "metrics": {"latencyMs": 1},
    });
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-amzn-requestid".to_owned(), "0b9e-7f".to_owned()),
    ];
    let bedrock = Bedrock::script([Reply::Recorded(200, headers, body.to_string().into())]);
    let config = format!("[models.own]\nid = \"{arn}\"\nlike = \"nova-micro\"\n");
    let server = Server::run(Chatrix::serve().bedrock(&bedrock).config(&config));
    let mut asked: Value = serde_json::from_str(&question(false)).unwrap();
    for model in ["own", arn] {
        asked["model"] = json!(model);
        let answer = server.chat(&asked);
        assert_eq!(answer.headers["x-chatrix-model"], "application-inference-profile/abc");
    }
    let log = stop(server);
    let [own, by_arn] = &lines(&log)[..] else { panic!("{log}") };
    assert!(own.contains(" model=own used=application-inference-profile/abc "), "{own}");
    assert!(own.contains(" bedrock_id=0b9e-7f "), "{own}");
    assert!(by_arn.contains(" model=application-inference-profile/abc "), "{by_arn}");
    assert!(!log.contains("123456789012") && !log.contains("arn:"), "{log}");
}

#[test]
fn a_client_that_goes_away_is_logged_as_that() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("half")]), Reply::Silence]);
    let server = Server::start(&bedrock);
    for (stream, calls) in [(true, 1), (false, 2)] {
        let socket = server.open("POST", "/v1/chat/completions", &[], &question(stream));
        crate::support::eventually("the call has arrived", || bedrock.calls().len() == calls);
        if stream {
            let mut first = [0; 16];
            std::io::Read::read_exact(&mut &socket, &mut first).unwrap();
        }
        drop(socket);
        crate::support::eventually("the call is cancelled", || bedrock.abandoned() == calls);
    }
    let log = lines(&stop(server));
    assert!(log[0].contains(" status=200 error=Interrupted "), "{log:?}");
    assert!(log[1].contains(" status=499 error=Interrupted "), "{log:?}");
}

#[test]
fn a_stderr_that_nobody_reads_blocks_nothing() {
    let server = Server::offline();
    // Each line has more than 100 bytes, and a pipe holds 64 KiB: it is full long before the end.
    for _ in 0..800 {
        assert_eq!(server.get("/v1/models/nova-micro").status, 200);
    }
    signal(server.pid(), "TERM");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    assert!(lines(&log).len() > 100);
}

#[test]
fn repetitions_renewals_and_the_ids_of_refused_calls_are_shown() {
    const ID: &str = "8c7b4a3f-11d2-4a90-9f00-123456789012";
    let home = Home::new("");
    let keys = |name: &str| format!("[default]\naws_access_key_id = {name}\naws_secret_access_key = dummy\n");
    home.write(".aws/credentials", &keys("AKIDFIRST"));
    let headers = [("x-amzn-requestid", ID), ("x-amzn-errortype", "ValidationException")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let bedrock = Bedrock::script([
        Reply::text("ok"),
        Reply::Error(429, "ThrottlingException", "Too many requests."),
        Reply::Error(403, "ExpiredTokenException", "The security token included in the request is expired"),
        Reply::text("ok"),
        Reply::Recorded(400, headers, "{\"message\":\"no\"}".into()),
    ]);
    let serve = Chatrix::serve().home(&home).args(["--log-format", "json"]);
    let server = Server::run(serve.env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &bedrock.url));
    let send = || server.send("POST", "/v1/chat/completions", &[], &question(false)).status;
    assert_eq!(send(), 200);
    home.write(".aws/credentials", &keys("AKIDSECOND"));
    assert_eq!((send(), send()), (200, 400));
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("\nchatrix_credential_renewals_total{outcome=\"loaded\"} 1\n"), "{metrics}");
    assert!(metrics.contains("\nchatrix_upstream_retries_total 2\n"), "{metrics}");
    let log = objects(&stop(server));
    let retries: Vec<&Value> = log.iter().filter(|line| line["model"].is_string()).map(|l| &l["retries"]).collect();
    assert_eq!(retries, [0, 2, 0]);
    assert!(log.iter().any(|line| line["bedrock_id"] == ID && line["status"] == 400), "{log:?}");
}
