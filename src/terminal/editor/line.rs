//! What was typed at a prompt.

/// A line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// One line, or several after a paste, Ctrl-J or Alt-Enter.
    Text(String),
    /// What stood between `"""` and `"""`. It is a message whatever it looks like, and never a command.
    Block(String),
    /// A block that was still open when the input ended. It is not sent.
    OpenBlock,
    /// Ctrl-C, which discards the line.
    Interrupted,
    /// Bytes that are not UTF-8.
    NotText,
    /// Ctrl-D on an empty line, or the end of the input.
    End,
}
