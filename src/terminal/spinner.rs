//! A spinner on stderr until the first token.

use super::mode::Quiet;
use super::printable::Printable;
use super::{output, size};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use std::env;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A running spinner. Dropping it clears its row.
pub(crate) struct Spinner {
    bar: ProgressBar,
    /// An echoed key would move the row away from the spinner. Let go after the row was cleared.
    _quiet: Option<Quiet>,
}

impl Spinner {
    /// Starts a spinner with a message beside it. There is none where nobody watches, and none on a terminal that cannot
    /// clear a row.
    pub(crate) fn start(message: &Printable) -> Self {
        let can_clear = env::var_os("TERM").is_none_or(|term| term != "dumb");
        if !(output::stderr().is_terminal() && can_clear) {
            return Self { bar: ProgressBar::hidden(), _quiet: None };
        }
        // A program that reads stdout, such as a pager, sets the mode of the terminal itself.
        let quiet = output::stdout().is_terminal().then(Quiet::start);
        let bar =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like_with_hz(Box::new(Row::default()), 20));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]));
        }
        bar.set_message(message.as_str().to_owned());
        bar.enable_steady_tick(Duration::from_millis(80));
        Self { bar, _quiet: quiet }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Begins a row that the terminal cuts where its window ends (DECAWM, <https://vt100.net/docs/vt510-rm/DECAWM.html>). A
/// row that is on its way while the window is made narrower would otherwise wrap, and its rest would stay there.
const BEGIN_ROW: &str = "\r\u{1b}[?7l";

/// Clears what is left of an earlier row, and lets rows wrap again.
const END_ROW: &str = "\u{1b}[K\u{1b}[?7h";

/// One row of stderr. indicatif fills its rows with blanks, so that what somebody types goes to the next one; here nothing
/// is written behind the message, and what is too long for the row is cut, so that there is always one row to clear.
#[derive(Debug, Default)]
struct Row(Mutex<Frame>);

#[derive(Debug, Default)]
struct Frame {
    next: String,
    /// Whether the row shows one.
    shown: bool,
}

impl Row {
    fn frame(&self) -> std::sync::MutexGuard<'_, Frame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Row {
    /// As wide as no message is: the row is cut here.
    fn width(&self) -> u16 {
        1000
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.frame().next.push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.frame().next.clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut frame = self.frame();
        let text = Printable::line(std::mem::take(&mut frame.next));
        // A terminal waits at its last column for the character that needs the next row. It is left free.
        let text = text.cut(size::stderr_columns().saturating_sub(1));
        let shows = !text.as_str().is_empty();
        if shows || frame.shown {
            frame.shown = shows;
            output::stderr().print(&Printable::join([BEGIN_ROW.into(), text, END_ROW.into()], ""))?;
        }
        Ok(())
    }
}
