//! When the ledger cannot be written: a budget that cannot be kept is not spent, and without one calls go on.

use super::{COST, ask, day, question, serve, worst};
use crate::support::{Bedrock, Chatrix, Home, Reply, eventually};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_ledger_locked_by_another_process() {
    let (home, bedrock) = (Home::new(&day(1_000_000)), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    home.at_rest();
    let other = home.open();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = server.chat(&question(&json!({})));
    assert_eq!(refused.error(), (503, "server_error".into(), "ledger_unavailable".into()));
    assert_eq!(refused.headers["x-should-retry"], "false");
    assert_eq!(bedrock.calls().len(), 1);
    home.configure("");
    let outcome = ask(&home, &bedrock).stdout("ok\n").code(0);
    outcome.stderr_has("warning: the ledger ").stderr_has("calls go on, and are booked only if that changes");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.chat(&question(&json!({}))).status, 200, "and goes on by itself");
    assert_eq!(home.at_rest(), (2 * COST, 0, 0));
}

#[test]
fn a_settlement_that_cannot_be_written_is_written_later() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    // The answer comes only once the ledger is locked: otherwise a slow machine settles the call before that.
    bedrock.hold();
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| server.chat(&question(&json!({"stream": true}))));
        eventually("the call is booked", || home.booked().1 == worst(512));
        let other = home.open();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        bedrock.go_on();
        let answer = answer.join().unwrap();
        std::thread::sleep(Duration::from_secs(4)); // longer than the ledger is waited for
        assert_eq!(home.booked(), (0, worst(512), 0));
        other.execute_batch("ROLLBACK").unwrap();
        answer
    });
    assert_eq!(answer.status, 200);
    assert_eq!(home.at_rest(), (COST, 0, 0));
}

#[test]
fn a_call_that_could_not_be_booked_is_booked_later() {
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    home.at_rest();
    let other = home.open();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(server.chat(&question(&json!({}))).status, 200, "there is no budget");
    other.execute_batch("ROLLBACK").unwrap();
    eventually("it is booked", || home.booked() == (2 * COST, 0, 0));
}

/// `ask`, started by a shell that has spoilt the disk for it.
fn on_a_spoilt_disk(home: &Home, bedrock: &Bedrock, shell: &[&str]) -> std::process::Output {
    let (command, _own) = ask(home, bedrock).into_command();
    let mut spoilt = std::process::Command::new(shell[0]);
    spoilt.args(&shell[1..]).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        spoilt.env(name, value.unwrap());
    }
    spoilt.stdin(std::process::Stdio::null()).output().unwrap()
}

/// No file may grow. A signal that is ignored stays so in the program that follows: the write fails instead.
const NO_GROWTH: [&str; 3] = ["sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""];
/// A file system of its own, with room for nothing much.
const SMALL: [&str; 6] = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs -o size=32k none \"$HOME/.local/state\" || exit 77; exec \"$0\" \"$@\"",
];

#[test]
fn a_disk_that_is_full() {
    for shell in [&NO_GROWTH[..], &SMALL] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let home = Home::new(&day(1_000_000));
        ask(&home, &bedrock).stdout("ok\n").code(0);
        let before = home.booked();
        let output = on_a_spoilt_disk(&home, &bedrock, shell);
        let stderr = String::from_utf8(output.stderr).unwrap();
        if output.status.code() == Some(77) || stderr.starts_with("unshare: ") {
            println!("skipped: no file system can be mounted here");
            continue;
        }
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{stderr}");
        assert!(stderr.contains("error: the ledger "), "{stderr}");
        assert!(stderr.contains("a budget is set, so no call is made"), "{stderr}");
        assert_eq!((bedrock.calls().len(), home.booked()), (1, before));
        home.configure("");
        let output = on_a_spoilt_disk(&home, &bedrock, shell);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"ok\n"[..]));
        home.configure(&day(1_000_000));
        ask(&home, &bedrock).stdout("ok\n").code(0);
        assert_eq!(home.at_rest(), (2 * COST, 0, 0), "and it is whole when there is room again");
    }
}

#[test]
fn a_ledger_that_was_removed_is_begun_anew() {
    let (home, bedrock) = (Home::new(&day(1_000_000)), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    home.at_rest();
    std::fs::remove_dir_all(home.path(".local")).unwrap();
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    assert_eq!(home.at_rest(), (COST, 0, 0), "and shared with whoever opens it next");
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    for (content, said) in [(&b"not a database, but somebody's text of some length"[..], "not a database"), (b"", "")] {
        let home = Home::new(&day(1_000_000));
        std::fs::create_dir_all(home.ledger().parent().unwrap()).unwrap();
        std::fs::write(home.ledger(), content).unwrap();
        let outcome = ask(&home, &bedrock).run();
        if said.is_empty() {
            outcome.code(0);
        } else {
            outcome.code(1).stderr_has(said).stderr_has("ledger.db");
            assert_eq!(std::fs::read(home.ledger()).unwrap(), content);
            Chatrix::usage().home(&home).run().code(1).stderr_has(said);
        }
    }
    let home = Home::new(&day(1_000_000));
    std::fs::create_dir_all(home.ledger().parent().unwrap()).unwrap();
    home.open().execute_batch("CREATE TABLE theirs (x)").unwrap();
    ask(&home, &bedrock).run().code(1).stderr_has("a database of another program");
    let home = Home::new(&day(1_000_000));
    ask(&home, &bedrock).run().code(0);
    home.open().execute_batch("PRAGMA user_version = 99").unwrap();
    ask(&home, &bedrock).run().code(1).stderr_has("written by a newer chatrix (version 99");
}
