//! Text that is written word by word and wrapped at words. What has been written is never touched again.

use super::scripts::may_break;
use crate::terminal::look::{Format, Look};
use crate::terminal::printable::Printable;
use unicode_segmentation::GraphemeCursor;
use unicode_width::UnicodeWidthStr;

/// What stands before a line: bars of quotes, markers of lists and their indentation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    parts: Vec<(String, Look)>,
    /// In columns.
    pub(super) width: usize,
}

impl Prefix {
    pub(super) fn push(&mut self, text: String, look: Look) {
        self.width += text.width();
        self.parts.push((text, look));
    }

    /// Without blanks at its end.
    fn trim_end(&self) -> Self {
        let mut trimmed = self.clone();
        while let Some((text, _)) = trimmed.parts.last_mut() {
            text.truncate(text.trim_end().len());
            if !text.is_empty() {
                break;
            }
            trimmed.parts.pop();
        }
        trimmed
    }
}

/// A word that has not been written.
#[derive(Debug, Default)]
struct Word {
    text: String,
    /// In columns.
    width: usize,
    /// The end of each grapheme cluster in bytes, and its width in columns.
    clusters: Vec<(usize, usize)>,
    /// Where each format starts.
    formats: Vec<(usize, Format)>,
    /// The first character of the last cluster.
    last: char,
}

#[derive(Debug)]
pub(super) struct Flow {
    /// Of the screen, in columns.
    width: usize,
    has_styles: bool,
    out: Printable,
    /// What stands before the line, and before those that follow when it wraps.
    first: Prefix,
    next: Prefix,
    /// Whether the prefix of the line has been written.
    is_begun: bool,
    /// The column where the text of the line begins, and the one that is written next.
    margin: usize,
    column: usize,
    /// How the characters look that come next.
    format: Format,
    /// The blanks before the word.
    blanks: usize,
    blanks_format: Format,
    word: Word,
    /// The grapheme cluster that may not be complete.
    cluster: String,
    /// The widths of the lines that were ended, for those who ask for them.
    line_widths: Vec<usize>,
}

impl Flow {
    pub(super) fn new(width: usize, has_styles: bool) -> Self {
        Self {
            width: width.max(1),
            has_styles,
            out: Printable::default(),
            first: Prefix::default(),
            next: Prefix::default(),
            is_begun: false,
            margin: 0,
            column: 0,
            format: Format::default(),
            blanks: 0,
            blanks_format: Format::default(),
            word: Word::default(),
            cluster: String::new(),
            line_widths: Vec::new(),
        }
    }

    /// The width from the next word on.
    pub(super) fn set_width(&mut self, width: usize) {
        self.width = width.max(1);
    }

    /// What is to be written now.
    pub(super) fn take(&mut self) -> Printable {
        self.out.take()
    }

    /// The widths of the lines since the last call.
    pub(super) fn take_line_widths(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.line_widths)
    }

    /// Begins a line, whose prefix is written with its first word.
    pub(super) fn begin(&mut self, first: Prefix, next: Prefix) {
        (self.first, self.next) = (first, next);
        self.is_begun = false;
    }

    /// Adds text. Words wait for what comes after them.
    pub(super) fn text(&mut self, text: &str, format: &Format) {
        if self.has_styles && self.format != *format {
            // A cluster belongs to the format of its first character.
            let grows = text.chars().next().is_some_and(|c| self.grows(c));
            if !grows {
                self.end_cluster();
            }
            self.format = format.clone();
        }
        for c in text.chars() {
            self.add(c);
        }
    }

    fn add(&mut self, c: char) {
        if matches!(c, ' ' | '\t') {
            self.end_word();
            if self.blanks == 0 {
                self.blanks_format.clone_from(&self.format);
            }
            self.blanks += 1;
            return;
        }
        if !self.grows(c) {
            self.end_cluster();
            if may_break(self.word.last, c) {
                self.write_word();
            }
        }
        self.cluster.push(c);
    }

    /// Whether a character belongs to the cluster before it.
    fn grows(&mut self, c: char) -> bool {
        let Some(last) = self.cluster.chars().next_back() else { return false };
        if last.is_ascii() && c.is_ascii() {
            return false;
        }
        let length = self.cluster.len();
        self.cluster.push(c);
        let mut cursor = GraphemeCursor::new(length, self.cluster.len(), true);
        let is_boundary = cursor.is_boundary(&self.cluster, 0);
        self.cluster.truncate(length);
        is_boundary == Ok(false)
    }

    fn end_cluster(&mut self) {
        let Some(first) = self.cluster.chars().next() else { return };
        let word = &mut self.word;
        if word.formats.last().is_none_or(|(_, format)| *format != self.format) {
            word.formats.push((word.text.len(), self.format.clone()));
        }
        word.text.push_str(&self.cluster);
        let width = self.cluster.width();
        word.width += width;
        word.clusters.push((word.text.len(), width));
        word.last = first;
        self.cluster.clear();
    }

    fn end_word(&mut self) {
        self.end_cluster();
        self.write_word();
    }

    fn write_word(&mut self) {
        if self.word.text.is_empty() {
            return;
        }
        if !self.is_begun {
            self.write_prefix();
        }
        let is_first = self.column == self.margin;
        let blanks = if is_first { 0 } else { self.blanks };
        if self.column + blanks + self.word.width <= self.width {
            self.write_clusters(blanks, 0, self.word.clusters.len());
        } else {
            if !is_first {
                self.wrap();
            }
            self.write_long_word();
        }
        self.blanks = 0;
        let word = &mut self.word;
        word.text.clear();
        word.clusters.clear();
        word.formats.clear();
        word.width = 0;
    }

    /// Writes a word from the start of a line on, over as many lines as it takes.
    fn write_long_word(&mut self) {
        let mut from = 0;
        while from < self.word.clusters.len() {
            if from > 0 {
                self.wrap();
            }
            let mut room = self.width.saturating_sub(self.margin);
            let fits = |(_, width): &&(usize, usize)| {
                let has_room = *width <= room;
                room = room.saturating_sub(*width);
                has_room
            };
            let fitting = self.word.clusters[from..].iter().take_while(fits).count().max(1);
            self.write_clusters(0, from, from + fitting);
            from += fitting;
        }
    }

    /// Writes some clusters of the word, after blanks.
    fn write_clusters(&mut self, blanks: usize, from: usize, to: usize) {
        let clusters = &self.word.clusters[from..to];
        self.column += blanks + clusters.iter().map(|(_, width)| width).sum::<usize>();
        let start = from.checked_sub(1).map_or(0, |before| self.word.clusters[before].0);
        let end = clusters.last().map_or(start, |(end, _)| *end);
        let mut blanks = " ".repeat(blanks);
        let formats = &self.word.formats;
        let first = formats.partition_point(|(at, _)| *at <= start).saturating_sub(1);
        for (index, (at, format)) in formats.iter().enumerate().skip(first) {
            if *at >= end && index > first {
                break;
            }
            let until = formats.get(index + 1).map_or(end, |(next, _)| *next).min(end);
            let text = &self.word.text[start.max(*at)..until];
            if self.blanks_format == *format {
                blanks.push_str(text);
                self.out.push_formatted(&blanks, format);
            } else {
                self.out.push_formatted(&blanks, &self.blanks_format);
                self.out.push_formatted(text, format);
            }
            blanks.clear();
        }
    }

    fn write_prefix(&mut self) {
        let prefix = std::mem::take(&mut self.first);
        self.write_parts(&prefix);
        (self.margin, self.column, self.is_begun) = (prefix.width, prefix.width, true);
    }

    fn write_parts(&mut self, prefix: &Prefix) {
        for (text, look) in &prefix.parts {
            let look = if self.has_styles { *look } else { Look::PLAIN };
            self.out.push_formatted(text, &look.into());
        }
    }

    /// Goes on in the next line.
    fn wrap(&mut self) {
        self.end_row();
        let prefix = std::mem::take(&mut self.next);
        self.write_parts(&prefix);
        (self.margin, self.column) = (prefix.width, prefix.width);
        self.next = prefix;
    }

    fn end_row(&mut self) {
        self.out.push("\n");
        self.line_widths.push(self.column);
    }

    /// Ends the line.
    pub(super) fn end_line(&mut self) {
        self.end_word();
        if !self.is_begun {
            let prefix = self.first.trim_end();
            self.write_parts(&prefix);
            self.column = prefix.width;
        }
        self.end_row();
        self.blanks = 0;
        self.format = Format::default();
        self.is_begun = false;
        self.first = self.next.clone();
    }

    /// Writes a line as it is, however long. Formats are those of its parts.
    pub(super) fn verbatim<'a>(&mut self, parts: impl IntoIterator<Item = (&'a str, Look)>) {
        for (text, look) in parts {
            let look = if self.has_styles { look } else { Look::PLAIN };
            self.out.push_formatted(text, &look.into());
        }
        self.out.push("\n");
    }

    /// Writes lines that are complete, after their prefixes.
    pub(super) fn lines(&mut self, lines: Vec<Printable>, first: &Prefix, next: &Prefix) {
        for (index, line) in lines.into_iter().enumerate() {
            self.write_parts(if index == 0 { first } else { next });
            self.out.push(line);
            self.out.push("\n");
        }
    }

    /// Goes on at the start of a line, because something else was written to the screen.
    pub(super) fn restart_line(&mut self) {
        if self.is_begun {
            self.first = self.next.clone();
            self.is_begun = false;
        }
    }
}
