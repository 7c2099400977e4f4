//! A spinner on stderr until the first token.

use super::printable::Printable;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A running spinner. Dropping it clears its line.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Starts a spinner with a message beside it. Only for a stderr that is a terminal.
    pub(crate) fn start(message: &Printable) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style.tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]));
        }
        bar.set_message(message.as_str().to_owned());
        bar.enable_steady_tick(Duration::from_millis(80));
        Self(bar)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
