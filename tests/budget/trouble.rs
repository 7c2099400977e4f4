//! When the ledger cannot be written, calls under a budget are refused, and calls without a budget continue. These are the
//! troubles of a file; those of a database are in `fleet`.

use super::{COST, ask, day, question, serve, worst};
use crate::support::{Bedrock, Chatrix, Home, Reply, eventually};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_ledger_locked_by_another_process() {
    if !Home::has_file() {
        return;
    }
    let (home, bedrock) = (Home::new(&day(1_000_000)), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    home.at_rest();
    let other = home.open();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = server.chat(&question(&json!({})));
    assert_eq!(refused.error(), (503, "server_error".into(), "ledger_unavailable".into()));
    assert_eq!(refused.headers["retry-after"], "1", "nothing was sent, so it can be tried again");
    assert_eq!(bedrock.calls().len(), 1);
    home.configure("");
    let outcome = ask(&home, &bedrock).stdout("ok\n").code(0);
    outcome.stderr_has("warning: the ledger ").stderr_has("calls continue, but are booked only if that changes");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.chat(&question(&json!({}))).status, 200, "the server recovers by itself");
    assert_eq!(home.at_rest(), (2 * COST, 0, 0));
    let log = server.stop();
    let told: Vec<_> = log.lines().filter(|line| line.contains("the ledger can")).collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(told[0].starts_with("warning: the ledger cannot be used: ") && told[0].contains("locked"), "{log}");
    assert_eq!(told[1], "the ledger can be used again");
}

#[test]
fn a_settlement_that_cannot_be_written_is_written_later() {
    if !Home::has_file() {
        return;
    }
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    // The answer is held back until the ledger is locked, because the call could be settled before that otherwise.
    bedrock.hold();
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| server.chat(&question(&json!({"stream": true}))));
        eventually("the call is booked", || home.booked().1 == worst(512));
        let other = home.open();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        bedrock.go_on();
        let answer = answer.join().unwrap();
        std::thread::sleep(Duration::from_secs(4)); // longer than the ledger waits for a lock
        assert_eq!(home.booked(), (0, worst(512), 0));
        other.execute_batch("ROLLBACK").unwrap();
        answer
    });
    assert_eq!(answer.status, 200);
    assert_eq!(home.at_rest(), (COST, 0, 0));
}

#[test]
fn a_call_that_could_not_be_booked_is_booked_later() {
    if !Home::has_file() {
        return;
    }
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

/// Runs `ask` from a shell that has taken away the space on its disk.
fn on_a_full_disk(home: &Home, bedrock: &Bedrock, shell: &[&str]) -> std::process::Output {
    let (command, _own) = ask(home, bedrock).into_command();
    let mut shell_command = std::process::Command::new(shell[0]);
    shell_command.args(&shell[1..]).arg(command.get_program()).args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        shell_command.env(name, value.unwrap());
    }
    shell_command.stdin(std::process::Stdio::null()).output().unwrap()
}

/// No file may grow. The program inherits that the signal is ignored, so the write fails instead.
const NO_GROWTH: [&str; 3] = ["sh", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""];
/// A file system of its own, with very little space.
const SMALL_DISK: [&str; 6] = [
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs -o size=32k none \"$HOME/.local/state\" || exit 77; exec \"$0\" \"$@\"",
];

#[test]
fn a_disk_that_is_full() {
    if !Home::has_file() {
        return;
    }
    for shell in [&NO_GROWTH[..], &SMALL_DISK] {
        let bedrock = Bedrock::script([Reply::text("ok")]);
        let home = Home::new(&day(1_000_000));
        ask(&home, &bedrock).stdout("ok\n").code(0);
        let before = home.booked();
        let output = on_a_full_disk(&home, &bedrock, shell);
        let stderr = String::from_utf8(output.stderr).unwrap();
        if output.status.code() == Some(77) || stderr.starts_with("unshare: ") {
            println!("skipped: this machine does not allow a file system to be mounted");
            continue;
        }
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{stderr}");
        assert!(stderr.contains("error: the ledger "), "{stderr}");
        assert!(stderr.contains("a budget is set, so no call is made"), "{stderr}");
        assert_eq!((bedrock.calls().len(), home.booked()), (1, before));
        home.configure("");
        let output = on_a_full_disk(&home, &bedrock, shell);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"ok\n"[..]));
        home.configure(&day(1_000_000));
        ask(&home, &bedrock).stdout("ok\n").code(0);
        assert_eq!(home.at_rest(), (2 * COST, 0, 0), "the ledger works when there is space again");
    }
}

#[test]
fn without_a_budget_a_ledger_that_was_removed_is_created_again() {
    if !Home::has_file() {
        return;
    }
    let (home, bedrock) = (Home::new(""), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    home.at_rest();
    std::fs::remove_dir_all(home.path(".local")).unwrap();
    assert_eq!(server.chat(&question(&json!({}))).status, 200);
    assert_eq!(home.at_rest(), (COST, 0, 0), "the new ledger is on disk for other processes");
    assert!(server.stop().contains("warning: the ledger was removed, replaced or set back"));
}

#[test]
fn a_file_that_is_not_a_ledger_is_not_changed() {
    if !Home::has_file() {
        return;
    }
    let bedrock = Bedrock::script([Reply::text("ok")]);
    for (content, message) in
        [(&b"not a database, but somebody's text of some length"[..], "not a database"), (b"", "")]
    {
        let home = Home::new(&day(1_000_000));
        std::fs::create_dir_all(home.ledger().parent().unwrap()).unwrap();
        std::fs::write(home.ledger(), content).unwrap();
        let outcome = ask(&home, &bedrock).run();
        if message.is_empty() {
            outcome.code(0);
        } else {
            outcome.code(1).stderr_has(message).stderr_has("ledger.db");
            assert_eq!(std::fs::read(home.ledger()).unwrap(), content);
            Chatrix::usage().home(&home).run().code(1).stderr_has(message);
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

#[test]
fn what_clients_write_can_always_be_booked() {
    let (home, bedrock) = (Home::new(&day(1_000_000)), Bedrock::script([Reply::text("ok")]));
    let server = serve(&home, &bedrock);
    for name in ["nova\0/nova-micro", "\u{7}/nova-micro", "nova-micro\n", "\0"] {
        let refused = server.chat(&question(&json!({"model": name})));
        assert_eq!(refused.error().0, 404, "{name:?} {}", refused.body);
    }
    for strange in ["a\0b", "\u{1b}[31m", "\u{fffe}", "'; DROP TABLE calls; --", "\\N\t\\."] {
        let answer = server.chat(&question(&json!({strange: 1, "user": strange, "metadata": {"a": strange}})));
        assert_eq!(answer.status, 200, "{strange:?} {}", answer.body);
    }
    assert_eq!(home.at_rest(), (5 * COST, 0, 0));
}
