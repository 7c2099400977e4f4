//! A chat whose stdin or stdout is no terminal, and one on a terminal that cannot be edited on.

use super::sent;
use crate::support::{Bedrock, Chatrix, Reply, Terminal, signal};

/// A chat with stdout in a file.
fn into_file(bedrock: &Bedrock) -> Terminal {
    let script = "\"$0\" chat -m nova-micro >\"$HOME/answers\"; echo \"left with $?\"";
    let shell = Chatrix::program("sh").args(["-c", script, env!("CARGO_BIN_EXE_chatrix")]).bedrock(bedrock);
    let mut chat = Terminal::start(shell, 80, 24);
    chat.wait_for_prompt();
    chat
}

#[test]
fn stdout_in_a_file_gets_the_answers_and_the_terminal_the_rest() {
    let bedrock = Bedrock::script([Reply::text("one\u{1b}[31m"), Reply::text("two")]);
    let mut chat = into_file(&bedrock);
    chat.keys("helo\x1b[Dl\x05\n/not a command\r");
    chat.wait_for("session $");
    assert_eq!(sent(&bedrock, 0), "hello\n/not a command");
    chat.wait_for_prompt();
    chat.line("more");
    chat.wait_until("there are two answers", |screen| screen.matches("session $").count() == 2);
    chat.wait_for_prompt();
    chat.keys("\x04");
    chat.wait_for("left with 0");
    assert!(chat.is_restored());
    let answers = std::fs::read_to_string(chat.home().join("answers")).unwrap();
    assert_eq!(answers, "one\u{1b}[31m\ntwo\n");
}

#[test]
fn the_terminal_is_given_back_when_stdout_is_a_file() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let script = "exec \"$0\" chat -m nova-micro >\"$HOME/answers\"";
    let shell = Chatrix::program("sh").args(["-c", script, env!("CARGO_BIN_EXE_chatrix")]).bedrock(&bedrock);
    let mut chat = Terminal::start(shell, 80, 24);
    chat.wait_for_prompt();
    signal(chat.pid(), "TERM");
    assert_eq!(chat.exit_code(), Some(143));
    assert!(chat.is_restored());
    assert!(chat.written().rfind("\x1b[?2004l") > chat.written().rfind("\x1b[?2004h"));
    assert_eq!(std::fs::read_to_string(chat.home().join("answers")).unwrap(), "");
}

#[test]
fn a_dumb_terminal_is_read_line_by_line() {
    let bedrock = Bedrock::script([Reply::text("fine"), Reply::text("good")]);
    let chatrix = Chatrix::chat().env("TERM", "dumb").args(["-m", "nova-micro"]).bedrock(&bedrock);
    let mut chat = Terminal::start(chatrix, 80, 24);
    chat.wait_for_prompt();
    chat.keys("\"\"\"one\ntwo\"\"\"\n");
    chat.wait_for("fine");
    chat.wait_for_prompt();
    assert_eq!(sent(&bedrock, 0), "one\ntwo");
    assert!(!chat.written().contains('\x1b'), "{:?}", chat.written());
    chat.keys("half a thought\x03");
    assert_eq!(chat.exit_code(), Some(130));
    assert!(chat.is_restored());
}

#[test]
fn a_dumb_terminal_is_quiet_during_an_answer_too() {
    let bedrock =
        Bedrock::script([Reply::Slow((0..40).map(|n| format!("{n} ")).collect(), (1, 1)), Reply::text("fine")]);
    let chatrix = Chatrix::chat().env("TERM", "dumb").args(["-m", "nova-micro"]).bedrock(&bedrock);
    let mut chat = Terminal::start(chatrix, 80, 24);
    chat.wait_for_prompt();
    chat.keys("count\n");
    chat.wait_for("0 1");
    chat.keys("the next question\n");
    chat.wait_for("> the next question");
    assert_eq!(bedrock.calls().len(), 1, "it was not sent: {}", chat.screen());
    chat.keys("!\n");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 1), "the next question!");
}

#[test]
fn a_pipe_has_blocks_and_no_prompt_and_no_history() {
    let bedrock = Bedrock::script([Reply::text("one"), Reply::text("two")]);
    let input = "\"\"\"\n/exit\n\nline\n\"\"\"\r\nsecond\r\n\"\"\"\nnever closed\n";
    let chat = Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock).stdin(input);
    let history = chat.path(".local/state/chatrix/history");
    let (child, _home) = chat.spawn();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "one\ntwo\n");
    assert_eq!((sent(&bedrock, 0).as_str(), sent(&bedrock, 1).as_str()), ("/exit\n\nline", "second"));
    assert_eq!(bedrock.calls().len(), 2, "what is not closed is not sent");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("error: the block was not sent, because no \"\"\" ends it"), "{said}");
    assert!(!said.contains('>'), "{said}");
    assert_eq!(output.status.code(), Some(2));
    assert!(!std::path::Path::new(&history).exists());
}
