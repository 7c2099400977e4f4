//! Text from outside on its way to a terminal: whatever it holds, the terminal obeys none of it, and it stays on the line
//! that it was given.

use crate::support::{Bedrock, Chatrix, Home, Reply, Server, Terminal, delta, signal};
use chatrix::offline::wire;
use serde_json::json;

/// One text with everything that a terminal may obey or hide: OSC, CSI, DCS and APC with ESC and as C1, carriage return
/// and newlines of every kind, overrides and isolates, invisible characters, and an ESC at the end.
const HOSTILE: &str = "evil\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{9b}31m\u{9d}0;t\u{9c}\u{90}q\u{1b}\\\u{1b}_apc\u{1b}\\\r\n\
                       error: forged\u{2028}error: forged\u{85}\u{202e}\u{2066}\u{200b}\u{200e}\u{e0041}\u{feff}\u{7f}\u{8}end\u{1b}";

/// Fails when a text holds anything that a terminal would obey. `terminal`: it was read from one, which ends lines with
/// `\r\n` and holds our own styles and cursor movements.
#[track_caller]
fn assert_harmless(text: &str, terminal: bool) {
    let bad = |c: char| match c {
        '\n' | '\t' => false,
        '\r' | '\u{1b}' | '\u{8}' => !terminal,
        '\u{200b}' | '\u{200e}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{feff}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    };
    assert!(!text.contains(bad), "{text:?}");
    for sequence in ["\u{1b}]", "\u{1b}P", "\u{1b}_", "\u{1b}[2J", "\u{1b}[31m"] {
        assert!(!text.contains(sequence), "{text:?}");
    }
    assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{text:?}");
}

/// Runs a command in pipes and on a terminal. Both outputs must be harmless and mention the hostile text, if `shows`.
#[track_caller]
fn run_both(command: impl Fn() -> Chatrix, shows: bool) {
    let outcome = command().run();
    assert_harmless(&outcome.stderr, false);
    assert_harmless(&outcome.stdout, false);
    assert_eq!(format!("{}{}", outcome.stdout, outcome.stderr).contains("evil"), shows, "{outcome:?}");
    let on_terminal = on_terminal(command());
    assert_harmless(&on_terminal, true);
    assert_eq!(on_terminal.contains("evil"), shows, "{on_terminal:?}");
}

/// What a command writes to a terminal.
fn on_terminal(command: Chatrix) -> String {
    Terminal::wide(command).output()
}

/// A text as a string of a config file.
fn toml_string(text: &str) -> String {
    let escaped = |c: char| {
        if c.is_ascii_alphanumeric() || c == ' ' { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) }
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

fn asked() -> Chatrix {
    Chatrix::ask().args(["--no-stdin", "hi"])
}

#[test]
fn newcomer_01_error_texts_of_bedrock() {
    for reply in [
        Reply::Error(400, "ValidationException", HOSTILE),
        Reply::Error(403, "AccessDeniedException", HOSTILE),
        Reply::Error(403, "UnrecognizedClientException", HOSTILE),
        Reply::Error(404, "ResourceNotFoundException", HOSTILE),
        Reply::Error(418, "SomethingNewException", HOSTILE),
        Reply::Frames(vec![wire::exception("validationException", HOSTILE)]),
        Reply::Frames(vec![delta("half"), wire::exception("modelStreamErrorException", HOSTILE)]),
    ] {
        let bedrock = Bedrock::script([reply]);
        for option in ["-q", "-v"] {
            run_both(|| asked().arg(option).bedrock(&bedrock), true);
        }
        let chat = Chatrix::chat().bedrock(&bedrock).stdin("hi\n").run();
        assert!(chat.stderr.contains("evil"));
        assert_harmless(&chat.stderr, false);
    }
}

#[test]
fn newcomer_01_error_texts_in_a_chat_on_a_terminal() {
    let failing = Reply::Frames(vec![delta("half"), wire::exception("modelStreamErrorException", HOSTILE)]);
    let bedrock = Bedrock::script([Reply::Error(400, "ValidationException", HOSTILE), failing, Reply::text("fine")]);
    let mut chat = Terminal::wide(Chatrix::chat().bedrock(&bedrock));
    for (question, answers) in [("one", 1), ("two", 2), ("three", 3)] {
        chat.line(question);
        chat.wait_until("the answer is shown", |screen| {
            screen.matches("end").count() + screen.matches("fine").count() == answers
        });
        assert_harmless(&chat.written(), true);
    }
}

#[test]
fn newcomer_01_stop_reasons_in_the_footer() {
    let bedrock = Bedrock::script([Reply::Text(vec!["half".into()], HOSTILE, (10, 5))]);
    for option in ["-q", "-v", "--no-stream"] {
        let outcome = asked().arg(option).bedrock(&bedrock).run();
        assert_harmless(&outcome.stderr, false);
        assert_harmless(&on_terminal(asked().arg(option).bedrock(&bedrock)), true);
    }
    let chat = Chatrix::chat().bedrock(&bedrock).stdin("hi\n").run();
    assert!(chat.stderr.contains("evil"));
    assert_harmless(&chat.stderr, false);
}

#[test]
fn answers_and_data_are_sanitized_on_a_terminal_only() {
    let bedrock = Bedrock::script([Reply::Text(vec![HOSTILE.into()], "end_turn", (10, 5))]);
    asked().arg("-q").bedrock(&bedrock).stdout(&format!("{HOSTILE}\n")).code(0);
    let clean = on_terminal(asked().arg("-q").bedrock(&bedrock));
    assert!(clean.contains("evil") && clean.contains("end"));
    // An answer may have lines of its own; nothing else is said with -q.
    assert_harmless(&clean.replace("error: forged", ""), true);
    let piped = asked().args(["-q", "--json"]).bedrock(&bedrock).run().code(0).stdout;
    let shown = on_terminal(asked().args(["-q", "--json"]).bedrock(&bedrock));
    assert_harmless(&shown, true);
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["text"].clone();
    assert_eq!((parse(&piped), parse(&shown)), (json!(HOSTILE), json!(HOSTILE)));
}

#[test]
fn arguments_variables_and_files() {
    let offline = || Chatrix::ask().args(["--offline", "--no-stdin", "hi"]);
    let path = &format!("/nowhere/{HOSTILE}");
    run_both(|| offline().args(["-m", HOSTILE]), true);
    run_both(|| offline().env("CHATRIX_MODEL", HOSTILE), true);
    run_both(|| asked().env("CHATRIX_OFFLINE", HOSTILE), true);
    run_both(|| offline().env("CHATRIX_OFFLINE_PACE", HOSTILE), true);
    run_both(|| Chatrix::serve().env("CHATRIX_PORT", HOSTILE), true);
    run_both(|| Chatrix::serve().env("CHATRIX_HOST", HOSTILE), true);
    run_both(|| offline().args(["--config", path]), true);
    run_both(|| offline().args(["-f", path]), true);
    run_both(|| offline().args(["--schema", path]), true);
    run_both(|| Chatrix::ask().args(["--no-stdin", "hi", "--profile", HOSTILE]), true);
    // What clap says about an argument.
    run_both(|| offline().arg(&format!("--{HOSTILE}")), true);
    run_both(|| offline().args(["--max-tokens", HOSTILE]), true);
    run_both(|| offline().args(["--max-cost", HOSTILE]), true);
    run_both(|| Chatrix::command().arg(HOSTILE), true);
    run_both(|| Chatrix::usage().args(["--by", HOSTILE]), true);
    run_both(|| Chatrix::usage().args(["--since", HOSTILE]), true);
    run_both(|| Chatrix::keys().args(["add", HOSTILE]), true);
    run_both(|| Chatrix::keys().args(["revoke", HOSTILE]), true);
    run_both(|| Chatrix::models().arg(HOSTILE), true);
}

#[test]
fn the_config_file() {
    let evil = toml_string(HOSTILE);
    let own = format!("[models.{evil}]\nid = \"us.amazon.nova-micro-v1:0\"\nlike = \"nova-micro\"\n");
    for args in [&["evil"][..], &["-v", "evil"], &["-q", "evil"], &["--all", "evil"]] {
        let models = || args.iter().fold(Chatrix::models().config(&own), |models, arg| models.arg(arg));
        run_both(models, true);
    }
    for config in [
        format!("default_model = {evil}"),
        format!("{evil} = 1"),
        format!("[limits]\ntemperature = {evil}"),
        format!("[budget]\nday_usd = {evil}"),
        format!("[models.{evil}]\nid = \"x\""),
        format!("[models.{evil}]\nmax_tokens = 5"),
        format!("[models.team]\nid = {evil}"),
        format!("[models.team]\nid = \"us.amazon.nova-micro-v1:0\"\nlike = {evil}"),
    ] {
        run_both(|| Chatrix::models().config(&config), true);
    }
}

#[test]
fn a_credential_helper() {
    let text = HOSTILE.replace('\'', "");
    let config = "[default]\ncredential_process = sh helper.sh\nregion = us-east-1\n";
    let helper = format!("printf '%s' '{text}' >&2; printf '%s' '{text}'; exit 1\n");
    let command = || {
        let ask = Chatrix::ask().args(["--no-stdin", "hi"]).file(".aws/config", config).file("helper.sh", &helper);
        let script = format!("[default]\ncredential_process = sh {}\n", ask.path("helper.sh"));
        ask.file(".aws/config", &script)
    };
    let outcome = command().run();
    assert_harmless(&outcome.stderr, false);
    assert_harmless(&on_terminal(command()), true);
}

#[test]
fn rows_of_the_ledger() {
    let home = Home::new("[budget]\nday_usd = 0.0001\n");
    let bedrock = Bedrock::script([Reply::Cut(vec![delta("half")]), Reply::text("ok")]);
    Chatrix::keys().home(&home).args(["add", "laptop", "--models", "nova-micro"]).run().code(0);
    Chatrix::ask().home(&home).args(["-q", "-m", "nova-micro", "--max-tokens", "9", "hi"]).bedrock(&bedrock).run();
    let ledger = home.open();
    for sql in [
        "UPDATE keys SET name = ?1, models = ?1",
        "UPDATE calls SET model = ?1, command = ?1, request_id = ?1",
        "UPDATE totals SET model = ?1, command = ?1",
    ] {
        assert!(ledger.execute(sql, [HOSTILE]).unwrap() > 0, "{sql}");
    }
    drop(ledger);
    for args in [&["--by", "model"][..], &["--by", "command"], &["--uncertain"]] {
        run_both(|| args.iter().fold(Chatrix::usage().home(&home), |usage, arg| usage.arg(arg)), true);
    }
    run_both(|| Chatrix::keys().home(&home).arg("list"), true);
    for args in [&["--by", "model", "--json"][..], &["--by", "model", "--csv"], &["--uncertain", "--json"]] {
        let text = on_terminal(args.iter().fold(Chatrix::usage().home(&home), |usage, arg| usage.arg(arg)));
        assert!(text.contains("evil"), "{text:?}");
        assert_harmless(&text.replace("error: forged", ""), true);
    }
}

#[test]
fn the_console_and_the_log_of_serve() {
    let home = Home::new(&format!(
        "[models.{}]\nid = \"us.anthropic.claude-sonnet-4-20250514-v1:0\"\nlike = \"claude-sonnet-4\"\n",
        toml_string(HOSTILE)
    ));
    let key = Chatrix::keys().home(&home).args(["add", "laptop", "--day-usd", "0.006"]).run().code(0).stdout;
    let ledger = home.open();
    assert_eq!(ledger.execute("UPDATE keys SET name = ?1", [HOSTILE]).unwrap(), 1);
    drop(ledger);
    let bedrock = Bedrock::script([Reply::retired(), Reply::Measured(1000, 1000)]);
    let server = Server::run(Chatrix::serve().home(&home).bedrock(&bedrock));
    let body = |model: &str| {
        json!({"model": model, "max_tokens": 150, "messages": [{"role": "user", "content": "hi"}]}).to_string()
    };
    let authorization = format!("Bearer {}", key.trim());
    let headers = [("authorization", authorization.as_str())];
    let answer = server.send("POST", "/v1/chat/completions", &headers, &body(HOSTILE));
    assert_eq!(answer.status, 200, "{}", answer.body);
    server.send("POST", "/v1/chat/completions", &headers, &body(&format!("no {HOSTILE}")));
    server.send("GET", "/v1/models", &[("origin", "https://evil.example\u{1b}]0;x")], "");
    server.send("GET", "/v1/models", &[("host", "evil\u{9b}2J.example")], "");
    signal(server.pid(), "TERM");
    let (code, console) = server.wait();
    assert_eq!(code, Some(0));
    assert_harmless(&console, false);
    for part in ["AWS retired evil", "key=\"evil\\u{1b}]52", "model=\"evil\\u{1b}]52", "model=\"no evil\\u{1b}"] {
        assert!(console.contains(part), "{part}: {console}");
    }
}
