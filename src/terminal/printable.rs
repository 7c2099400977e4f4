//! The only text that is written to a terminal. Text from outside becomes one by being sanitized, so that a function
//! that takes a [`Printable`] cannot be given anything that a terminal would obey.

use super::look::{Colour, Format, Look};
use super::sanitize::{self, Sanitizer};
use crate::conversation::text::escape_in_json;
use std::fmt::Display;
use unicode_width::UnicodeWidthStr;

/// Text without control characters, besides the styles and links of its own methods. It comes from
/// the words of this program, from sanitizing, or from joining others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Printable(String);

impl From<&'static str> for Printable {
    /// The words of this program.
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl Printable {
    /// One line of any text. Line breaks and rows of blanks become single blanks: text from outside must not begin a
    /// line that looks like one of ours, and must not move there by blanks either.
    pub(crate) fn line(text: impl Display) -> Self {
        let clean = sanitize::clean(&text.to_string());
        Self(clean.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Any text, with its line breaks.
    pub(crate) fn lines(text: impl Display) -> Self {
        Self(sanitize::clean(&text.to_string()))
    }

    /// The next piece of a text that comes in pieces.
    pub(crate) fn piece(sanitizer: &mut Sanitizer, piece: &str) -> Self {
        Self(sanitizer.clean(piece))
    }

    /// The line that reports a failure. Its first word is red, as in the errors of the command line.
    pub(crate) fn error(error: impl Display, colour: bool) -> Self {
        let label = if colour { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
        let Self(line) = Self::line(format_args!("{error:#}"));
        Self(format!("{label} {line}"))
    }

    /// A JSON document. What must not be printed is escaped, so that the document still means the same.
    pub(crate) fn json(document: impl Display) -> Self {
        // Everything outside strings is printable.
        Self(escape_in_json(&document.to_string(), sanitize::is_printable))
    }

    /// A text of this program, several times.
    pub(crate) fn repeat(text: &'static str, times: usize) -> Self {
        Self(text.repeat(times))
    }

    pub(crate) fn join(parts: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect::<Vec<_>>().join(separator))
    }

    pub(crate) fn push(&mut self, text: impl Into<Self>) {
        self.0.push_str(&text.into().0);
    }

    /// Appends a piece of text that has been sanitized before, in its format. What must not be printed is left out even so,
    /// whatever has been done to the text since.
    pub(crate) fn push_formatted(&mut self, text: &str, format: &Format) {
        if text.is_empty() {
            return;
        }
        let parameters = format.look.parameters();
        if let Some(link) = &format.link {
            // <https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda>
            self.0.push_str(&format!("\u{1b}]8;id={};", link.id));
            self.0.extend(link.url.chars().filter(char::is_ascii_graphic));
            self.0.push_str("\u{1b}\\");
        }
        if !parameters.is_empty() {
            self.0.push_str(&format!("\u{1b}[{parameters}m"));
        }
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.0.push_str(text);
        } else {
            self.0.extend(text.chars().filter(|c| sanitize::may_stay(*c)));
        }
        if !parameters.is_empty() {
            self.0.push_str("\u{1b}[0m");
        }
        if format.link.is_some() {
            self.0.push_str("\u{1b}]8;;\u{1b}\\");
        }
    }

    /// The lines of a text in which no style and no link reaches over a line break.
    pub(crate) fn split_lines(&self) -> Vec<Self> {
        self.0.lines().map(|line| Self(line.to_owned())).collect()
    }

    /// Takes what is there, and leaves nothing.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub(crate) fn trim_end(&self) -> Self {
        Self(self.0.trim_end().to_owned())
    }

    /// The text in lines of so many columns at most, broken at blanks, or inside a word that is longer than a line. There
    /// is at least one line. Styles have no width.
    #[must_use]
    pub(crate) fn wrapped(&self, columns: usize) -> Vec<Self> {
        let options = textwrap::Options::new(columns.max(1)).word_separator(textwrap::WordSeparator::AsciiSpace);
        let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
        textwrap::wrap(&self.0, options).into_iter().map(|line| Self(line.into_owned())).collect()
    }

    /// As much of it as fits into so many columns. Only for a text without styles.
    #[must_use]
    pub(crate) fn cut(&self, columns: usize) -> Self {
        let mut end = 0;
        for (start, c) in self.0.char_indices() {
            let next = start + c.len_utf8();
            if self.0[..next].width() > columns {
                break;
            }
            end = next;
        }
        Self(self.0[..end].trim_end_matches('\u{200d}').to_owned())
    }

    /// For footers, reasoning and notices.
    #[must_use]
    pub(crate) fn dim(self, colour: bool) -> Self {
        if colour && !self.0.is_empty() { Self(format!("\u{1b}[2m{}\u{1b}[0m", self.0)) } else { self }
    }

    /// For the heads of tables.
    #[must_use]
    pub(crate) fn bold(self, colour: bool) -> Self {
        if colour { Self(format!("\u{1b}[1m{}\u{1b}[0m", self.0)) } else { self }
    }

    /// For words that tell good from bad.
    #[must_use]
    pub(crate) fn coloured(self, name: Colour, colour: bool) -> Self {
        let parameters = Look::coloured(name).parameters();
        if colour { Self(format!("\u{1b}[{parameters}m{}\u{1b}[0m", self.0)) } else { self }
    }

    /// How many columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.0.width()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        for (text, expected) in [
            ("one\nerror: two", "one error: two"),
            ("one\r\ntwo\u{2028}three\u{85}", "one two three"),
            ("one                    error: two\t\u{3000}three", "one error: two three"),
            ("\u{1b}]0;title\u{7}\n", ""),
        ] {
            assert_eq!(Printable::line(text).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_broken_at_blanks() {
        for (text, columns, expected) in [
            ("one two three", 80, "one two three"),
            ("one two three", 8, "one two\nthree"),
            ("one\n\n  two three", 7, "one\n\n  two\nthree"),
            ("\u{1b}[2mone two three\u{1b}[0m", 8, "\u{1b}[2mone two\nthree\u{1b}[0m"),
            ("日本 語", 5, "日本\n語"),
            ("日本語", 5, "日本\n語"),
            ("a abcdefgh b", 5, "a\nabcde\nfgh b"),
            ("", 5, ""),
            ("a", 0, "a"),
        ] {
            let lines = Printable::join(Printable::from(text).wrapped(columns), "\n");
            assert_eq!(lines.as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cut_text_fits() {
        for (text, columns, expected) in [
            ("claude-haiku", 20, "claude-haiku"),
            ("claude-haiku", 6, "claude"),
            ("日本語", 5, "日本"),
            ("e\u{301}e", 1, "e\u{301}"),
            ("👩\u{200d}💻", 1, ""),
            ("abc", 0, ""),
        ] {
            assert_eq!(Printable::line(text).cut(columns).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn json_is_escaped_and_means_the_same() {
        let value = serde_json::json!({"text": "a\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{1b}[0mé👩\u{200d}💻"});
        let text = Printable::json(&value);
        assert!(text.as_str().chars().all(sanitize::is_printable), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(text.as_str()).unwrap(), value);
        assert!(text.as_str().contains("é👩"));
    }
}
