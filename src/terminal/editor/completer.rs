//! What rustyline asks about the line: what Tab offers, and how the line is shown.

use super::{Candidate, Complete};
use crate::terminal::mode;
use crate::terminal::sanitize::is_printable;
use rustyline::completion::{Candidate as Listed, Completer as Completes};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

/// More candidates than this are no help, and are not listed.
const MOST: usize = 500;

pub(super) struct Completer {
    complete: Rc<dyn Complete>,
    /// Whether the mode is known that rustyline reads this line in.
    mode_is_known: Cell<bool>,
}

impl Completer {
    pub(super) fn new(complete: Rc<dyn Complete>) -> Self {
        Self { complete, mode_is_known: Cell::new(false) }
    }

    /// Says that another line will be read.
    pub(super) fn begin(&self) {
        self.mode_is_known.set(false);
    }
}

impl Listed for Candidate {
    fn display(&self) -> &str {
        self.display.as_str()
    }

    fn replacement(&self) -> &str {
        &self.replacement
    }
}

impl Completes for Completer {
    type Candidate = Candidate;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Candidate>)> {
        let (start, mut candidates) = self.complete.candidates(line, position);
        candidates.truncate(MOST);
        let start = if start <= position && line.is_char_boundary(start) { start } else { position };
        Ok((start, candidates))
    }
}

impl Highlighter for Completer {
    /// A line may hold what a terminal obeys, from the history or from another editor. None of it takes a column.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if line.chars().all(is_printable) { line.into() } else { line.chars().filter(|c| is_printable(*c)).collect() }
    }
}

impl Hinter for Completer {
    type Hint = String;

    /// There are no hints. But whoever continues this program needs to know the mode, and it is set when a hint is asked
    /// for first.
    fn hint(&self, _: &str, _: usize, _: &Context<'_>) -> Option<String> {
        if !self.mode_is_known.replace(true) {
            mode::note_editing(true);
        }
        None
    }
}

impl Validator for Completer {}
impl Helper for Completer {}
