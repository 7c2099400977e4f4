//! Markdown as models write it, on a terminal and while it comes. What has been written is never touched again: there is
//! no cursor movement and no repainting, so that scrolling back, copying and recording show what was shown.
//!
//! Each decision depends on the text alone, not on the pieces that it comes in: a decision waits until no further text
//! can change it.

mod blocks;
mod cursor;
mod entities;
mod flow;
mod highlight;
mod links;
mod scripts;
mod seen;
mod spans;
mod table;
mod tokens;

pub(crate) mod code_blocks;
pub(crate) mod plain;

use super::abilities::Abilities;
use super::look::{Colour, Format, Look};
use super::printable::Printable;
use super::sanitize::Sanitizer;
use blocks::{Blocks, Container, Kind, Opening, Start};
use flow::{Flow, Prefix};
use highlight::Highlighter;
use spans::{Span, spans};
use table::{Alignment, Screen, alignments, cells};

/// How often a character may be looked at, on average, while it waits for what follows. After that it waits for the end of
/// its line, so that a line of a million brackets in a million pieces costs no more than any other text.
const LOOKS_PER_CHARACTER: usize = 16;

/// How a fence is shown.
const FENCE: &str = "──";

/// The longest thematic break, in columns.
const LONGEST_RULE: usize = 60;

/// What a terminal of this many columns is sent for an answer that comes in pieces: for benchmarks and fuzzers.
#[must_use]
pub fn render<'a>(pieces: impl IntoIterator<Item = &'a str>, columns: usize, styles: bool) -> String {
    let mut sanitizer = Sanitizer::default();
    let mut markdown = Markdown::new(columns, Abilities { styles, links: styles });
    let mut shown = Printable::default();
    for piece in pieces {
        shown.push(markdown.add(&Printable::piece(&mut sanitizer, piece)));
    }
    shown.push(markdown.finish());
    shown.as_str().to_owned()
}

/// A text that is being shown.
pub(crate) struct Markdown {
    abilities: Abilities,
    /// In columns.
    width: usize,
    blocks: Blocks,
    flow: Flow,
    /// What has come and has not been shown.
    rest: String,
    /// The bytes of it that have no line break.
    searched: usize,
    /// How many bytes may still be looked at before their line has ended.
    patience: usize,
    line: Line,
    /// A blank line that is written if something follows: how many bars of quotes are before it.
    blank: Option<Prefix>,
    /// Whether anything was written.
    is_begun: bool,
    highlighter: Option<Highlighter>,
    table: Option<Table>,
}

/// What is known of the line that is coming.
enum Line {
    /// Nothing yet.
    Start,
    /// It flows. The last character that was shown, and what all of it looks like.
    Flowing { before: char, look: Look, is_heading: bool },
    /// It is shown when it has come as a whole.
    Waiting(Start),
}

/// Rows that may be a table.
struct Table {
    first: Prefix,
    next: Prefix,
    rows: Vec<String>,
    /// `None` until the second row shows that it is a table.
    alignments: Option<Vec<Alignment>>,
    /// The second row.
    delimiters: String,
}

impl Markdown {
    pub(crate) fn new(width: usize, abilities: Abilities) -> Self {
        Self {
            abilities,
            width,
            blocks: Blocks::default(),
            flow: Flow::new(width, abilities.styles),
            rest: String::new(),
            searched: 0,
            patience: 0,
            line: Line::Start,
            blank: None,
            is_begun: false,
            highlighter: None,
            table: None,
        }
    }

    /// The width of the screen in columns, which counts for what has not been written.
    pub(crate) fn set_width(&mut self, width: usize) {
        self.width = width;
        self.flow.set_width(width);
    }

    /// Takes the next piece, and gives what is to be written now.
    pub(crate) fn add(&mut self, piece: &Printable) -> Printable {
        let piece = piece.as_str();
        self.rest.push_str(piece);
        self.patience = self.patience.saturating_add(piece.len().saturating_mul(LOOKS_PER_CHARACTER));
        let rest = std::mem::take(&mut self.rest);
        let mut at = 0;
        while let Some(length) = rest[self.searched..].find('\n') {
            let end = self.searched + length;
            self.line(&rest[at..end], true);
            at = end + 1;
            self.searched = at;
        }
        let ahead = &rest[at..];
        if self.patience >= ahead.len() {
            self.patience -= ahead.len();
            at += self.line(ahead, false);
        }
        self.searched = rest.len() - at;
        self.rest = rest;
        self.rest.drain(..at);
        self.flow.take()
    }

    /// Shows everything that waits, and ends the line. More text may follow.
    pub(crate) fn finish(&mut self) -> Printable {
        let rest = std::mem::take(&mut self.rest);
        self.searched = 0;
        if !rest.is_empty() || !matches!(self.line, Line::Start) {
            self.line(&rest, true);
        }
        self.end_table();
        self.flow.take()
    }

    /// Goes on at the start of a line, because something else was written to the screen.
    pub(crate) fn restart_line(&mut self) {
        self.flow.restart_line();
    }

    /// Shows what is certain of the rest of a line, and says how many bytes that is. With `ended`, it is all.
    fn line(&mut self, text: &str, ended: bool) -> usize {
        let mut at = 0;
        if let Line::Start = self.line {
            let Some(start) = self.blocks.start(text, ended) else { return 0 };
            at = start.consumed;
            self.begin(start);
        }
        match std::mem::replace(&mut self.line, Line::Start) {
            Line::Flowing { before, look, is_heading } => {
                let text = &text[at..];
                let shown = self.flowing(text, ended, before, look, is_heading);
                at += shown;
                if ended {
                    self.flow.end_line();
                } else {
                    let before = text[..shown].chars().next_back().unwrap_or(before);
                    self.line = Line::Flowing { before, look, is_heading };
                }
            }
            Line::Waiting(start) if ended => self.whole(start, &text[at..]),
            line => self.line = line,
        }
        at
    }

    /// Takes note of what a line is.
    fn begin(&mut self, start: Start) {
        if !(start.kind == Kind::Row && start.same_place) {
            self.end_table();
        }
        if start.kind == Kind::Blank {
            self.blank = Some(self.prefix(false, &mut String::new()));
            return self.line = Line::Waiting(start);
        }
        if let Some(blank) = self.blank.take()
            && self.is_begun
        {
            self.flow.begin(blank, Prefix::default());
            self.flow.end_line();
        }
        self.is_begun = true;
        let look = match start.kind {
            Kind::Text => Look::PLAIN,
            Kind::Heading(1) => Look { underline: true, ..Look::BOLD },
            Kind::Heading(_) => Look::BOLD,
            _ => return self.line = Line::Waiting(start),
        };
        self.open_line();
        let is_heading = if let Kind::Heading(level) = start.kind {
            // The marks tell the levels apart where there are no styles, too.
            self.flow.text(&"#".repeat(level), &Look::DIM.into());
            self.flow.text(" ", &Format::default());
            true
        } else {
            false
        };
        self.line = Line::Flowing { before: '\n', look, is_heading };
    }

    /// Begins a line in the containers of the present one.
    fn open_line(&mut self) {
        let mut crowded = String::new();
        let first = self.prefix(true, &mut crowded);
        let next = self.prefix(false, &mut String::new());
        self.flow.begin(first, next);
        self.flow.text(&crowded, &Format::default());
    }

    /// What stands before a line, or, if it is not the first one, before those that follow when it wraps. It takes up to
    /// half of the screen; markers beyond that are `crowded` out and become text, and indentation is left out.
    fn prefix(&self, is_first: bool, crowded: &mut String) -> Prefix {
        let mut prefix = Prefix::default();
        let (containers, kept) = self.blocks.containers();
        for (index, container) in containers.iter().enumerate() {
            let (text, look) = match container {
                Container::Quote => ("│ ".to_owned(), Look::DIM),
                Container::Item(item) => {
                    let marker = item.number.as_deref().unwrap_or("•");
                    let is_new = is_first && index >= kept;
                    let blanks = " ".repeat(marker.chars().count() + 1);
                    (if is_new { format!("{marker} ") } else { blanks }, Look::coloured(Colour::Magenta))
                }
            };
            if prefix.width + text.chars().count() <= self.width / 2 && crowded.is_empty() {
                prefix.push(text, look);
            } else if !text.trim().is_empty() && *container != Container::Quote {
                crowded.push_str(&text);
            }
        }
        prefix
    }

    /// Shows what is certain of a text that flows. The source's line breaks stay: models break lines where they mean to, in
    /// poems, addresses and lists without bullets, and hardly ever to keep a paragraph narrow.
    fn flowing(&mut self, text: &str, ended: bool, before: char, look: Look, is_heading: bool) -> usize {
        let mut shown = text;
        if is_heading {
            // The marks at the end of a heading are no part of it.
            let inside = text.trim_end().trim_end_matches('#');
            let is_marked = inside.len() < text.trim_end().len();
            let last = inside.chars().next_back().unwrap_or(before);
            if is_marked && (!ended || last.is_whitespace()) {
                shown = inside.trim_end();
            }
        } else if let (true, Some(inside)) = (ended, text.strip_suffix('\\')) {
            // Behind a word, it only means that the line breaks here.
            let last = inside.chars().next_back().unwrap_or(before);
            shown = if last.is_whitespace() || last == '\\' { text } else { inside };
        }
        let (spans, length) = spans(shown, before, ended, self.abilities.links);
        for Span { text, look: own, url } in spans {
            let link = url.as_deref().map(links::link);
            self.flow.text(&text, &Format { look: look.and(own), link });
        }
        if ended { text.len() } else { length }
    }

    /// Shows a line that has come as a whole.
    fn whole(&mut self, start: Start, text: &str) {
        match start.kind {
            Kind::ThematicBreak => {
                self.open_line();
                let width = self.prefix(true, &mut String::new()).width;
                let rule = "─".repeat(self.width.saturating_sub(width).clamp(1, LONGEST_RULE));
                self.flow.text(&rule, &Look::DIM.into());
                self.flow.end_line();
            }
            Kind::Formula => {
                self.open_line();
                self.flow.text(text, &Format::default());
                self.flow.end_line();
            }
            Kind::Row => self.row(text),
            Kind::Indented => {
                self.marker_alone();
                self.flow.verbatim([(" ".repeat(start.spare).as_str(), Look::PLAIN), (text, Look::PLAIN)]);
            }
            Kind::FenceStart(fence) => self.fence(&fence),
            Kind::Code(code) => match &mut self.highlighter {
                Some(highlighter) => self.flow.verbatim(highlighter.line(&code)),
                None => self.flow.verbatim([(code.as_str(), Look::PLAIN)]),
            },
            Kind::FenceEnd => {
                self.highlighter = None;
                self.flow.verbatim([(FENCE, Look::DIM)]);
            }
            Kind::Blank | Kind::Text | Kind::Heading(_) => {}
        }
    }

    /// A fence is shown as a dim line, so that code stands apart where there are no colours, too. Between the two lines
    /// there is code and nothing else, which is what a mouse selects.
    fn fence(&mut self, fence: &Opening) {
        self.marker_alone();
        self.flow.begin(Prefix::default(), Prefix::default());
        self.flow.text(FENCE, &Look::DIM.into());
        self.flow.text(" ", &Look::DIM.into());
        self.flow.text(&fence.info, &Look::DIM.into());
        self.flow.end_line();
        let language = fence.language.as_deref().filter(|_| self.abilities.styles);
        self.highlighter = language.and_then(Highlighter::new);
    }

    /// Shows the markers of list items that begin with code on a line of their own. Code has nothing before it, also not
    /// the bars of quotes, so that it can be copied from the screen.
    fn marker_alone(&mut self) {
        let (containers, kept) = self.blocks.containers();
        if containers[kept.min(containers.len())..].iter().any(|container| *container != Container::Quote) {
            self.open_line();
            self.flow.end_line();
        }
    }

    fn row(&mut self, text: &str) {
        let Some(table) = &mut self.table else {
            let (first, next) = (self.prefix(true, &mut String::new()), self.prefix(false, &mut String::new()));
            let rows = vec![text.to_owned()];
            self.table = Some(Table { first, next, rows, alignments: None, delimiters: String::new() });
            return;
        };
        if table.alignments.is_some() {
            table.rows.push(text.to_owned());
            return;
        }
        let columns = cells(&table.rows[0]).len();
        if let Some(alignments) = alignments(text).filter(|alignments| alignments.len() == columns) {
            table.alignments = Some(alignments);
            text.clone_into(&mut table.delimiters);
        } else {
            self.end_table();
            self.row(text);
        }
    }

    /// Shows the rows that wait: as a table, or as text if they are none.
    fn end_table(&mut self) {
        let Some(Table { first, next, rows, alignments, delimiters }) = self.table.take() else { return };
        let Some(alignments) = alignments else {
            for row in rows {
                self.flow.begin(first.clone(), next.clone());
                self.flowing(&row, true, '\n', Look::PLAIN, false);
                self.flow.end_line();
            }
            return;
        };
        let width = self.width.saturating_sub(first.width);
        let screen = Screen { width, has_styles: self.abilities.styles, can_click: self.abilities.links };
        if let Some(lines) = table::lines(&rows, &alignments, screen) {
            return self.flow.lines(lines, &first, &next);
        }
        for row in rows[..1].iter().chain([&delimiters]).chain(&rows[1..]) {
            self.flow.verbatim([(row.as_str(), Look::PLAIN)]);
        }
    }
}

#[cfg(test)]
mod tests;
