//! Bold and dim text, where a stream is a terminal that wants it.

use std::env;
use std::io::IsTerminal;

/// Whether a stream may be decorated: a terminal, not `TERM=dumb`, and `NO_COLOR` empty or unset.
pub(crate) fn colour(stream: &impl IsTerminal) -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// For footers, reasoning and notices.
pub(crate) fn dim(text: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// For the heads of tables.
pub(crate) fn bold(text: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}
