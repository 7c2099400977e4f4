//! How large the terminal is. The only file that knows console.

use console::Term;
use std::io::{self, IsTerminal};

/// What is assumed of a terminal that does not know its own size.
const USUAL_COLUMNS: usize = 80;
const USUAL_ROWS: usize = 24;

/// The columns of the terminal behind stdout, at this moment, or `None` when stdout is no terminal: what a pipe gets
/// must not depend on a window.
///
/// `COLUMNS` counts only where the terminal does not know its size, as some serial consoles do not. A shell that
/// exports it does not change it in programs that already run.
pub(crate) fn columns() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let from_environment = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    window_columns().or_else(from_environment).or(Some(USUAL_COLUMNS))
}

/// The rows of the terminal behind stdout, at this moment.
pub(crate) fn rows() -> usize {
    Term::stdout().size_checked().map_or(USUAL_ROWS, |(rows, _)| rows.into())
}

fn window_columns() -> Option<usize> {
    Term::stdout().size_checked().map(|(_, columns)| columns.into())
}
