//! What can be said about the start of a text that has not come as a whole.

/// Whether it is something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen<T> {
    /// More of the text has to come.
    Undecided,
    No,
    Yes(T),
}
