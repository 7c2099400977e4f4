//! Colour, where a stream is a terminal that wants it. Sixteen ANSI colours only.

use std::env;
use std::io::IsTerminal;

/// Whether a stream may be decorated: a terminal, not `TERM=dumb`, and `NO_COLOR` empty or unset.
#[must_use]
pub fn colour(stream: &impl IsTerminal) -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Text in the background: footers, reasoning, notices.
#[must_use]
pub fn dim(text: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Text in the foreground.
#[must_use]
pub fn bold(text: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}
