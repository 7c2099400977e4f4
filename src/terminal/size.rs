//! How large the terminal is. The only file that knows console.

use console::Term;

/// What is assumed of a terminal that does not know its own size.
const USUAL_COLUMNS: usize = 80;
const USUAL_ROWS: usize = 24;

/// The columns of the terminal behind stdout, at this moment, or `None` when stdout is no terminal: what a pipe gets
/// must not depend on a window.
///
/// `COLUMNS` counts only where the terminal does not know its size, as some serial consoles do not. A shell that
/// exports it does not change it in programs that already run.
pub(crate) fn columns() -> Option<usize> {
    if !Term::stdout().is_term() {
        return None;
    }
    Some(window_columns(&Term::stdout()))
}

/// The rows of the terminal behind stdout, at this moment.
pub(crate) fn rows() -> usize {
    Term::stdout().size_checked().map_or(USUAL_ROWS, |(rows, _)| rows.into())
}

/// The columns of the terminal that a person looks at: the one behind stdout, or else the one behind stderr.
pub(crate) fn screen_columns() -> usize {
    columns().unwrap_or_else(stderr_columns)
}

/// The columns of the terminal that stderr is.
pub(crate) fn stderr_columns() -> usize {
    window_columns(&Term::stderr())
}

fn window_columns(terminal: &Term) -> usize {
    let from_environment = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    let of_window = terminal.size_checked().map(|(_, columns)| columns.into());
    of_window.or_else(from_environment).unwrap_or(USUAL_COLUMNS)
}
