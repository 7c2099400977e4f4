//! Model output is untrusted. On a terminal, control characters could move the cursor, set the title, write the
//! clipboard or hide text, so they are removed together with the whole escape sequence that they begin.

/// Removes what a terminal would obey, also where it is split over the pieces of a stream. One for each stream.
#[derive(Debug, Default)]
pub(crate) struct Sanitizer {
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// In a control sequence, until its final byte.
    Control,
    /// In a string (OSC, DCS, PM, APC, SOS), until BEL or ST.
    String,
    /// In a string, after ESC.
    StringEscape,
}

impl Sanitizer {
    /// The printable part of the next piece.
    pub(crate) fn clean(&mut self, piece: &str) -> String {
        let mut text = String::with_capacity(piece.len());
        for c in piece.chars() {
            self.state = match (self.state, c) {
                (State::Escape, '[') => State::Control,
                (State::Escape, ']' | 'P' | '^' | '_' | 'X')
                | (State::Text, '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}') => State::String,
                (State::Escape, ' '..='/') => State::Escape, // intermediate bytes; one more follows
                (State::Text | State::Escape | State::Control, '\u{1b}') => State::Escape,
                (State::Text, '\u{9b}') => State::Control,
                (State::Control, '\u{20}'..='\u{3f}') => State::Control,
                (State::String, '\u{1b}') => State::StringEscape,
                (State::String, '\u{7}' | '\u{9c}') | (State::StringEscape, '\\') => State::Text,
                // A newline ends a sequence: a stray introducer must not swallow the rest of the answer.
                (State::String | State::StringEscape | State::Control, '\n') => {
                    text.push('\n');
                    State::Text
                }
                (State::String | State::StringEscape, _) => State::String,
                (State::Escape | State::Control, _) => State::Text,
                (State::Text, c) => {
                    if is_printable(c) {
                        text.push(c);
                    }
                    State::Text
                }
            };
        }
        text
    }
}

/// Tab, newline and joiners are kept; other C0 and C1 characters, bidirectional overrides and isolates are not.
fn is_printable(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => false,
        c => !c.is_control(),
    }
}

/// The printable part of a whole text.
pub(crate) fn clean(text: &str) -> String {
    Sanitizer::default().clean(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_obeys_gets_through() {
        for (dirty, expected) in [
            ("plain\ttext\n", "plain\ttext\n"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]52;c;ZXZpbA==\u{1b}\\after", "after"),
            ("\u{9b}2Jgone", "gone"),
            ("a\rb\u{8}c\u{7f}d", "abcd"),
            ("\u{202e}evil", "evil"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("\u{1b}(Bset", "set"),
            ("\u{1b}]0;unfinished\nnext line", "\nnext line"),
        ] {
            assert_eq!(clean(dirty), expected, "{dirty:?}");
        }
    }

    #[test]
    fn a_sequence_split_over_pieces_is_still_one() {
        let dirty = "x\u{1b}]0;t\u{1b}\\y\u{1b}[1;31mz";
        for split in 0..=dirty.len() {
            let mut sanitizer = Sanitizer::default();
            let (left, right) = dirty.split_at(split);
            assert_eq!(sanitizer.clean(left) + &sanitizer.clean(right), "xyz");
        }
    }
}
