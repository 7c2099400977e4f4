//! Keys, pastes and signals at the prompt and during an answer, in a real pseudo-terminal.

mod answering;
mod completion;
mod elsewhere;
mod ending;
mod external_editor;
mod paste;
mod spinner;
mod window;

use crate::support::{Bedrock, Chatrix, Reply, Terminal};
use serde_json::Value;

/// A chat at its first prompt.
fn chat(bedrock: &Bedrock) -> Terminal {
    start(Chatrix::chat().args(["-m", "nova-micro"]).bedrock(bedrock))
}

fn start(chatrix: Chatrix) -> Terminal {
    let mut chat = Terminal::start(chatrix, 80, 24);
    chat.wait_for_prompt();
    chat
}

/// The text of the last message that was sent in this call.
fn sent(bedrock: &Bedrock, call: usize) -> String {
    let messages = bedrock.calls()[call].body["messages"].as_array().unwrap().clone();
    let text = |message: &Value| message["content"][0]["text"].as_str().unwrap().to_owned();
    messages.last().map(text).unwrap()
}

#[test]
fn lines_are_put_together_to_one_message() {
    for (name, typed, expected) in [
        ("Ctrl-J", "one\ntwo\r", "one\ntwo"),
        ("Alt-Enter", "one\x1b\rtwo\r", "one\ntwo"),
        ("Ctrl-J on an empty line", "\none\r", "one"),
        ("a block", "\"\"\"\rone\r\r/clear\r\"\"\"\r", "one\n\n/clear"),
        ("a block with text on its first and last line", "\"\"\"one\rtwo\"\"\"\r", "one\ntwo"),
        ("a block on one line, that looks like a command", "\"\"\"/exit\"\"\"\r", "/exit"),
        ("Enter in the middle of the text", "onetwo\x1b[D\x1b[D\x1b[D\n\x1b[A\r", "one\ntwo"),
    ] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chat = chat(&bedrock);
        chat.keys(typed);
        chat.wait_for("fine");
        let screen = chat.wait_for_prompt();
        assert_eq!(sent(&bedrock, 0), expected, "{name}: {screen}");
        assert_eq!(bedrock.calls().len(), 1, "{name}");
        // What stands on the screen can be copied: there is nothing in front of the lines after the first.
        let typed: String = typed.replace("\x1b\r", "\n").replace('\r', "\n").split("\x1b[").next().unwrap().into();
        let rows: Vec<&str> = screen.lines().skip_while(|row| !row.starts_with("> ")).skip(1).collect();
        for (row, line) in rows.iter().zip(typed.trim().lines().skip(1)) {
            assert_eq!(*row, line, "{name}: {screen}");
        }
    }
}

#[test]
fn an_open_block_is_not_sent_and_not_lost() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys("\"\"\"\rone\x04");
    chat.wait_for("the block is still open: \"\"\" and Enter end and send it, Ctrl-C drops it");
    chat.keys("\rtwo\"\"\"\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "one\ntwo");
    chat.wait_for_prompt();
    // The history brings the block back as a block.
    chat.keys("\x1b[A\x1b[D\x1b[D\x1b[D\x7fTWO\r");
    chat.wait_until("there are two answers", |screen| screen.matches("session $").count() == 2);
    assert_eq!(sent(&bedrock, 1), "one\ntwoTWO");
}

#[test]
fn ctrl_c_drops_the_line_and_never_leaves() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    for typed in ["half a thought\x03", "\x03", "\x03", "\x1c"] {
        chat.keys(typed);
        chat.wait_until("the hint and a prompt stand there", |screen| {
            screen.ends_with("press Ctrl-D or type /exit to leave\n>")
        });
        chat.keys("\x0c");
        chat.wait_until("the screen is cleared", |screen| screen == ">");
    }
    // What was dropped is not lost.
    chat.keys("\x1b[A\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "half a thought");
    assert_eq!(chat.leave(), Some(0));
}

#[test]
fn ctrl_d_is_heard_right_after_ctrl_c() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys("half a thought\x03\x04");
    assert_eq!(chat.exit_code(), Some(0));
    assert!(chat.is_restored());
    assert!(bedrock.calls().is_empty());
}

#[test]
fn any_script_can_be_edited() {
    for (name, typed, expected) in [
        ("wide characters", "日本\x1b[D\x1b[D中\x1b[C\x7f\r", "中本"),
        ("an emoji of several", "a👩\u{200d}💻b\x1b[D\x7fc\r", "acb"),
        ("a combining mark", "cafe\u{301}!\x1b[D\x7f\r", "caf!"),
        ("right to left", "שלום\x1b[Dx\r", "שלוxם"),
        ("bidi controls", "a\u{202e}b\u{202c}c\x7f\r", "a\u{202e}b\u{202c}"),
    ] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chat = chat(&bedrock);
        chat.keys(typed);
        chat.wait_for("fine");
        assert_eq!(sent(&bedrock, 0), expected, "{name}");
        let screen = chat.wait_for_prompt();
        let shown = expected.replace(['\u{202e}', '\u{202c}'], "");
        assert!(screen.contains(&format!("> {shown}\n")), "{name}: {screen}");
    }
}
