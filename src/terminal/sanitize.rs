//! Text from outside is untrusted: answers, words of AWS's, file names, settings. On a terminal, control characters
//! could move the cursor, set the title, write the clipboard or hide text, so they are removed together with the whole
//! escape sequence that they begin. [`Printable`](super::printable::Printable) is what comes out.

use crate::conversation::text;

/// Removes what a terminal would obey, also where it is split over the pieces of a stream. One for each stream.
#[derive(Debug, Default)]
pub(crate) struct Sanitizer {
    state: State,
    /// What the last character that was kept allows after it.
    last: Last,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After a shift of a single character, such as begins the function keys.
    Shift,
    /// In a control sequence, until its final byte.
    Control,
    /// In a string (OSC, DCS, PM, APC, SOS), until BEL or ST.
    String,
    /// In a string, after ESC.
    StringEscape,
}

/// The last character that was kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    #[default]
    Blank,
    Visible,
    /// It chose how the one before it is drawn, such as the colour of an emoji.
    Selector,
    Joiner,
}

impl Sanitizer {
    /// The printable part of the next piece.
    pub(super) fn clean(&mut self, piece: &str) -> String {
        let mut text = String::with_capacity(piece.len());
        for c in piece.chars() {
            self.add(c, &mut text);
        }
        text
    }

    fn add(&mut self, c: char, text: &mut String) {
        // Line and paragraph separators are line breaks.
        let c = if matches!(c, '\u{2028}' | '\u{2029}') { '\n' } else { c };
        let escaped = matches!(self.state, State::Escape | State::StringEscape);
        self.state = match (self.state, c) {
            // A newline ends a sequence: a stray introducer must not swallow the rest of the answer.
            (_, '\n') => self.keep('\n', text),
            // CAN and SUB abort a sequence.
            (_, '\u{18}' | '\u{1a}') => State::Text,
            (State::StringEscape, '\\') | (State::String, '\u{7}' | '\u{9c}') => State::Text,
            (State::String, '\u{1b}') => State::StringEscape,
            (State::String, _) => State::String,
            (_, '\u{1b}') => State::Escape,
            (_, '[') if escaped => State::Control,
            (_, ']' | 'P' | '^' | '_' | 'X') if escaped => State::String,
            // Intermediate bytes; one more follows.
            (_, ' '..='/') if escaped => State::Escape,
            (_, 'N' | 'O') if escaped => State::Shift,
            (State::Shift, '\u{20}'..='\u{7e}') => State::Text,
            (_, '0'..='~') if escaped => State::Text,
            (State::Control, ' '..='?') => State::Control,
            (State::Control, '@'..='~') => State::Text,
            // A terminal obeys other control characters inside a sequence, and goes on with the sequence after them.
            (State::Escape | State::StringEscape | State::Control, '\0'..='\u{1f}') => self.state,
            (_, '\u{9b}') => State::Control,
            (_, '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}') => State::String,
            (_, c) => self.keep(c, text),
        };
    }

    /// Keeps a character of the text if it may be printed.
    fn keep(&mut self, c: char, text: &mut String) -> State {
        // Joiners and selectors stand between characters. A row of them could hide a message.
        let (kept, last) = match c {
            '\u{200c}' | '\u{200d}' => (matches!(self.last, Last::Visible | Last::Selector), Last::Joiner),
            '\u{fe0e}' | '\u{fe0f}' => (self.last == Last::Visible, Last::Selector),
            c if c.is_whitespace() => (is_printable(c), Last::Blank),
            c => (is_printable(c), Last::Visible),
        };
        if kept {
            text.push(c);
            self.last = last;
        }
        State::Text
    }
}

/// Whether a character may be printed wherever it stands: as [`text::is_printable`] says, and also line ends and tabs.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | '\t') || text::is_printable(c)
}

/// Whether a character may stand in a text that has been sanitized. Of joiners and selectors, only those are left there
/// that stand behind a visible character.
pub(super) fn may_stay(c: char) -> bool {
    is_printable(c) || matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// The printable part of a whole text. A sequence without an end hides nothing here: only its first character is
/// removed, so that what follows a stray introducer in a message is still read.
pub(super) fn clean(text: &str) -> String {
    let mut sanitizer = Sanitizer::default();
    let mut cleaned = String::with_capacity(text.len());
    // Where the sequence began that is still open.
    let mut open = (0, 0);
    for (index, c) in text.char_indices() {
        if sanitizer.state == State::Text {
            open = (index, cleaned.len());
        }
        sanitizer.add(c, &mut cleaned);
    }
    if sanitizer.state != State::Text {
        let (index, length) = open;
        cleaned.truncate(length);
        cleaned.extend(text[index..].chars().filter(|c| is_printable(*c)));
    }
    cleaned
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
            ("\u{1b}]52;c;ZXZpbA==\u{9c}after", "after"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{90}1;2|dcs\u{1b}\\\u{1b}_apc\u{1b}\\\u{1b}^pm\u{1b}\\\u{1b}Xsos\u{1b}\\after", "after"),
            ("\u{1b}]0;t\u{1b}[31mred", "red"),
            ("\u{1b}[3\r1mred", "red"),
            ("\u{1b}[3\u{18}gone", "gone"),
            ("\u{1b}é\u{1b}[é", "éé"),
            ("\u{1b}\u{9b}2Jgone", "gone"),
            ("\u{1b}\nnext line", "\nnext line"),
            ("a\rb\u{8}c\u{7f}d\u{85}e", "abcde"),
            ("\u{202e}evil\u{2066}\u{200f}", "evil"),
            ("one\u{2028}two\u{2029}three", "one\ntwo\nthree"),
            ("pa\u{200b}y\u{2060}\u{ad}p\u{feff}al\u{3164}", "paypal"),
            ("a\u{e0041}\u{e0042}\u{e007f}\u{fe01}", "a"),
            ("👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥", "👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("a\u{200d}\u{200c}\u{200d}\u{200c}b \u{200d}c", "a\u{200d}b c"),
            ("a\u{fe0f}\u{fe0e}\u{fe0f}", "a\u{fe0f}"),
            ("\u{1b}(Bset", "set"),
            ("\u{1b}OPset", "set"),
            ("\u{1b}]0;unfinished\nnext line", "\nnext line"),
            ("end\u{1b}", "end"),
            ("no end\u{1b}]52;advice", "no end]52;advice"),
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
