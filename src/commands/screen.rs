//! What commands write: answers and reports on stdout, everything else on stderr.

use crate::terminal::{output, sanitize};
use std::fmt::Display;
use std::io::{self, Write};

/// Writes to stdout, as [`output::write`] does.
pub(crate) fn print(text: &str) -> io::Result<bool> {
    output::write(&mut io::stdout(), text)
}

/// The line that reports an error. It may hold words of Bedrock's or of a file, so it is sanitized.
pub fn error_line(error: impl Display) -> String {
    sanitize::clean(&format!("error: {error:#}"))
}

/// Writes a line to stderr.
pub(crate) fn note(line: &str) {
    // A closed stderr is no reason to fail.
    let _ = writeln!(io::stderr().lock(), "{line}");
}
