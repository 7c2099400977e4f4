//! Keys, pastes and signals at the prompt and during an answer, in a real pseudo-terminal.

use crate::support::{Bedrock, Chatrix, Reply, Terminal, delta, eventually, signal};
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
        ("Enter in the middle", "onetwo\x1b[D\x1b[D\x1b[D\n\x1b[A\r", "one\ntwo"),
    ] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chat = chat(&bedrock);
        chat.keys(typed);
        let screen = chat.wait_for("fine");
        assert_eq!(sent(&bedrock, 0), expected, "{name}: {screen}");
        for line in expected.lines() {
            assert!(
                screen.lines().any(|row| row.trim_start_matches("> ") == line || row.contains("\"\"\"")),
                "{screen}"
            );
        }
        chat.wait_for_prompt();
        assert_eq!(bedrock.calls().len(), 1, "{name}");
    }
}
