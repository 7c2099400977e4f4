//! The forms in which `chatrix ask` gives its answer to a script: a file, events, the first code block.

use crate::support::{Bedrock, Chatrix, Home, Reply, delta, eventually, signal};
use chatrix::offline::wire;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;

fn ended(text: &str, stop: &'static str) -> Reply {
    Reply::Text(vec![text.to_owned()], stop, (10, 5))
}

fn ask(home: &Home, bedrock: &Bedrock) -> Chatrix {
    Chatrix::ask().args(["--no-stdin", "hi", "-m", "nova-micro"]).home(home).bedrock(bedrock)
}

#[test]
fn a_file_gets_the_whole_answer_and_stdout_nothing() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::text("whole")]);
    let path = home.path("answer.txt");
    fs::write(&path, "something much longer that was there before").unwrap();
    for options in [&["-q"][..], &["-q", "--no-stream"], &["-v"]] {
        let outcome = options.iter().fold(ask(&home, &bedrock), |ask, option| ask.arg(option));
        outcome.args(["-o", path.to_str().unwrap()]).stdout("").code(0);
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\n");
    }
    let object = ask(&home, &bedrock).args(["-q", "--json", "-o", path.to_str().unwrap()]);
    object.stdout("").code(0).stderr("");
    let object: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(object["text"], "whole");
    ask(&home, &bedrock).args(["-q", "-o", "-"]).stdout("whole\n").code(0);
    ask(&home, &bedrock).args(["-q", "-o", "/dev/null"]).stdout("").code(0);
}

#[test]
fn a_file_stays_as_it_was_unless_the_answer_is_whole() {
    let home = Home::new("");
    let path = home.path("answer.txt");
    let file = path.to_str().unwrap();
    let broken = || Reply::Frames(vec![delta("half"), wire::exception("modelStreamErrorException", "It broke.")]);
    for (reply, printed, code) in [
        (ended("half", "max_tokens"), "half\n", 6),
        (ended("half", "content_filtered"), "half\n", 6),
        (ended("", "end_turn"), "", 6),
        (Reply::Frames(vec![delta("half")]), "half\n", 5),
        (broken(), "half\n", 5),
        (Reply::Error(403, "AccessDeniedException", "No."), "", 4),
    ] {
        fs::write(&path, "old").unwrap();
        let bedrock = Bedrock::script([reply]);
        let outcome = ask(&home, &bedrock).args(["-o", file]).stdout(printed).code(code);
        let rest = if printed.is_empty() { "" } else { "; what has come is on stdout" };
        outcome.stderr_has(&format!("answer.txt was not written{rest}\n"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }
    let names: Vec<_> = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_str().unwrap().starts_with(".chatrix-")), "{names:?}");
    let cut = Bedrock::script([ended("half", "max_tokens")]);
    ask(&home, &cut).args(["-q", "--allow-cut", "-o", file]).stdout("").code(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), "half\n");
}

#[test]
fn a_file_that_cannot_be_written_is_found_before_anything_is_sent() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::text("never")]);
    fs::create_dir(home.path("folder")).unwrap();
    symlink("/nowhere/file", home.path("link")).unwrap();
    for name in ["folder", "none/answer.txt", "folder/", ".config/chatrix/config.toml/x"] {
        let path = home.path(name);
        let outcome = ask(&home, &bedrock).args(["-o", path.to_str().unwrap()]).stdout("");
        assert!(outcome.code == Some(1) || outcome.code == Some(2), "{outcome:?}");
        outcome.stderr_has("error: cannot write ");
    }
    assert!(bedrock.calls().is_empty());
}

#[test]
fn a_full_disk_loses_no_answer() {
    let home = Home::new("");
    let bedrock = Bedrock::script([Reply::text("whole")]);
    let outcome = ask(&home, &bedrock).args(["-q", "-o", "/dev/full"]).stdout("whole\n").code(1);
    outcome.stderr("error: cannot write /dev/full: No space left on device (os error 28)\n");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (mut command, _home) = ask(&home, &bedrock).arg("-q").into_command();
    let output = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: stdout cannot be written: No space left on device (os error 28)\n"
    );
}

#[test]
fn events_come_one_a_line() {
    let home = Home::new("");
    let reasoning = |text: &str| {
        wire::event("contentBlockDelta", json!({"delta": {"reasoningContent": {"text": text}}, "contentBlockIndex": 0}))
    };
    let stop = |reason: &str| wire::event("messageStop", json!({"stopReason": reason}));
    let usage = wire::event("metadata", json!({"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}}));
    let whole = vec![reasoning("hm"), delta("one "), delta("two"), stop("end_turn"), usage.clone()];
    let bedrock = Bedrock::script([Reply::Frames(whole)]);
    let outcome = ask(&home, &bedrock).arg("--jsonl").run().code(0).stderr("");
    assert_eq!(
        lines(&outcome.stdout),
        [
            json!({
                "type": "start", "model": "us.amazon.nova-micro-v1:0", "worst_case_usd": 9.079e-5,
                "edits": ["max_tokens unset→512", "temperature unset→0.3", "top_p unset→0.3"],
            }),
            json!({"type": "reasoning", "text": "hm"}),
            json!({"type": "text", "text": "one "}),
            json!({"type": "text", "text": "two"}),
            json!({
                "type": "end", "stop_reason": "end_turn", "cost_usd": 1.05e-6,
                "usage": {
                    "input_tokens": 10, "output_tokens": 5, "cache_read_tokens": 0, "cache_write_tokens": 0,
                },
            }),
        ]
    );
    for (reply, types, code) in [
        (Reply::Frames(vec![delta("half"), stop("max_tokens"), usage]), ["start", "text", "end", "error"], 6),
        (Reply::Frames(vec![delta("half")]), ["start", "text", "error", ""], 5),
        (Reply::Error(403, "AccessDeniedException", "No."), ["error", "", "", ""], 4),
    ] {
        let bedrock = Bedrock::script([reply]);
        let outcome = ask(&home, &bedrock).arg("--jsonl").run().code(code);
        let lines = lines(&outcome.stdout);
        let seen: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert_eq!(seen, types.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>());
        let last = lines.last().unwrap();
        assert_eq!(last["exit_code"], code);
        assert_eq!(outcome.stderr, format!("error: {}\n", last["message"].as_str().unwrap()));
    }
    let stalled = Bedrock::script([Reply::Stall(vec![delta("half")])]);
    let (child, _home) = ask(&home, &stalled).arg("--jsonl").spawn();
    eventually("the call has arrived", || stalled.calls().len() == 1);
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(child.id(), "INT");
    let output = child.wait_with_output().unwrap();
    let last = lines(std::str::from_utf8(&output.stdout).unwrap()).pop().unwrap();
    assert_eq!(last, json!({"type": "error", "message": "stopped", "exit_code": 130}));
}

/// As [`ask`], for code and with one more option.
fn ask_again(home: &Home, bedrock: &Bedrock, option: &str) -> Chatrix {
    Chatrix::ask().args(["hi", "--code", option]).home(home).bedrock(bedrock)
}

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn only_the_first_code_block_is_printed() {
    let home = Home::new("");
    for (answer, code) in [
        ("Sure:\n\n```rust\nfn main() {}\n```\nAnd:\n```\nmore\n```\n", "fn main() {}\n"),
        ("1. So:\n   ~~~~sh\n   ls\n     -l\n   ~~~~\n", "ls\n  -l\n"),
        ("````md\n```\n````\n", "```\n"),
        ("```py\nprint(1)\n\n", "print(1)\n\n"),
    ] {
        let bedrock = Bedrock::script([ended(answer, "end_turn")]);
        for option in ["--no-stdin", "--no-stream"] {
            ask_again(&home, &bedrock, option).arg("-q").stdout(code).code(0).stderr("");
        }
        let path = home.path("code");
        ask(&home, &bedrock).args(["-q", "--code", "-o", path.to_str().unwrap()]).stdout("").code(0);
        assert_eq!(fs::read_to_string(path).unwrap(), code);
    }
    let cut = Bedrock::script([ended("```\nhalf", "max_tokens")]);
    ask(&home, &cut).args(["-q", "--code"]).stdout("half\n").code(6);
    ask(&home, &cut).args(["-q", "--code", "--allow-cut"]).stdout("half\n").code(0);
    let without = Bedrock::script([ended("Just words.", "end_turn")]);
    let outcome = ask(&home, &without).args(["-q", "--code"]).stdout("").code(6);
    outcome.stderr("Just words.\nerror: the answer above has no code block; ask for one in the question\n");
    let cut = Bedrock::script([ended("Just wor", "max_tokens")]);
    for option in ["-q", "--allow-cut"] {
        let outcome = ask_again(&home, &cut, "--no-stdin").arg(option).stdout("").code(6);
        outcome.stderr_has("Just wor\nerror: the answer above has no code block; besides, the answer was cut off");
    }
    for other in ["--json", "--jsonl"] {
        ask(&home, &without).args(["--code", other]).stdout("").code(2);
    }
}

#[test]
fn a_script_may_say_that_it_does_not_mind_a_cut() {
    let home = Home::new("");
    let line = "warning: the answer was cut off at the token limit\n";
    for (text, stop, code, stderr) in [
        ("half", "max_tokens", 0, line),
        ("", "max_tokens", 0, line),
        ("half", "guardrail_intervened", 0, "warning: a guardrail intervened\n"),
        (" ", "end_turn", 0, "warning: the answer is empty\n"),
        ("half", "malformed_model_output", 6, "error: the answer is malformed (malformed_model_output)\n"),
        ("half", "tomorrows_reason", 6, "error: the answer ended with \"tomorrows_reason\"\n"),
    ] {
        let bedrock = Bedrock::script([ended(text, stop)]);
        for option in ["-q", "--no-stream", "--json", "--jsonl"] {
            ask(&home, &bedrock).args(["--allow-cut", option]).run().code(code).stderr(stderr);
        }
    }
}
