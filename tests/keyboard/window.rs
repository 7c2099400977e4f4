//! The prompt in windows of different widths.

use super::{sent, start};
use crate::support::{Bedrock, Chatrix, Reply, Terminal};

/// A chat in a terminal that does not wrap again what it shows, which the emulator of these tests does not either.
fn chat(bedrock: &Bedrock) -> Terminal {
    start(Chatrix::chat().env("XTERM_VERSION", "XTerm(390)").args(["-m", "nova-micro"]).bedrock(bedrock))
}

#[test]
fn a_line_is_drawn_again_for_the_new_width() {
    let text: String = (0..30).map(|number| format!("word{number:02} ")).collect::<String>().trim_end().to_owned();
    let wrapped = |columns: usize| {
        let line: Vec<char> = format!("> {text}").chars().collect();
        let rows = line.chunks(columns).map(|row| row.iter().collect::<String>().trim_end().to_owned());
        rows.collect::<Vec<_>>().join("\n")
    };
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys(&text);
    chat.wait_until("the line wraps", |screen| screen.ends_with(&wrapped(80)));
    for columns in [200, 80, 40, 80] {
        chat.resize(columns, 24);
        chat.wait_until(&format!("it fits {columns} columns"), |screen| screen.ends_with(&wrapped(columns.into())));
    }
    // The cursor is still where it was.
    chat.keys("\x1b[D\x1b[Dx\r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), text.replace("word29", "wordx29"));
}

#[test]
fn a_short_line_stays() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys("hello");
    for columns in [40, 200, 80] {
        chat.resize(columns, 24);
        let screen = chat.wait_for("> hello");
        assert_eq!(screen.matches("> hello").count(), 1, "{screen}");
    }
}
