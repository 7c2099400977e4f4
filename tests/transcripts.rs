//! What people see: the help of every command and its typical errors, compared exactly with `tests/transcripts/`.
//!
//! Each file holds the runs of one command. A run is what was given besides after `#`, its command line after
//! `$`, then stdout, then each line of stderr after `2> `, then `exit CODE` unless it is 0. The home folder is written `~`. After a change of wording, run
//! `CHATRIX_REWRITE_TRANSCRIPTS=1 cargo test --test chatrix transcripts::` and read the difference: every sentence in
//! it must be one that a person who does not know the sources understands.

use crate::support::{Bedrock, Chatrix, Home, Reply, delta};
use chatrix::offline::wire;
use std::path::Path;

/// Collects the runs of one command, and compares them at the end.
struct Transcript {
    command: &'static str,
    home: Home,
    text: String,
}

impl Transcript {
    fn of(command: &'static str) -> Self {
        Self { command, home: Home::new(""), text: String::new() }
    }

    /// A run without AWS, of `chatrix COMMAND ARGS`.
    fn run(&mut self, args: &[&str]) -> &mut Self {
        self.run_with("", args, |chatrix| chatrix)
    }

    /// A run with something else that its command line does not show; `given` says what.
    fn run_with(&mut self, given: &str, args: &[&str], setup: impl FnOnce(Chatrix) -> Chatrix) -> &mut Self {
        let command = args.iter().fold(Chatrix::command().arg(self.command), |chatrix, arg| chatrix.arg(arg));
        let outcome = setup(command.home(&self.home)).run();
        let quoted = args.iter().map(|arg| if arg.contains(' ') { format!("{arg:?}") } else { (*arg).to_owned() });
        let line = quoted.fold(format!("$ chatrix {}", self.command), |line, arg| format!("{line} {arg}"));
        let home = self.home.path("").to_str().unwrap().trim_end_matches('/').to_owned();
        let clean = |text: &str| same_times(&text.replace(&home, "~"));
        let (stdout, stderr) = (clean(&outcome.stdout), clean(&outcome.stderr));
        if !given.is_empty() {
            self.text.push_str(&format!("# {given}\n"));
        }
        self.text.push_str(&format!("{}\n{stdout}", line.trim_end()));
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            self.text.push('\n');
        }
        for line in stderr.lines() {
            self.text.push_str(format!("2> {line}").trim_end());
            self.text.push('\n');
        }
        if let Some(code) = outcome.code.filter(|code| *code != 0) {
            self.text.push_str(&format!("exit {code}\n"));
        }
        self.text.push('\n');
        self
    }

    #[track_caller]
    fn compare(&self) {
        let name = self.command;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/transcripts/{name}.txt"));
        if std::env::var_os("CHATRIX_REWRITE_TRANSCRIPTS").is_some() {
            std::fs::write(&path, &self.text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        for (line, (expected, seen)) in expected.lines().zip(self.text.lines()).enumerate() {
            assert_eq!(seen, expected, "tests/transcripts/{name}.txt:{}", line + 1);
        }
        assert_eq!(self.text, expected, "tests/transcripts/{name}.txt");
    }
}

/// The text with times that differ from run to run made the same.
fn same_times(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(ToOwned::to_owned).collect();
    for index in 1..words.len() {
        let unit = words[index].trim_end_matches(|c: char| !c.is_alphabetic()).to_owned();
        let is_time = words[index - 1].parse::<f64>().is_ok() && words[index - 1] != "0";
        match unit.split(['\n', '"']).next() {
            Some("ms") if is_time => "7".clone_into(&mut words[index - 1]),
            Some("s") if index > 1 && words[index - 2] == "in" => "0.2".clone_into(&mut words[index - 1]),
            _ => {}
        }
    }
    words.join(" ")
}

#[test]
fn ask() {
    let cut_off = Bedrock::script([Reply::Text(vec!["half".into()], "max_tokens", (10, 5))]);
    let lost = Bedrock::script([Reply::Frames(vec![delta("half")])]);
    let failed = Bedrock::script([Reply::Frames(vec![
        delta("half"),
        wire::exception("modelStreamErrorException", "It broke."),
    ])]);
    let denied = Bedrock::script([Reply::Error(403, "AccessDeniedException", "You may not.")]);
    let filtered = Bedrock::script([Reply::Text(vec!["half".into()], "content_filtered", (10, 5))]);
    let said = Bedrock::script([Reply::text("ok")]);
    Transcript::of("ask")
        .run(&["--help"])
        .run(&["--offline", "echo hello"])
        .run(&["--offline", "-q", "echo hello"])
        .run(&["--offline", "-q", "--json", "-m", "nova-micro", "echo hello"])
        .run(&["--offline", "-q", "--dry-run", "-m", "nova-micro", "--max-tokens", "9999", "echo hello"])
        .run(&["--offline"])
        .run(&["--offline", "-m", "claude-sonet-4", "hi"])
        .run(&["--offline", "--max-tokens", "0", "hi"])
        .run(&["--offline", "--max-tokens", "many", "hi"])
        .run(&["--offline", "--max-cost", "five", "hi"])
        .run(&["--offline", "--max-cost", "0.000001", "hi"])
        .run(&["--offline", "-q", "-v", "hi"])
        .run(&["--offline", "--frob", "hi"])
        .run(&["--offline", "-f", "/nowhere/x", "hi"])
        .run_with("stdin holds []", &["--offline", "--schema", "/dev/stdin", "--no-stdin", "hi"], |ask| ask.stdin("[]"))
        .run_with("stdin holds {", &["--offline", "--schema", "/dev/stdin", "--no-stdin", "hi"], |ask| ask.stdin("{"))
        .run_with("stdin holds the byte 0xFF", &["--offline"], |ask| ask.stdin_bytes(b"\xff"))
        .run_with("stdin holds a WAV file", &["--offline", "-f", "-"], |ask| ask.stdin_bytes(b"RIFF\0\0\0\0WAVE\xff"))
        .run_with("CHATRIX_OFFLINE=maybe", &["hi"], |ask| ask.env("CHATRIX_OFFLINE", "maybe"))
        .run_with("the model reaches the token limit", &["hi"], |ask| {
            ask.bedrock(&cut_off).env("CHATRIX_MODEL", "nova-micro")
        })
        .run_with("a content filter stops the answer", &["hi"], |ask| ask.bedrock(&filtered))
        .run_with("the stream ends without a stop reason", &["hi"], |ask| ask.bedrock(&lost))
        .run_with("the model fails in mid-stream", &["hi"], |ask| ask.bedrock(&failed))
        .run_with("AWS denies access", &["-m", "nova-micro", "hi"], |ask| ask.bedrock(&denied))
        .run_with("a retired model still answers", &["-m", "claude-sonnet-4", "hi"], |ask| ask.bedrock(&said))
        .compare();
}

#[test]
fn chat() {
    let lines = "\n/help\n/cost\n/model\n/model nova-micro\n/model nope\n/system\n/system Be brief.\n/system\n/system none\n\
                 /clear\n/modle\n";
    let refused = Bedrock::script([Reply::Error(400, "ValidationException", "Nope.")]);
    Transcript::of("chat")
        .run(&["--help"])
        .run_with("stdin holds one line for each command", &["--offline"], |chat| chat.stdin(lines))
        .run_with("stdin holds a line that is not UTF-8", &["--offline"], |chat| chat.stdin_bytes(b"\xff\n"))
        .run_with("stdin holds a question and /cost", &["--offline", "--max-cost", "0.000001"], |chat| {
            chat.stdin("hi\n/cost\n")
        })
        .run_with("Bedrock refuses the question", &[], |chat| chat.stdin("hi\n").bedrock(&refused))
        .run_with("stdin is empty", &["--max-cost", "-1"], |chat| chat.stdin(""))
        .compare();
}

#[test]
fn models() {
    Transcript::of("models")
        .run(&["--help"])
        .run(&["nova"])
        .run(&["-v", "claude-haiku"])
        .run(&["nothing-like-this"])
        .run(&["--json", "--quiet"])
        .run(&["--config", "/nowhere/x.toml"])
        .run_with("CHATRIX_MODEL=nope", &[], |models| models.env("CHATRIX_MODEL", "nope"))
        .compare();
}

#[test]
fn ledger() {
    let mut transcript = Transcript::of("ledger");
    transcript.run(&["--help"]).run(&["check", "--help"]).run(&["accept", "--help"]).run(&["audit", "--help"]);
    transcript.run(&["audit"]).run(&["audit", "--since", "soon"]).run(&["check"]).run(&["accept"]).run(&["check"]);
    transcript.compare();
}

#[test]
fn doctor() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    // Through a proxy, so that the address does not differ from run to run. The port is none of those that the system hands
    // out, which the server of another test may have.
    let at_bedrock = |doctor: Chatrix| {
        doctor
            .env("AWS_ENDPOINT_URL", "http://bedrock.example")
            .env("HTTP_PROXY", &bedrock.url)
            .env("CHATRIX_PORT", "8417")
    };
    let healthy = |doctor: Chatrix| at_bedrock(doctor).credentials();
    let refused = Bedrock::script([Reply::text("never")]);
    refused.control().refusals.insert("sts", (400, "ExpiredToken", "The security token has expired."));
    Transcript::of("doctor")
        .run(&["--help"])
        .run_with("an account that may call everything", &[], healthy)
        .run_with("an account that may call everything", &["--call", "-m", "nova-micro"], healthy)
        .run_with("the same", &["--json", "--offline"], |doctor| doctor.env("CHATRIX_PORT", "8417"))
        .run_with("no credentials", &[], at_bedrock)
        .run_with("keys that have expired, and a retired model", &["-m", "claude-sonnet-4"], |doctor| {
            healthy(doctor).env("HTTP_PROXY", &refused.url).env("AWS_SESSION_TOKEN", "old")
        })
        .run_with("nothing listens at the endpoint", &[], |doctor| {
            healthy(doctor).env("HTTP_PROXY", "").env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        })
        .run_with("AWS_ENDPOINT_URL_BEDROCK_RUNTIME=notaurl", &[], |doctor| {
            healthy(doctor).env("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "notaurl")
        })
        .run_with("CHATRIX_MODEL=nope", &[], |doctor| healthy(doctor).env("CHATRIX_MODEL", "nope"))
        .compare();
}

#[test]
fn usage() {
    Transcript::of("usage")
        .run(&["--help"])
        .run(&["settle", "--help"])
        .run(&["--since", "2026-11-01"])
        .run(&["--since", "yesterday"])
        .run(&["--by", "hour"])
        .run(&["--uncertain"])
        .run(&["--json", "--csv"])
        .run(&["settle", "7", "--usd", "1"])
        .run(&["settle", "7"])
        .compare();
}

#[test]
fn keys() {
    Transcript::of("keys")
        .run(&["--help"])
        .run(&["add", "--help"])
        .run(&["list", "--help"])
        .run(&["rotate", "--help"])
        .run(&["move", "--help"])
        .run(&["revoke", "--help"])
        .run(&[])
        .run(&["list"])
        .run(&["add", "two words"])
        .run(&["add", "laptop", "--models", "nope"])
        .run(&["add", "laptop", "--day-usd", "-1"])
        .run(&["add", "laptop", "--rpm", "0"])
        .run(&["add", "laptop", "--max-tokens", "2000"])
        .run(&["add", "laptop", "--for", "robots"])
        .run(&["add", "laptop", "--expires", "soon"])
        .run(&["add", "laptop", "--expires", "2001-01-01"])
        .run(&["add", "laptop", "--group", "nobody"])
        .run(&["move", "laptop"])
        .run(&["move", "laptop", "--no-group"])
        .run(&["rotate", "laptop"])
        .run(&["rotate", "laptop", "--overlap", "-1h"])
        .run(&["revoke", "laptop"])
        .compare();
}

#[test]
fn groups() {
    Transcript::of("groups")
        .run(&["--help"])
        .run(&["add", "--help"])
        .run(&["list", "--help"])
        .run(&["set", "--help"])
        .run(&["remove", "--help"])
        .run(&[])
        .run(&["list"])
        .run(&["add", "two words"])
        .run(&["add", "research", "--day-usd", "a lot"])
        .run(&["add", "research", "--day-usd", "50", "--each-day-usd", "5"])
        .run(&["add", "research"])
        .run(&["add", "testers"])
        .run(&["set", "research"])
        .run(&["set", "research", "--day-usd", "none", "--month-usd", "900"])
        .run(&["set", "researhc", "--day-usd", "1"])
        .run(&["list"])
        .run(&["list", "--json"])
        .run(&["remove", "testers"])
        .run(&["remove", "testers"])
        .compare();
}

#[test]
fn setup() {
    Transcript::of("setup")
        .run(&["--help"])
        .run(&["claude-code", "--help"])
        .run(&["codex", "--help"])
        .run(&["jan", "--help"])
        .run(&[])
        .run(&["claude-code"])
        .run(&["codex"])
        .run(&["jan"])
        .run(&["claude-code", "--url", "localhost:3000"])
        .run(&["claude-code", "--key-env", "MY-KEY"])
        .run(&["claude-code", "--key", "laptop"])
        .run(&["codex", "--model", "claude-sonet-4"])
        .run(&["codex", "--overwrite"])
        .compare();
}

#[test]
fn run() {
    Transcript::of("run")
        .run(&["--help"])
        .run(&[])
        .run(&["frob"])
        .run(&["claude", "-p", "hi"])
        .run(&["claude", "--max-cost", "-1"])
        .run(&["codex", "--model", "claude-sonet-4"])
        .run_with("claude is not installed", &["claude"], |run| run.env("PATH", "/nowhere"))
        .run_with("codex is not installed", &["codex"], |run| run.env("PATH", "/nowhere"))
        .compare();
}

#[test]
fn serve() {
    Transcript::of("serve")
        .run(&["--help"])
        .run(&["--offline", "--host", "0.0.0.0"])
        .run(&["--offline", "--host", "here"])
        .run(&["--offline", "--host", "192.0.2.1", "--allow-unauthenticated"])
        .run_with("CHATRIX_PORT=http", &["--offline"], |serve| serve.env("CHATRIX_PORT", "http"))
        .compare();
}

#[test]
fn completions() {
    Transcript::of("completions").run(&["--help"]).run(&["tcsh"]).run(&[]).compare();
}

#[test]
fn without_a_command() {
    Transcript::of("help").run(&[]).run(&["frob"]).compare();
}
