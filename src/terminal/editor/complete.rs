//! What Tab offers.

use crate::terminal::printable::Printable;

/// One way to go on with what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// What replaces the text from the start position to the cursor.
    pub(crate) replacement: String,
    /// What the list shows, for a model with its price.
    pub(crate) display: Printable,
}

/// Finds candidates for Tab. The position is the cursor's (bytes); the first value is where the replaced text begins
/// (bytes).
pub(crate) trait Complete {
    fn candidates(&self, line: &str, position: usize) -> (usize, Vec<Candidate>);
}
