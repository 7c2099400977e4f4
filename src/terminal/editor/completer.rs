//! What rustyline asks about the line: what Tab offers, and how the line is shown.

use super::complete::{Candidate, Complete};
use super::reflow::{self, Shown};
use crate::terminal::mode;
use crate::terminal::sanitize::is_printable;
use rustyline::completion::{Candidate as Listed, Completer as Completes};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// More candidates than this are no help, and are not listed.
const MOST: usize = 500;

pub(super) struct Completer {
    complete: Rc<dyn Complete>,
    prompt: RefCell<String>,
    /// Whether the mode is known that rustyline reads this line in.
    mode_is_known: Cell<bool>,
    /// The columns that the line was drawn for, and its length (bytes).
    drawn: Cell<(usize, usize)>,
    is_reflowed: bool,
}

impl Completer {
    pub(super) fn new(complete: Rc<dyn Complete>) -> Self {
        Self {
            complete,
            prompt: RefCell::default(),
            mode_is_known: Cell::new(false),
            drawn: Cell::default(),
            is_reflowed: reflow::happens(),
        }
    }

    /// Says that another line will be read.
    pub(super) fn begin(&self, prompt: &str) {
        self.mode_is_known.set(false);
        prompt.clone_into(&mut self.prompt.borrow_mut());
        self.drawn.set((mode::columns(), 0));
    }

    /// Corrects what a new width has moved, before the line is drawn again. rustyline draws an unchanged line only then.
    fn correct(&self, line: &str, position: usize) {
        let (columns, length) = (mode::columns(), line.len());
        let (drawn_for, drawn_length) = self.drawn.replace((columns, length));
        if self.is_reflowed && columns != drawn_for && length == drawn_length {
            let shown = Shown { prompt: &self.prompt.borrow(), line, position };
            mode::tell(&shown.correction(drawn_for, columns));
        }
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

    /// There are no hints. But rustyline asks for one when it has set its mode, and always before it draws the line.
    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        self.correct(line, position);
        if !self.mode_is_known.replace(true) {
            mode::note_editing(true);
        }
        None
    }
}

impl Validator for Completer {}
impl Helper for Completer {}
