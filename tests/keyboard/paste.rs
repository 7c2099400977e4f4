//! Pastes: bracketed ones, and those of terminals that send them as keys.

use super::{chat, sent};
use crate::support::{Bedrock, Reply};
use std::time::{Duration, Instant};

#[test]
fn a_paste_of_500_lines_is_one_message() {
    let lines: Vec<String> = (1..=500).map(|number| format!("\tline {number} of the paste")).collect();
    for line_end in ["\r\n", "\r", "\n"] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chat = chat(&bedrock);
        let started = Instant::now();
        chat.paste(&lines.join(line_end));
        chat.wait_until("its end is shown", |screen| screen.ends_with("line 500 of the paste"));
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        // It can be read, and goes on below.
        let screen = chat.screen();
        let shown: Vec<&str> = screen.lines().map(str::trim_start).collect();
        let last: Vec<&str> = lines[500 - shown.len()..].iter().map(|line| line.trim_start()).collect();
        assert_eq!(shown, last);
        chat.keys("\nWhat is it?\x7f!\r");
        chat.wait_for("fine");
        assert_eq!(sent(&bedrock, 0), format!("{}\nWhat is it!", lines.join("\n")), "{line_end:?}");
        assert_eq!(bedrock.calls().len(), 1);
    }
}

#[test]
fn a_paste_is_text_and_no_keys() {
    for (name, pasted, expected) in [
        ("tabs", "\tif x:\n\t\ty", "\tif x:\n\t\ty"),
        ("Ctrl-C and Ctrl-D", "a\x03b\x04c", "abc"),
        ("other control characters", "a\0\x07\x08\x0b\x0c\x1ab\x7f\u{9b}c", "abc"),
        ("styles", "\x1b[31mred\x1b[m and \x1b[1;4mbold\x1b[m", "red and bold"),
        ("keys of the cursor", "a\x1b[Db", "ab"),
        ("blank lines", "a\r\n\r\nb\r\r\nc", "a\n\nb\n\nc"),
        ("a start that begins a block", "\"\"\"one\ntwo\"\"\"", "one\ntwo"),
        ("quotes inside", "def f():\n    \"\"\"Doc.\"\"\"\n    pass", "def f():\n    \"\"\"Doc.\"\"\"\n    pass"),
    ] {
        let bedrock = Bedrock::script([Reply::text("fine")]);
        let mut chat = chat(&bedrock);
        chat.paste(pasted);
        chat.keys("\r");
        chat.wait_for("fine");
        assert_eq!(sent(&bedrock, 0), expected, "{name}");
        assert_eq!(chat.leave(), Some(0), "{name}");
    }
}

#[test]
fn a_paste_that_is_too_large_is_refused_and_the_line_is_kept() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = chat(&bedrock);
    chat.keys("hello world\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D");
    chat.paste(&"\n".repeat(20_001));
    chat.wait_for("the pasted text is too large for a line");
    // Keys that come before the prompt would be offered there, and Enter would send nothing.
    chat.wait_until("the line is back", |screen| screen.lines().last() == Some("> hello world"));
    chat.keys("small \r");
    chat.wait_for("fine");
    assert_eq!(sent(&bedrock, 0), "hello small world");
}
