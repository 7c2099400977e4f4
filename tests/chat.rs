//! `chatrix chat` in a real pseudo-terminal, and in a pipe.

use crate::support::{Bedrock, Chatrix, Reply, Terminal, delta, eventually};
use rexpect::session::PtySession;
use serde_json::json;
use tempfile::TempDir;

/// Types a line and Enter, which a terminal sends as a carriage return.
fn line(chat: &mut PtySession, text: &str) {
    chat.send(&format!("{text}\r")).unwrap();
    chat.flush().unwrap();
}

/// A chat on a terminal; the home lives as long as the second value.
fn terminal(chatrix: Chatrix) -> (PtySession, TempDir) {
    let (command, home) = chatrix.env("TERM", "xterm").into_command();
    let mut session = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("> ").unwrap();
    (session, home)
}

#[test]
fn it_answers_remembers_and_counts() {
    let (mut chat, home) = terminal(Chatrix::chat().arg("--offline").env("CHATRIX_OFFLINE_PACE", "0"));
    line(&mut chat, "My name is Ada.");
    chat.exp_string("Nice to meet you, Ada!").unwrap();
    let footer = chat.exp_regex(r"18 tok .* s .* session \$[0-9.]+").unwrap().1;
    assert!(footer.ends_with("session $0.000011"), "{footer}");
    line(&mut chat, "/model nova-pro");
    chat.exp_string("nova-pro (Nova Pro) answers from now on").unwrap();
    line(&mut chat, "What is my name?");
    chat.exp_string("Your name is Ada.").unwrap();
    line(&mut chat, "/cost");
    chat.exp_string("2 answers, $").unwrap();
    line(&mut chat, "/clear");
    chat.exp_string("started a new conversation").unwrap();
    line(&mut chat, "What is my name?");
    chat.exp_string("You have not told me your name yet.").unwrap();
    line(&mut chat, "/modle x");
    chat.exp_string("there is no command /modle").unwrap();
    // The line is at the prompt again.
    chat.send("\x15").unwrap();
    line(&mut chat, "/help");
    chat.exp_string("/system [TEXT]").unwrap();
    chat.send_control('d').unwrap();
    chat.exp_eof().unwrap();
    let history = std::fs::read_to_string(home.path().join(".local/state/chatrix/history")).unwrap();
    assert!(history.contains("My name is Ada."), "kept across runs");
}

#[test]
fn c7_ctrl_c_stops_only_the_answer_and_keeps_what_came_and_what_it_may_cost() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first "), delta("half ")]), Reply::text("fine")]);
    let (mut chat, _home) = terminal(Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock));
    line(&mut chat, "go on");
    chat.exp_string("the first half").unwrap();
    chat.send_control('c').unwrap();
    chat.exp_string("stopped").unwrap();
    eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
    chat.exp_string("> ").unwrap();
    chat.send("half a thought").unwrap();
    chat.send_control('c').unwrap();
    chat.exp_string("press Ctrl-D or type /exit to leave").unwrap();
    chat.exp_string("> ").unwrap();
    line(&mut chat, "and then?");
    chat.exp_string("fine").unwrap();
    line(&mut chat, "/cost");
    chat.exp_regex(r"this session: 2 answers, \$[0-9.]+, and at most \$[0-9.]+ for").unwrap();
    line(&mut chat, "/exit");
    chat.exp_eof().unwrap();
    let said = &bedrock.calls()[1].body["messages"];
    assert_eq!(said[1], json!({"role": "assistant", "content": [{"text": "the first half "}]}));
    assert_eq!(said[2]["content"][0]["text"], "and then?");
}

#[test]
fn an_error_loses_nothing_and_the_chat_goes_on() {
    let refused = Reply::Error(400, "ValidationException", "Nope.");
    let bedrock = Bedrock::script([Reply::text("one"), refused, Reply::text("three")]);
    let (mut chat, _home) = terminal(Chatrix::chat().bedrock(&bedrock));
    line(&mut chat, "first");
    chat.exp_string("one").unwrap();
    line(&mut chat, "second");
    chat.exp_string("Bedrock: Nope").unwrap();
    chat.exp_string("/retry asks it again").unwrap();
    line(&mut chat, "third");
    chat.exp_string("three").unwrap();
    let texts: Vec<_> = bedrock.calls()[2].body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| turn["content"][0]["text"].clone())
        .collect();
    assert_eq!(texts, ["first", "one", "third"]);
}

#[test]
fn what_a_model_says_cannot_command_the_terminal() {
    let evil = "a\u{1b}]0;owned\u{7}b\u{1b}[2Jc\rd";
    let bedrock = Bedrock::script([Reply::Text(vec![evil.into()], "end_turn", (1, 1))]);
    let (mut chat, _home) = terminal(Chatrix::chat().bedrock(&bedrock));
    line(&mut chat, "hi");
    let before = chat.exp_string("abcd").unwrap();
    assert!(!before.contains("owned"));
    chat.exp_string("session").unwrap();
    // Into a pipe it goes as it came.
    Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).stdout(&format!("{evil}\n")).code(0);
}

#[test]
fn a_pasted_text_is_one_message() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let (mut chat, _home) = terminal(Chatrix::chat().bedrock(&bedrock));
    chat.send("\u{1b}[200~one\ntwo\nthree\u{1b}[201~\r").unwrap();
    chat.flush().unwrap();
    chat.exp_string("session").unwrap();
    assert_eq!(bedrock.call().body["messages"][0]["content"][0]["text"], "one\ntwo\nthree");
}

#[test]
fn a_window_can_be_resized_and_closed() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = Terminal::start(Chatrix::chat().bedrock(&bedrock), 80, 24);
    chat.wait_for_prompt();
    chat.resize(40, 10);
    chat.line("hi");
    chat.wait_for("fine");
    chat.wait_for_prompt();
    chat.keys("\x04");
    assert_eq!(chat.exit_code(), Some(0));
    assert!(chat.is_restored());
}

#[test]
fn a_pipe_is_a_conversation_too() {
    let chat = Chatrix::chat().arg("--offline").stdin("My name is Ada\nwhat is my name?\n");
    let outcome = chat.run().code(0);
    assert!(outcome.stdout.ends_with("Your name is Ada. You told me earlier in this conversation.\n"), "{outcome:?}");
}

#[test]
fn a_line_that_is_no_text_does_not_end_the_chat() {
    let (mut child, _home) =
        Chatrix::chat().arg("--offline").stdin_bytes(b"My name is Ada\n\xff\nwhat is my name?\n").spawn();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("Your name is Ada"), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(2), "a line was not sent");
}
