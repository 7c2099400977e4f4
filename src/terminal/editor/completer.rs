//! Tab, as rustyline asks for it.

use super::{Candidate, Complete};
use rustyline::completion::{Candidate as Listed, Completer as Completes};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::rc::Rc;

/// What rustyline asks about the line.
pub(super) struct Completer(pub(super) Rc<dyn Complete>);

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
        Ok(self.0.candidates(line, position))
    }
}

impl Helper for Completer {}
impl Highlighter for Completer {}
impl Hinter for Completer {
    type Hint = String;
}
impl Validator for Completer {}
