//! Text that is no Markdown, wrapped at words.

use super::flow::{Flow, Prefix};
use crate::terminal::look::{Format, Look};
use crate::terminal::printable::Printable;

pub(crate) struct Plain {
    flow: Flow,
    format: Format,
    width: usize,
    /// The blanks at the start of the line; `None` once its text has begun.
    indent: Option<usize>,
}

impl Plain {
    /// Text that all looks the same, on a screen of this many columns.
    pub(crate) fn new(width: usize, look: Look) -> Self {
        let has_styles = look != Look::PLAIN;
        Self { flow: Flow::new(width, has_styles), format: look.into(), width, indent: Some(0) }
    }

    /// The width of the screen in columns, which counts for what has not been written.
    pub(crate) fn set_width(&mut self, width: usize) {
        self.width = width;
        self.flow.set_width(width);
    }

    /// Takes the next piece, and gives what is to be written now.
    pub(crate) fn add(&mut self, piece: &Printable) -> Printable {
        for part in piece.as_str().split_inclusive('\n') {
            let (line, ends) = part.strip_suffix('\n').map_or((part, false), |line| (line, true));
            let text = line.trim_start_matches(' ');
            let text = match self.indent {
                None => line,
                Some(indent) if text.is_empty() => {
                    self.indent = Some(indent + line.len());
                    text
                }
                Some(indent) => {
                    self.begin(indent + line.len() - text.len());
                    text
                }
            };
            self.flow.text(text, &self.format);
            if ends {
                self.end_line();
            }
        }
        self.flow.take()
    }

    /// Shows everything that waits, and ends the line. More text may follow.
    pub(crate) fn finish(&mut self) -> Printable {
        if self.indent.is_none() {
            self.end_line();
        }
        self.flow.take()
    }

    /// Goes on at the start of a line, because something else was written to the screen.
    pub(crate) fn restart_line(&mut self) {
        self.flow.restart_line();
    }

    /// Begins a line with an indentation, which the lines that it wraps to have, too.
    fn begin(&mut self, indent: usize) {
        let mut prefix = Prefix::default();
        prefix.push(" ".repeat(indent.min(self.width / 2)), Look::PLAIN);
        self.flow.begin(prefix.clone(), prefix);
        self.indent = None;
    }

    fn end_line(&mut self) {
        if self.indent.take().is_some() {
            self.flow.begin(Prefix::default(), Prefix::default());
        }
        self.flow.end_line();
        self.indent = Some(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wrap_and_keep_their_indentation() {
        for (text, expected) in [
            ("one two three fours", "one two\nthree\nfours\n"),
            ("a\n\n  b c d e f\n", "a\n\n  b c d e\n  f\n"),
            ("12345678901", "1234567890\n1\n"),
            ("**not bold**", "**not\nbold**\n"),
            ("                  deep", "     deep\n"),
            ("a \n   \nb", "a\n\nb\n"),
        ] {
            let mut plain = Plain::new(10, Look::PLAIN);
            let mut shown = String::new();
            for c in text.chars() {
                shown.push_str(plain.add(&Printable::lines(c)).as_str());
            }
            shown.push_str(plain.finish().as_str());
            assert_eq!(shown, expected, "{text:?}");
        }
    }
}
