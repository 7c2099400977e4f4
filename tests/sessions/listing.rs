//! Listing, finding and removing sessions.

use super::{FOLDER, answering, ask, chat, file, files, home, id};
use crate::support::{Chatrix, Home, Terminal};
use serde_json::{Value, json};

/// Writes a session of one exchange, as a chat writes it.
fn write(home: &Home, id: &str, at: i64, model: &str, title: &str) {
    let lines = [
        json!({"chatrix_session": 1, "created": at, "model": model}),
        json!({"event": "question", "at": at, "text": title}),
        json!({"event": "answer", "at": at, "text": "ok", "end": "end_turn", "model": model,
               "cost": {"settled_nano_usd": 1_234_500_000, "at_most_nano_usd": 10_500_000}}),
    ];
    home.write(&format!("{FOLDER}/{id}.jsonl"), &lines.map(|line| format!("{line}\n")).concat());
}

#[test]
fn the_list_fits_the_terminal_and_begins_with_the_newest() {
    let home = home();
    let long = "What is the airspeed velocity of an unladen swallow, and why do you ask me that at this hour?";
    write(&home, "000001", 1_795_000_000_000, "nova-micro", long);
    write(
        &home,
        "000003",
        1_795_000_120_000,
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "日本語で何と言いますか、教えてください、お願いします",
    );
    write(&home, "000002", 1_795_000_060_000, "claude-haiku", "short\nsecond line");
    home.write(&format!("{FOLDER}/notes.txt"), "not ours");
    let list = || Chatrix::chat().arg("--list").home(&home);
    let outcome = list().run().code(0);
    let rows: Vec<&str> = outcome.stdout.lines().collect();
    assert!(rows[0].starts_with("ID      LAST USED (UTC)   MODEL"), "{}", outcome.stdout);
    assert!(rows[1].starts_with("000003  2026-11-18 "), "{}", outcome.stdout);
    assert!(rows[2].starts_with("000002") && rows[2].ends_with("short second line"), "{}", outcome.stdout);
    assert!(rows[3].ends_with(long), "a pipe gets all of it: {}", outcome.stdout);
    assert_eq!(rows.len(), 4);
    let mut terminal = Terminal::start(list(), 80, 24);
    assert_eq!(terminal.exit_code(), Some(0));
    let screen = terminal.wait_for("000001");
    assert_eq!(screen.lines().count(), 4, "no row is wrapped:\n{screen}");
    assert!(screen.contains('…'), "{screen}");
    let parsed: Value = serde_json::from_str(&list().arg("--json").run().code(0).stdout).unwrap();
    let first = &parsed[0];
    assert_eq!((&first["id"], &first["exchanges"], &first["offline"]), (&json!("000003"), &json!(1), &json!(false)));
    assert_eq!((&first["cost_usd"], &first["cost_at_most_usd"]), (&json!(1.2345), &json!(1.245)));
    let empty = Chatrix::chat().arg("--list").run().code(0);
    assert_eq!(
        (empty.stdout.as_str(), empty.stderr.as_str()),
        ("", "there are no saved sessions; `chatrix chat` begins one\n")
    );
}

#[test]
fn a_prefix_finds_one_session_or_lists_what_it_may_mean() {
    let home = home();
    let bedrock = answering(&["ok"]);
    for (number, id) in ["0s4k2m", "0s4k2n", "0t0000"].into_iter().enumerate() {
        write(&home, id, 1_795_000_000_000 + i64::try_from(number).unwrap(), "nova-micro", &format!("about {id}"));
    }
    let resume = |prefix: &str| Chatrix::chat().args(["-r", prefix]).home(&home).bedrock(&bedrock).stdin("hi\n").run();
    resume("0t").code(0).stderr_has("session 0t0000: 1 exchange");
    resume("OS4K2M").code(0).stderr_has("session 0s4k2m: 1 exchange");
    let ambiguous = resume("0s").code(2);
    ambiguous
        .stderr_has("error: 2 sessions have an id that begins with \"0s\"")
        .stderr_has("0s4k2n (about 0s4k2n), 0s4k2m (about 0s4k2m)");
    resume("x")
        .code(2)
        .stderr_has("error: no session has an id that begins with \"x\"; there are 0t0000 (about 0t0000)");
    resume("").code(2);
    resume("../../x").code(2);
    assert_eq!(bedrock.calls().len(), 2);
}

#[test]
fn a_session_can_be_deleted() {
    let (home, bedrock) = (home(), answering(&["ok"]));
    ask(chat(&home, &bedrock), "a secret");
    let id = id(&file(&home));
    Chatrix::chat().args(["--delete", "x"]).home(&home).run().code(2);
    Chatrix::chat()
        .args(["--delete", &id])
        .home(&home)
        .run()
        .code(0)
        .stderr(&format!("deleted session {id}: a secret\n"));
    assert!(files(&home).is_empty());
    Chatrix::chat().args(["--delete", &id]).home(&home).run().code(2).stderr_has("there are no saved sessions");
}

/// Text in which a terminal would find commands, or lines that look like ours.
const HOSTILE: &str = "evil\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r\nerror: forged";

#[test]
fn what_a_session_file_says_cannot_command_the_terminal() {
    let (home, bedrock) = (home(), answering(&["ok"]));
    let model = "us.amazon.nova-micro-v1:0";
    let lines = [
        json!({"chatrix_session": 1, "created": 1, "model": model, "system": HOSTILE, "title": HOSTILE}),
        json!({"event": "question", "at": 1, "text": HOSTILE, "attachments": [{"file": HOSTILE, "size": 1, "text": HOSTILE}]}),
        json!({"event": "answer", "at": 1, "text": HOSTILE, "end": HOSTILE, "model": HOSTILE, "cost": {"settled_nano_usd": u64::MAX}}),
        json!({"event": "question", "at": i64::MAX, "text": HOSTILE,
               "attachments": [{"file": "x.png", "size": 1, "image": "bm90IGFuIGltYWdl"}]}),
        json!({"event": "question", "at": i64::MIN, "text": HOSTILE, "attachments": [{"file": HOSTILE, "size": u64::MAX, "text": HOSTILE}]}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    home.write(&format!("{FOLDER}/000001.jsonl"), &text);
    let commands = ["/cost", "/context", "/system", "/file", "/model", "/undo", "/copy 1", "/help"];
    let mut resumed = Terminal::start(Chatrix::chat().args(["-r", "0"]).home(&home).bedrock(&bedrock), 80, 200);
    resumed.wait_for("/help lists the commands");
    for command in commands {
        resumed.line(command);
        // What is typed while a command runs is offered at the next prompt, and not carried out.
        let is_done = |screen: &str| screen.contains(&format!("> {command}\n")) && screen.ends_with("\n>");
        resumed.wait_until(command, is_done);
    }
    resumed.wait_for("Ctrl-X Ctrl-E");
    resumed.keys("\x04");
    assert_eq!(resumed.exit_code(), Some(0));
    let mut listed = Terminal::start(Chatrix::chat().arg("--list").home(&home), 80, 24);
    listed.exit_code();
    listed.wait_for("evil");
    for written in [resumed.written(), listed.written()] {
        assert!(written.contains("evil"), "{written:?}");
        for sequence in ["\u{1b}]52", "\u{1b}[2J", "\u{9b}", "\u{202e}"] {
            assert!(!written.contains(sequence), "{sequence:?} in {written:?}");
        }
    }
    assert!(resumed.written().contains("1 line of session 000001 is damaged and was left out"));
    let forged = |line: &str| line.trim_start().starts_with("error: forged");
    assert!(!listed.written().lines().any(forged), "a title is one line");
}
