//! What is not saved, and what cannot be.

use super::{FOLDER, answering, ask, chat, events, file, files, go_on, home, on_terminal};
use crate::support::{Bedrock, Chatrix, Home, Reply};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Output, Stdio};

#[test]
fn ephemeral_chats_save_nothing() {
    let (home, bedrock) = (home(), answering(&["ok"]));
    let mut terminal = on_terminal(chat(&home, &bedrock).arg("--ephemeral"));
    terminal.line("a secret");
    terminal.wait_for("session $");
    terminal.wait_for_prompt();
    terminal.line("/save");
    terminal.wait_for("--ephemeral saves nothing, so the session cannot be saved");
    assert_eq!(terminal.leave(), Some(0));
    assert!(files(&home).is_empty());
    assert!(!home.path(".local/state/chatrix/history").exists());
    chat(&home, &bedrock).args(["--ephemeral", "-c"]).run().code(2);
}

#[test]
fn the_config_file_can_turn_sessions_off() {
    let (home, bedrock) = (Home::new("sessions = false\n"), answering(&["ok"]));
    ask(chat(&home, &bedrock), "first");
    assert!(files(&home).is_empty());
    go_on(&home, &bedrock).run().code(2).stderr_has("error: no sessions are saved; ");
}

#[test]
fn a_script_saves_only_what_it_asks_to() {
    let (home, bedrock) = (home(), answering(&["one", "uno", "two"]));
    chat(&home, &bedrock).stdin("first\n").run().code(0);
    assert!(files(&home).is_empty());
    let saved = chat(&home, &bedrock).stdin("first\n/retry\n/save Of May\nsecond\n/clear\n/undo\n").run();
    saved.stderr_has("saved as ").stderr_has(": Of May");
    assert_eq!(events(&home), ["question", "answer", "question", "answer"]);
    go_on(&home, &bedrock).stdin("/cost\n").run().code(0).stderr_has("this session: 2 answers, $0.0000032");
    chat(&home, &bedrock).stdin("/save Of June\nfirst\n").run().code(0);
    assert_eq!(files(&home).len(), 2, "a name before the first question is enough");
}

#[test]
fn a_folder_that_cannot_be_written_is_said_once_and_the_chat_goes_on() {
    let (home, bedrock) = (home(), answering(&["one", "two", "three"]));
    // Not even root can make a folder of it.
    home.write(FOLDER, "a file");
    let mut terminal = on_terminal(chat(&home, &bedrock));
    for (question, answer) in [("first", "one"), ("second", "two")] {
        terminal.line(question);
        terminal.wait_for(answer);
        terminal.wait_for_prompt();
    }
    assert_eq!(terminal.written().matches("this chat is not saved any more").count(), 1);
    std::fs::remove_file(home.path(FOLDER)).unwrap();
    terminal.line("/save");
    terminal.wait_for("saved as ");
    terminal.wait_for_prompt();
    terminal.line("third");
    terminal.wait_for("three");
    terminal.wait_for_prompt();
    assert_eq!(events(&home), ["question", "answer", "question", "answer", "question", "answer"]);
}

/// Runs a chat from a shell in which no file may grow beyond its first kilobyte or so. The program inherits that the
/// signal is ignored, so the write fails instead.
fn without_room(chat: Chatrix, lines: &str) -> Output {
    let (command, _own) = chat.into_command();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().map(|(name, value)| (name, value.unwrap())));
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_full_disk_ends_the_saving_and_not_the_chat() {
    let (home, bedrock) = (home(), answering(&["one", "two", "three"]));
    ask(chat(&home, &bedrock), "first");
    let before = std::fs::read(file(&home)).unwrap();
    let output = without_room(go_on(&home, &bedrock), &format!("{}\nthird\n", "second ".repeat(500)));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"two\nthree\n"[..]), "{stderr}");
    assert_eq!(stderr.matches("this chat is not saved any more").count(), 1, "{stderr}");
    assert_eq!(std::fs::read(file(&home)).unwrap(), before, "half a line is taken back");
    go_on(&home, &bedrock).stdin("fourth\n").run().code(0).stderr_lacks("damaged");
}

#[test]
fn a_line_that_is_half_written_is_left_out_and_the_next_one_is_whole() {
    let (home, bedrock) = (home(), answering(&["one", "two"]));
    ask(chat(&home, &bedrock), "first");
    let path = file(&home);
    let half = "{\"event\":\"question\",\"at\":1,\"text\":\"sec";
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(half.as_bytes()).unwrap();
    go_on(&home, &bedrock).stdin("third\n").run().code(0).stderr_has("is damaged and was left out");
    crate::chat_commands::assert_turns(
        &bedrock.calls()[1],
        &[("user", "first"), ("assistant", "one"), ("user", "third")],
    );
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 6);
    assert!(text.lines().nth(4).unwrap().contains("third"), "{text}");
}

#[test]
fn what_is_no_session_of_this_version_is_refused() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    for (text, why) in [
        (
            json!({"chatrix_session": 2, "shape": "new"}).to_string(),
            "was written by a newer chatrix (version 2; this one reads 1)",
        ),
        ("not a session\n".to_owned(), "is no session of chatrix"),
        (String::new(), "is no session of chatrix"),
        (json!({"chatrix_session": 1}).to_string(), "is damaged in its first line"),
    ] {
        let home = home();
        home.write(&format!("{FOLDER}/000001.jsonl"), &text);
        let resumed = Chatrix::chat().args(["-r", "000001"]).home(&home).bedrock(&bedrock).stdin("hi\n").run();
        resumed.code(2).stderr_has(why);
        assert_eq!(std::fs::read_to_string(file(&home)).unwrap(), text, "it is not changed");
        Chatrix::chat().arg("--list").home(&home).run().code(0).stderr_has(why);
    }
    assert_eq!(bedrock.calls().len(), 0);
}
