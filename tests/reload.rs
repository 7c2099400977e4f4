//! SIGHUP makes `serve` read its config again, without dropping a stream.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, delta, eventually, signal};
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

fn question(tokens: u64) -> Value {
    json!({"model": "nova-micro", "max_tokens": tokens, "messages": [{"role": "user", "content": "hi"}]})
}

/// The highest `max_tokens` that reaches Bedrock.
fn limit(server: &Server, bedrock: &Bedrock) -> Value {
    assert_eq!(server.chat(&question(5000)).status, 200);
    bedrock.calls().last().unwrap().body["inferenceConfig"]["maxTokens"].clone()
}

fn reload(server: &Server, home: &Home, config: &str) {
    home.configure(config);
    signal(server.pid(), "HUP");
}

#[test]
fn a_reload_takes_what_can_change_and_keeps_a_stream() {
    let home = Home::new("[limits]\nmax_tokens_limit = 700\n");
    let bedrock = Bedrock::script([Reply::text("ok"), Reply::Stall(vec![delta("half")]), Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    assert_eq!(limit(&server, &bedrock), 700);
    let mut streamed = question(5);
    streamed["stream"] = json!(true);
    let mut stream = server.open("POST", "/v1/chat/completions", &[], &streamed.to_string());
    stream.read_exact(&mut [0; 16]).unwrap();
    reload(
        &server,
        &home,
        "stream_idle_seconds = 7\n[limits]\nmax_tokens_limit = 800\n[budget]\nday_usd = 0.5\n[ledger]\nkeep_days = 7\n\
         [serve]\nmax_in_flight = 7\n\
         allow_origins = [\"https://ui.example\"]\nlog_format = \"off\"\n",
    );
    eventually("the new limit holds", || limit(&server, &bedrock) == 800);
    let headers = [("origin", "https://ui.example")];
    assert_eq!(server.send("GET", "/v1/models", &headers, "").status, 200);
    let answer = server.chat(&question(5));
    assert!(answer.headers["x-chatrix-budget-remaining-usd"].starts_with("0.49"), "{answer:?}");
    assert_eq!(bedrock.abandoned(), 0, "the stream runs");
    drop(stream);
    eventually("the stream is cancelled only now", || bedrock.abandoned() == 1);
    signal(server.pid(), "TERM");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    let notices = log.lines().skip_while(|line| !line.starts_with("reloaded"));
    let notices: Vec<&str> = notices.filter(|line| !line.starts_with("20")).collect();
    let config = home.path(".config/chatrix/config.toml");
    assert_eq!(notices[0], format!("reloaded the config file {}", config.display()));
    for (notice, name) in notices[1..].iter().zip(["max_in_flight", "keep_days", "stream_idle_seconds"]) {
        assert_eq!(*notice, format!("{name} cannot change while the server runs; restart it for that"));
    }
    // The budgets are read while calls go on, and a call may be booked before.
    let budgets = notices[4].strip_prefix("budgets: $0.").unwrap();
    assert!(budgets.contains(" left of the day budget of $0.50"), "{notices:?}");
}

#[test]
fn a_mistake_changes_nothing_and_is_one_line() {
    let home = Home::new("[limits]\nmax_tokens_limit = 700\n");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    for config in ["[limits]\nmax_tokens_limit = \"x\"\n", "[serve]\nport = 3000\nnonsense = 1\n", "\u{1b}]0;\n"] {
        reload(&server, &home, config);
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(limit(&server, &bedrock), 700);
    // The next one without a mistake is taken.
    reload(&server, &home, "[limits]\nmax_tokens_limit = 900\n");
    eventually("the new limit holds", || limit(&server, &bedrock) == 900);
    signal(server.pid(), "TERM");
    let (_, log) = server.wait();
    let refused: Vec<&str> = log.lines().filter(|line| line.contains("was not reloaded")).collect();
    assert!((1..=3).contains(&refused.len()), "signals may be taken together: {log}");
    assert!(refused[0].contains("config.toml:"), "{refused:?}");
    assert!(!log.contains('\u{1b}'));
}

#[test]
fn a_lowered_budget_holds_for_the_next_call() {
    let home = Home::new("[budget]\nday_usd = 1\n");
    let bedrock = Bedrock::script([Reply::Measured(1_000, 1_000)]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    assert_eq!(server.chat(&question(1000)).status, 200);
    reload(&server, &home, "[budget]\nday_usd = 0.0001\n");
    eventually("the new budget holds", || server.chat(&question(1000)).status == 402);
}

#[test]
fn protection_is_not_dropped() {
    let home = Home::new("[serve]\nrequire_key = true\n");
    let key = Chatrix::keys().home(&home).args(["add", "laptop"]).run().code(0).stdout;
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock).args(["--host", "0.0.0.0"]));
    let authorization = format!("Bearer {}", key.trim());
    let headers = [("authorization", authorization.as_str())];
    let host = format!("127.0.0.1:{}", server.port());
    let get = |headers: &[(&str, &str)]| server.send("GET", "/v1/models", &[headers, &[("host", &host)]].concat(), "");
    assert_eq!((get(&[]).status, get(&headers).status), (401, 200));
    reload(&server, &home, "# nothing\n");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(get(&[]).status, 401, "calls still need a key");
    signal(server.pid(), "TERM");
    let (_, log) = server.wait();
    assert!(log.contains("nothing has changed: 0.0.0.0 (from the start of this server) is reachable"), "{log}");
}

#[test]
fn a_closed_window_stops_the_server_and_a_hangup_in_an_open_one_reloads() {
    let home = Home::new("");
    // The server must not inherit the other end.
    let terminal = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let its_end = File::options().read(true).write(true).open(ptsname_r(&terminal).unwrap()).unwrap();
    let serve = Chatrix::serve().home(&home).args(["--offline", "--port", "0"]);
    let (mut command, _home) = serve.into_command();
    let mut child = command.stdin(Stdio::from(its_end)).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("in Jan")));
    signal(child.id(), "HUP");
    assert!(lines.any(|line| line.starts_with("reloaded")));
    drop(terminal);
    signal(child.id(), "HUP");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_config_file_that_is_gone_or_empty_changes_nothing() {
    let home = Home::new("[limits]\nmax_tokens_limit = 700\n");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let path = home.path(".config/chatrix/config.toml");
    std::fs::write(&path, "").unwrap();
    signal(server.pid(), "HUP");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(limit(&server, &bedrock), 700);
    std::fs::remove_file(&path).unwrap();
    signal(server.pid(), "HUP");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(limit(&server, &bedrock), 700);
    let log = server.stop();
    for what in ["empty", "gone"] {
        let expected = format!("nothing has changed: the config file {} is {what}", path.display());
        assert!(log.contains(&expected), "{log}");
    }
}

#[test]
fn a_budget_that_a_reload_brings_guards_the_ledger() {
    let home = Home::new("# no budget yet\n");
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    assert_eq!(server.chat(&question(5)).status, 200);
    home.at_rest();
    reload(&server, &home, "[budget]\nday_usd = 1\n");
    eventually("the budget holds", || {
        server.get("/metrics").body.contains("chatrix_budget_limit_dollars{budget=\"day\"")
    });
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", home.ledger().display()));
    }
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // Reading first does not make another ledger the right one.
    assert_eq!((server.get("/readyz").status, server.chat(&question(5)).status), (503, 503));
}
