//! The spinner, which waits for the first token.

use super::start;
use crate::support::{Bedrock, Chatrix, Reply, Terminal, signal};

/// A chat that waits, and the rows above the spinner.
fn waiting(chatrix: Chatrix, columns: u16) -> (Bedrock, Terminal) {
    let bedrock = Bedrock::script([Reply::Silence, Reply::text("fine")]);
    let mut chat = Terminal::start(chatrix.args(["-m", "nova-micro"]).bedrock(&bedrock), columns, 24);
    chat.wait_for_prompt();
    chat.line("go on");
    (bedrock, chat)
}

/// Stops the answer, and gives what stands below the question.
fn below_question(chat: &mut Terminal) -> String {
    chat.keys("\x03");
    let screen = chat.wait_until("the answer was stopped", |screen| {
        screen.split_once("stopped").is_some_and(|(_, after)| after.contains("\n>"))
    });
    screen.split_once("> go on\n").unwrap().1.to_owned()
}

const GLYPHS: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

#[test]
fn it_leaves_nothing_behind() {
    for (name, columns, keys, resized) in [
        ("no keys", 80, "", None),
        ("keys", 80, "abc\r\r\x1b[A\tdef\r", None),
        ("a narrow window", 8, "abc\r", None),
        ("a window that is made narrower", 80, "", Some(10)),
        ("a window that is made wider", 40, "abc", Some(120)),
    ] {
        let (_bedrock, mut chat) = waiting(Chatrix::chat(), columns);
        let message = if columns == 8 { "nova-" } else { "nova-micro" };
        let turns = |screen: &str| {
            screen.lines().last().is_some_and(|row| row.contains(message) && row.chars().any(|c| GLYPHS.contains(c)))
        };
        chat.wait_until("it turns", turns);
        chat.keys(keys);
        if let Some(columns) = resized {
            chat.resize(columns, 24);
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
        let screen = chat.screen();
        let rows = screen.lines().filter(|row| row.chars().any(|c| GLYPHS.contains(c))).count();
        assert_eq!(rows, 1, "{name}: {screen}");
        let below = below_question(&mut chat);
        assert!(below.starts_with("stopped") || columns == 8, "{name}: {below}");
        assert!(!below.chars().any(|c| GLYPHS.contains(c)), "{name}: {below}");
    }
}

/// What was drawn for a wide window can arrive when it is narrow already.
#[test]
fn what_is_on_its_way_when_the_window_is_made_narrower_stays_in_its_row() {
    let (_bedrock, mut chat) = waiting(Chatrix::chat(), 80);
    chat.resize_unnoticed(10, 24);
    let rows =
        |screen: &str| screen.lines().skip_while(|row| !row.contains("go on")).skip(1).collect::<Vec<_>>().join("|");
    for glyph in ['⠹', '⠇', '⠹'] {
        let screen = chat.wait_until("it turns", |screen| rows(screen).contains(glyph));
        assert_eq!(rows(&screen), format!("{glyph} nova-mic"));
    }
}

#[test]
fn a_terminal_that_cannot_clear_a_row_has_none() {
    let bedrock = Bedrock::script([Reply::Silence]);
    let mut ask = Terminal::start(Chatrix::ask().env("TERM", "dumb").arg("hi").bedrock(&bedrock), 80, 24);
    crate::support::eventually("the question was sent", || !bedrock.calls().is_empty());
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(ask.pid(), "INT");
    assert_eq!(ask.exit_code(), Some(130));
    assert!(!ask.written().contains(['\x1b', '⠋', '⠙']), "{:?}", ask.written());
}

#[test]
fn it_has_no_colours() {
    for no_color in ["", "1"] {
        let (_bedrock, mut chat) = waiting(Chatrix::chat().env("NO_COLOR", no_color), 80);
        chat.wait_until("it turns", |screen| screen.lines().last().is_some_and(|row| row.ends_with(" nova-micro")));
        let written = chat.written();
        let (_, spinner) = written.rsplit_once("\x1b[?2004l").unwrap();
        let bare =
            ["\x1b[?7l", "\x1b[K", "\x1b[?7h"].iter().fold(spinner.to_owned(), |rest, code| rest.replace(code, ""));
        assert!(!bare.contains('\x1b'), "{spinner:?}");
    }
}

#[test]
fn it_ends_with_the_first_token() {
    let bedrock = Bedrock::script([Reply::text("fine")]);
    let mut chat = start(Chatrix::chat().args(["-m", "nova-micro"]).bedrock(&bedrock));
    bedrock.hold();
    chat.line("go on");
    chat.wait_until("it turns", |screen| screen.lines().last().is_some_and(|row| row.ends_with(" nova-micro")));
    bedrock.go_on();
    chat.wait_for("> go on\nfine\n");
}
