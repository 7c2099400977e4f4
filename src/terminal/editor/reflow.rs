//! A window that gets another width. Most terminals then wrap again what they show, and the cursor moves along to another
//! row, which rustyline does not know: it would clear rows above the prompt, or leave some behind. What is told to the
//! terminal here puts the cursor where rustyline believes it is.

use crate::terminal::printable::Printable;
use std::env;
use unicode_width::UnicodeWidthChar;

/// The columns between two stops of a tab, for rustyline.
const TAB_STOP: usize = 8;

/// A text behind its prompt, with the cursor at this byte.
pub(super) struct Shown<'a> {
    pub(super) prompt: &'a str,
    pub(super) line: &'a str,
    pub(super) position: usize,
}

impl Shown<'_> {
    /// The rows of the cursor and of the end, from that of the prompt.
    fn rows(&self, columns: usize) -> (usize, usize) {
        let (before, after) = self.line.split_at_checked(self.position).unwrap_or((self.line, ""));
        let prompt = write(self.prompt, (0, 0), columns);
        let cursor = write(before, prompt, columns);
        (cursor.0, write(after, cursor, columns).0)
    }

    /// What to tell a terminal that has wrapped this again, from one width to another.
    pub(super) fn correction(&self, from: usize, to: usize) -> Printable {
        let (believed, end) = self.rows(from);
        let (actual, _) = self.rows(to);
        if (believed, end) == (0, 0) && actual == 0 {
            return Printable::default();
        }
        // To the row of the prompt, and as many rows below it as rustyline will go through, which are there afterwards.
        let up = |rows: usize| Printable::repeat("\u{1b}[A", rows);
        Printable::join(
            [up(actual), "\r\u{1b}[J".into(), Printable::repeat("\n", end), up(end - believed.min(end))],
            "",
        )
    }
}

/// Where the cursor is (row, column) after a text was written there, as rustyline counts.
fn write(text: &str, (mut row, mut column): (usize, usize), columns: usize) -> (usize, usize) {
    for c in text.chars() {
        let width = match c {
            '\n' => {
                (row, column) = (row + 1, 0);
                continue;
            }
            '\t' => TAB_STOP - column % TAB_STOP,
            c => c.width().unwrap_or(0),
        };
        column += width;
        if column > columns {
            (row, column) = (row + 1, width);
        }
    }
    if column == columns { (row + 1, 0) } else { (row, column) }
}

/// Whether the terminal wraps again what it shows. Those that do not are few, and tell who they are.
pub(super) fn happens() -> bool {
    let term = env::var("TERM").unwrap_or_default();
    let is_set = |name: &str| env::var_os(name).is_some();
    let is = |names: &[&str]| names.iter().any(|name| term.starts_with(name));
    !(is_set("XTERM_VERSION") || is(&["linux", "rxvt", "vt"]) || (is(&["screen"]) && !is_set("TMUX")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_rustyline_does() {
        for (line, position, columns, expected) in [
            ("", 0, 10, (0, 0)),
            ("1234567", 7, 10, (0, 0)),
            ("12345678", 8, 10, (1, 1)),
            ("12345678", 2, 10, (0, 1)),
            ("123456789", 9, 10, (1, 1)),
            ("1\n2\n3", 3, 10, (1, 2)),
            ("日本日本日", 15, 10, (1, 1)),
            ("\tx", 2, 10, (0, 0)),
        ] {
            assert_eq!(Shown { prompt: "> ", line, position }.rows(columns), expected, "{line:?}");
        }
    }

    #[test]
    fn the_cursor_is_put_where_it_is_believed_to_be() {
        let shown = |line, position| Shown { prompt: "> ", line, position };
        assert_eq!(shown("short", 5).correction(80, 40).as_str(), "");
        // Wrapped to two rows: up one, and rustyline clears that row alone.
        assert_eq!(shown("twelve chars", 12).correction(80, 10).as_str(), "\u{1b}[A\r\u{1b}[J");
        // Two rows became one: rustyline goes up one from the second.
        assert_eq!(shown("twelve chars", 12).correction(10, 80).as_str(), "\r\u{1b}[J\n");
        assert_eq!(shown("twelve chars", 0).correction(10, 80).as_str(), "\r\u{1b}[J\n\u{1b}[A");
    }
}
