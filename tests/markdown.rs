//! Answers on a real terminal: rendered while they stream, whatever the terminal's size and abilities are.

use crate::support::{Bedrock, Chatrix, Reply, Terminal, eventually};

/// What a person sees of an answer on a terminal of these columns, without anything else.
fn shown(answer: &str, columns: u16) -> String {
    let (screen, _) = asked(answer, columns, &[]);
    screen
}

/// The screen, and every byte that was written to it.
fn asked(answer: &str, columns: u16, environment: &[(&str, &str)]) -> (String, String) {
    let bedrock = Bedrock::script([Reply::text(answer)]);
    let mut chatrix = Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock);
    for (name, value) in environment {
        chatrix = chatrix.env(name, value);
    }
    let mut terminal = Terminal::start(chatrix, columns, 40);
    assert_eq!(terminal.exit_code(), Some(0), "{}", terminal.screen());
    let screen = terminal.wait_until("something is shown", |screen| !screen.is_empty());
    (screen, terminal.written())
}

const ANSWER: &str = "# Sorting\n\nUse **`sort`** from the standard library, which is *stable*; see [the docs](https://doc.rust-lang.org/std/).\n
1. Import nothing.\n2. Call it:\n\n   ```rust\n   let mut numbers = vec![3, 1, 2]; numbers.sort(); assert_eq!(numbers, [1, 2, 3]);\n   ```\n
| Method | Stable |\n|:--|:-:|\n| `sort` | yes |\n| `sort_unstable` | **no** |\n";

#[test]
fn an_answer_fits_forty_columns() {
    let expected = "\
# Sorting

Use sort from the standard library,
which is stable; see the docs
(https://doc.rust-lang.org/std/).

1. Import nothing.
2. Call it:

── rust
let mut numbers = vec![3, 1, 2]; numbers
.sort(); assert_eq!(numbers, [1, 2, 3]);
──

Method        │ Stable
──────────────┼───────
sort          │  yes
sort_unstable │   no";
    assert_eq!(shown(ANSWER, 40), expected);
}

#[test]
fn an_answer_uses_eighty_columns_and_more() {
    let expected = "\
# Sorting

Use sort from the standard library, which is stable; see the docs
(https://doc.rust-lang.org/std/).

1. Import nothing.
2. Call it:

── rust
let mut numbers = vec![3, 1, 2]; numbers.sort(); assert_eq!(numbers, [1, 2, 3]);
──

Method        │ Stable
──────────────┼───────
sort          │  yes
sort_unstable │   no";
    assert_eq!(shown(ANSWER, 80), expected);
    let wide = "see the docs (https://doc.rust-lang.org/std/).";
    assert!(shown(ANSWER, 200).lines().any(|line| line.starts_with("Use sort") && line.ends_with(wide)));
}

#[test]
fn styles_are_for_terminals_that_may_have_them() {
    let (screen, written) = asked(ANSWER, 80, &[]);
    assert!(written.contains("\u{1b}[1;34mlet\u{1b}[0m"), "{written:?}");
    assert!(written.contains("\u{1b}[3mstable\u{1b}[0m"), "{written:?}");
    assert!(!written.contains("\u{1b}]8"), "this terminal is not known to follow links");
    for environment in [("TERM", "dumb"), ("NO_COLOR", "1")] {
        let (plain, written) = asked(ANSWER, 80, &[environment]);
        assert_eq!(plain, screen, "{environment:?}");
        assert!(!written.contains('\u{1b}'), "{environment:?}: {written:?}");
    }
    let (screen, written) = asked(ANSWER, 80, &[("TERM", "xterm-kitty")]);
    assert!(written.contains(";https://doc.rust-lang.org/std/\u{1b}\\"), "{written:?}");
    assert!(screen.contains("see the docs."), "{screen}");
}

#[test]
fn raw_markdown_is_for_pipes_and_for_those_who_ask_for_it() {
    let bedrock = Bedrock::script([Reply::text(ANSWER), Reply::text(ANSWER)]);
    Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock).stdout(ANSWER).code(0);
    let mut terminal = Terminal::start(Chatrix::ask().args(["-q", "--raw", "hi"]).bedrock(&bedrock), 200, 40);
    terminal.exit_code();
    terminal.wait_for("| `sort_unstable` | **no** |");
    assert_eq!(terminal.written().replace("\r\n", "\n"), ANSWER);
}

#[test]
fn no_script_is_torn_apart() {
    let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
    let answer = format!("日本語のテキスト。です {family}{family}{family}{family} e\u{301}e\u{301}e\u{301}\n");
    let (_, written) = asked(&answer, 10, &[]);
    assert_eq!(written.matches(family).count(), 4, "{written:?}");
    assert!(written.replace("\r\n", "\n").starts_with("日本語のテ\nキスト。で\nす\n"), "{written:?}");
    assert_eq!(shown("שלום \u{202e}עולם\u{2066}!", 80), "שלום עולם!");
}

#[test]
fn a_model_cannot_reach_beyond_its_text() {
    let evil = "a \u{1b}]52;c;ZXZpbA==\u{7}[b](https://c.d/\u{1b}\\x) &#27;]52;c;ZXZpbA==\u{7} \u{9b}2J`\u{1b}[2J`\n\n```sh\n\u{1b}]0;t\u{7}ls\n```\n";
    let (screen, written) = asked(evil, 80, &[("TERM", "xterm-kitty")]);
    let sequences: Vec<&str> = written.split('\u{1b}').skip(1).collect();
    let known =
        |sequence: &&str| sequence.starts_with('[') || sequence.starts_with("]8;") || sequence.starts_with('\\');
    assert!(sequences.iter().all(known), "{written:?}");
    assert!(!written.contains("\u{1b}[2J") && !written.contains('\u{7}'), "{written:?}");
    assert!(screen.contains("&#27;]52;c;"), "what cannot be a character stays text: {screen}");
    assert!(screen.contains("\nls\n"), "{screen}");
}

#[test]
fn a_window_may_change_in_mid_answer() {
    let words = "word ".repeat(40);
    let pieces: Vec<String> = words.split_inclusive(' ').map(str::to_owned).collect();
    let bedrock = Bedrock::script([Reply::Slow(pieces, (1, 1))]);
    let mut terminal = Terminal::start(Chatrix::ask().args(["-q", "hi"]).bedrock(&bedrock), 80, 40);
    terminal.wait_for("word word");
    terminal.resize(20, 40);
    assert_eq!(terminal.exit_code(), Some(0));
    eventually("all words are there", || terminal.written().matches("word").count() == 40);
    let written = terminal.written().replace("\r\n", "\n");
    let lines: Vec<&str> = written.trim_end().lines().collect();
    assert!(lines.len() > 3, "{written:?}");
    assert!(lines[1..].iter().all(|line| line.len() <= 20), "{written:?}");
}

#[test]
fn words_are_on_the_screen_before_the_answer_has_ended() {
    let first = crate::support::delta("Some **bold** words and an open `");
    let bedrock = Bedrock::script([Reply::Stall(vec![first])]);
    let mut chat = Terminal::start(Chatrix::chat().bedrock(&bedrock), 80, 24);
    chat.wait_for_prompt();
    chat.line("hi");
    chat.wait_for("Some bold words and an open");
    chat.keys("\x03");
    let screen = chat.wait_for("stopped");
    assert!(screen.contains('`'), "what was held back is shown in the end: {screen}");
    chat.wait_for_prompt();
}
