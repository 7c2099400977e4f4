//! `chatrix chat` in a real pseudo-terminal, and in a pipe.

use crate::support::{Bedrock, Chatrix, Reply, Terminal, delta, eventually};
use serde_json::json;

#[test]
fn it_answers_remembers_and_counts() {
    let mut chat = Terminal::wide(Chatrix::chat().arg("--offline").env("CHATRIX_OFFLINE_PACE", "0"));
    chat.line("My name is Ada.");
    chat.wait_for("Nice to meet you, Ada!");
    let screen = chat.wait_for("session $");
    let footer = screen.lines().find(|row| row.contains("session $")).unwrap();
    assert!(footer.contains("18 tok · ") && footer.ends_with(" s · session $0.000011"), "{footer}");
    chat.line("/model nova-pro");
    chat.wait_for("nova-pro (Nova Pro) answers from now on");
    chat.line("What is my name?");
    chat.wait_for("Your name is Ada.");
    chat.line("/cost");
    chat.wait_for("2 answers, $");
    chat.line("/clear");
    chat.wait_for("started a new conversation");
    chat.line("What is my name?");
    chat.wait_for("You have not told me your name yet.");
    chat.line("/modle x");
    chat.wait_for("there is no command /modle");
    chat.wait_until("the line is at the prompt again", |screen| screen.ends_with("\n> /modle x"));
    chat.keys("\x15");
    chat.line("/help");
    chat.wait_for("/system [TEXT]");
    assert_eq!(chat.leave(), Some(0));
    let history = std::fs::read_to_string(chat.home().join(".local/state/chatrix/history")).unwrap();
    assert!(history.contains("My name is Ada."), "kept across runs");
}

#[test]
fn c7_ctrl_c_stops_only_the_answer_and_keeps_what_came_and_what_it_may_cost() {
    let bedrock = Bedrock::script([Reply::Stall(vec![delta("the first "), delta("half ")]), Reply::text("fine")]);
    let mut chat = Terminal::wide(Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock));
    chat.line("go on");
    chat.wait_for("the first half");
    chat.keys("\x03");
    chat.wait_for("stopped");
    eventually("the Bedrock stream is cancelled", || bedrock.abandoned() == 1);
    chat.wait_for_prompt();
    chat.keys("half a thought\x03");
    chat.wait_for("press Ctrl-D or type /exit to leave");
    chat.wait_for_prompt();
    chat.line("and then?");
    chat.wait_for("fine");
    chat.line("/cost");
    let screen = chat.wait_for("this session: ");
    let cost = screen.lines().find_map(|row| row.strip_prefix("this session: 2 answers, $")).unwrap();
    let (spent, bound) = cost.split_once(", and at most $").unwrap();
    let (bound, _) = bound.split_once(" for").unwrap();
    assert!(spent.parse::<f64>().is_ok() && bound.parse::<f64>().is_ok(), "{cost}");
    chat.line("/exit");
    assert_eq!(chat.exit_code(), Some(0));
    let said = &bedrock.calls()[1].body["messages"];
    assert_eq!(said[1], json!({"role": "assistant", "content": [{"text": "the first half "}]}));
    assert_eq!(said[2]["content"][0]["text"], "and then?");
}

#[test]
fn an_error_loses_nothing_and_the_chat_goes_on() {
    let refused = Reply::Error(400, "ValidationException", "Nope.");
    let bedrock = Bedrock::script([Reply::text("one"), refused, Reply::text("three")]);
    let mut chat = Terminal::wide(Chatrix::chat().bedrock(&bedrock));
    chat.line("first");
    chat.wait_for("one");
    chat.line("second");
    chat.wait_for("Bedrock: Nope");
    chat.wait_for("/retry asks it again");
    chat.line("third");
    chat.wait_for("three");
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
    let mut chat = Terminal::wide(Chatrix::chat().bedrock(&bedrock));
    chat.line("hi");
    chat.wait_for("abcd");
    chat.wait_for("session");
    assert!(!chat.written().contains("owned"));
    // Into a pipe it goes as it came.
    Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).stdout(&format!("{evil}\n")).code(0);
}

#[test]
fn a_pasted_text_is_one_message() {
    let bedrock = Bedrock::script([Reply::text("ok")]);
    let mut chat = Terminal::wide(Chatrix::chat().bedrock(&bedrock));
    chat.wait_for_prompt();
    chat.paste("one\ntwo\nthree");
    chat.keys("\r");
    chat.wait_for("session");
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
    assert_eq!(chat.leave(), Some(0));
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
