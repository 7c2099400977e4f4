//! The commands of `chatrix chat`: what is one, what each of them does, and what is refused.

mod answers;
mod attachments;
mod completion;
mod refusals;
mod settings;

use crate::support::{Bedrock, Call, Chatrix, Outcome, Reply, Terminal};
use serde_json::Value;

/// A chat with nova-micro on a terminal of 100 × 40, at its first prompt.
fn on_terminal(chat: Chatrix) -> Terminal {
    let mut terminal = Terminal::start(chat, 100, 40);
    terminal.wait_for_prompt();
    terminal
}

fn chat(bedrock: &Bedrock) -> Chatrix {
    Chatrix::chat().args(["-m", "nova-micro"]).bedrock(bedrock)
}

/// A chat that reads these lines from a pipe.
fn piped(bedrock: &Bedrock, lines: &str) -> Outcome {
    chat(bedrock).stdin(lines).run()
}

/// The turns of a call: role and text.
fn turns(call: &Call) -> Vec<(String, String)> {
    let turns = call.body["messages"].as_array().unwrap().iter();
    let text = |turn: &Value| {
        let parts = turn["content"].as_array().unwrap().iter();
        parts.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("|")
    };
    turns.map(|turn| (turn["role"].as_str().unwrap().to_owned(), text(turn))).collect()
}

#[track_caller]
pub(crate) fn assert_turns(call: &Call, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect();
    assert_eq!(turns(call), expected);
}

/// An answer that the token limit has cut.
fn cut(text: &str) -> Reply {
    Reply::Text(vec![text.to_owned()], "max_tokens", (10, 5))
}
