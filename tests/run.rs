//! `chatrix run`: what a program in the place of the agent finds, what it may spend, and what is left when it has ended.

use crate::support::{Bedrock, Chatrix, Home, Outcome, Reply, Terminal, eventually, signal};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// Sends a message to the server, and prints the status of the answer.
const ASK: &str = r#"
ask() {
  curl -s -m "${PATIENCE:-60}" -o "$HOME/answer" -w '%{http_code}\n' "$ANTHROPIC_BASE_URL/v1/messages" -d '{"model": "claude-sonnet-4-6",
    "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}' -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN"
}
"#;

/// `chatrix run PROGRAM`, where PROGRAM is this script.
fn run(home: &Home, program: &str, script: &str) -> Chatrix {
    let file = format!("bin/{program}");
    home.write(&file, &format!("#!/bin/sh\n{ASK}\n{script}\n"));
    std::fs::set_permissions(home.path(&file), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").unwrap());
    Chatrix::command().args(["run", program]).home(home).env("PATH", &path)
}

/// The keys, in the order in which they were made.
fn keys(home: &Home, offline: bool) -> Vec<Value> {
    let list = Chatrix::keys().args(["list", "--json"]).home(home);
    let list = if offline { list.arg("--offline") } else { list };
    let listed: Value = serde_json::from_str(&list.run().code(0).stdout).unwrap();
    listed.as_array().unwrap().clone()
}

#[track_caller]
fn only_key_is_revoked(home: &Home, offline: bool) {
    let keys = keys(home, offline);
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(keys[0]["revoked"], true, "{keys:?}");
}

fn read(home: &Home, file: &str) -> String {
    std::fs::read_to_string(home.path(file)).unwrap()
}

#[track_caller]
fn last_line(outcome: &Outcome) -> &str {
    outcome.stderr.lines().last().unwrap_or_default()
}

#[test]
fn the_program_finds_a_server_and_its_cost_is_said() {
    let home = Home::new("[serve]\nport = 1\nhost = \"0.0.0.0\"\nmetrics_addr = \"192.0.2.1:1\"\n");
    let bedrock = Bedrock::script([Reply::Measured(1000, 100)]);
    let script = r#"
env > "$HOME/environment"
printf '%s\n' "$@" > "$HOME/arguments"
cat
ask; ask
curl -s -o "$HOME/answer" -w '%{http_code}\n' "$ANTHROPIC_BASE_URL/v1/models" -H 'authorization: Bearer any'
exit 7"#;
    let outcome = run(&home, "claude", script)
        .bedrock(&bedrock)
        .args(["--max-cost", "2.50", "--model", "claude-opus-4-6", "--", "-p", "two words"])
        .env("ANTHROPIC_API_KEY", "of another")
        .env("CLAUDE_CODE_USE_BEDROCK", "1")
        .env("CLAUDE_CODE_EFFORT", "of the user")
        .env("no_proxy", "example.com")
        .stdin("typed\n")
        .run()
        .code(7);
    // Nobody else may use the server.
    assert_eq!(outcome.stdout, "typed\n200\n200\n401\n", "{outcome:?}");
    assert_eq!(outcome.stderr, "this run cost $0.0099 of $2.50; 2 calls\n");
    assert_eq!(home.booked(), (9_900_000, 0, 0));
    assert_eq!(read(&home, "arguments"), "-p\ntwo words\n");
    only_key_is_revoked(&home, false);

    let environment = read(&home, "environment");
    let value = |name: &str| environment.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    assert_eq!((value("ANTHROPIC_API_KEY"), value("CLAUDE_CODE_USE_BEDROCK")), (None, None));
    assert_eq!(value("CLAUDE_CODE_EFFORT"), Some("of the user"));
    assert_eq!((value("no_proxy"), value("NO_PROXY")), (Some("example.com,127.0.0.1"), Some("127.0.0.1")));
    let url = value("ANTHROPIC_BASE_URL").unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert!(std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err(), "the server has ended");
    // All that `setup` prints is there.
    let setup = ["claude-code", "--model", "claude-opus-4-6", "--url", url];
    let printed = Chatrix::setup().args(setup).home(&home).run().code(0).stdout;
    assert!(printed.lines().count() >= 7, "{printed}");
    for line in printed.lines() {
        let (name, expected) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        let token = name == "ANTHROPIC_AUTH_TOKEN";
        assert!(if token { value(name).unwrap().starts_with("sk-chatrix-") } else { value(name) == Some(expected) });
    }
}

#[test]
fn subagents_spend_no_more_together() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::Measured(5, 100)]);
    let refused = run(&home, "claude", "ask").bedrock(&bedrock).args(["--max-cost", "0.0001"]).run().code(0);
    assert_eq!((refused.stdout.as_str(), bedrock.calls().len()), ("402\n", 0));
    assert_eq!(last_line(&refused), "this run cost $0.00 of $0.0001; 0 calls");
    assert!(read(&home, "answer").contains("budget of key run-"), "{}", read(&home, "answer"));
    // Thirty cost five cents.
    let script = "for n in $(seq 30); do ask & done; wait";
    let outcome = run(&home, "claude", script).bedrock(&bedrock).args(["--max-cost", "0.02"]).run().code(0);
    let count = |status: &str| outcome.stdout.lines().filter(|line| *line == status).count();
    let paid = count("200");
    assert!(paid > 0 && count("402") == 30 - paid && paid < 30, "{outcome:?}");
    let (settled, reserved, uncertain) = home.booked();
    assert!(settled <= 20_000_000 && (reserved, uncertain) == (0, 0), "{settled}");
    assert!(last_line(&outcome).ends_with(&format!(" of $0.02; {paid} calls")), "{outcome:?}");
}

#[test]
fn a_call_without_its_end_is_said() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::Silence]);
    let script = "PATIENCE=0.5; ask; exit 0";
    let outcome = run(&home, "claude", script).bedrock(&bedrock).run().code(0);
    assert!(outcome.stderr.contains("more for calls whose usage never arrived"), "{outcome:?}");
    let (settled, reserved, uncertain) = home.booked();
    assert!((settled, reserved) == (0, 0) && uncertain > 0);
    only_key_is_revoked(&home, false);
}

#[test]
fn it_ends_with_its_program_and_the_other_way_round() {
    for (script, name, code) in [
        ("trap 'exit 3' TERM; while :; do sleep 0.05; done", "TERM", 3),
        ("exec sleep 100", "TERM", 143),
        // It gets ten seconds.
        ("trap '' TERM; while :; do sleep 0.05; done", "TERM", 137),
        ("exec sleep 100", "HUP", 129),
        // No terminal has sent it to the program too.
        ("exec sleep 100", "INT", 130),
    ] {
        let home = Home::new("");
        let script = format!("touch \"$HOME/up\"; {script}");
        let (child, _home) = run(&home, "claude", &script).args(["--offline"]).spawn();
        eventually("the program runs", || home.path("up").exists());
        std::thread::sleep(std::time::Duration::from_millis(100));
        signal(child.id(), name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name} {output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().ends_with("this run cost $0.00 of $5.00; 0 calls\n"));
        only_key_is_revoked(&home, true);
    }
}

#[test]
fn what_is_typed_in_a_terminal_comes_to_the_program_once() {
    let home = Home::new("");
    let script = r#"
n=0; trap 'n=$((n+1))' INT; echo ready
while [ $n = 0 ]; do :; done
i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done
echo "interrupted $n times"; read line; echo "got $line"; exit 5"#;
    let mut terminal = Terminal::start(run(&home, "claude", script).arg("--offline"), 80, 24);
    terminal.wait_for("ready");
    terminal.keys("\x03");
    terminal.wait_for("interrupted 1 times");
    terminal.keys("a line\r");
    terminal.wait_for("got a line");
    terminal.wait_for("this run cost $0.00 of $5.00; 0 calls");
    assert_eq!(terminal.exit_code(), Some(5));
    only_key_is_revoked(&home, true);
}

#[test]
fn codex_gets_arguments_and_a_catalog_for_the_run() {
    let home = Home::new("");
    let script = r#"
printf '%s\n' "$@" > "$HOME/arguments"
for setting in "$@"; do case "$setting" in
  model_catalog_json=*) cat "$(echo "$setting" | cut -d '"' -f 2)";;
  model_providers.chatrix.base_url=*) url=$(echo "$setting" | cut -d '"' -f 2);;
esac; done
curl -s "$url/responses" -d '{"model": "nova-pro", "input": "hi"}' -H "authorization: Bearer $CHATRIX_KEY" > "$HOME/answer""#;
    let args = ["--offline", "-m", "nova-pro", "--", "exec", "hello"];
    let outcome = run(&home, "codex", script).args(args).run().code(0);
    assert!(last_line(&outcome).ends_with(" of $5.00; 1 call"), "{outcome:?}");
    let catalog: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(catalog["models"][0]["slug"], "nova-pro");
    assert!(read(&home, "answer").contains("output_text"), "{}", read(&home, "answer"));
    let arguments = read(&home, "arguments");
    let settings: Vec<&str> = arguments.lines().filter(|line| *line != "-c").collect();
    assert!(settings.ends_with(&["exec", "hello"]) && settings.contains(&"model=\"nova-pro\""), "{settings:?}");
    // All that `setup` prints is there.
    let printed = Chatrix::setup().args(["codex", "-m", "nova-pro"]).home(&home).run().code(0).stdout;
    for key in printed.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| format!("{key}=")) {
        let given =
            |setting: &&str| setting.strip_prefix("model_providers.chatrix.").unwrap_or(setting).starts_with(&key);
        assert!(settings.iter().any(given), "{key} {settings:?}");
    }
    let files = std::fs::read_dir(home.path(".local/state/chatrix")).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("run-")), "{names:?}");
    assert!(!home.path(".codex").exists());
    only_key_is_revoked(&home, true);
}

#[test]
fn nothing_is_made_for_what_cannot_run() {
    let home = Home::new("");
    for (program, package) in [("claude", "@anthropic-ai/claude-code"), ("codex", "@openai/codex")] {
        let missing = Chatrix::command().args(["run", program]).home(&home).env("PATH", "/nowhere");
        missing.stdout("").code(1).stderr_has(&format!("npm install -g {package}"));
    }
    run(&home, "claude", "").args(["--model", "nope"]).stdout("").code(2);
    assert!(!home.ledger().exists());
    // Without credentials no program is started.
    run(&home, "claude", "echo started").stdout("").code(4);
    only_key_is_revoked(&home, false);
}
