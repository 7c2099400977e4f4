//! `chatrix usage --watch`: the report on a screen of its own, drawn again and again. Whatever ends it, the terminal shows
//! what it showed before.

use crate::terminal::output::stdout;
use crate::terminal::printable::Printable;
use crate::terminal::size;
use crate::terminal::table::lines;
use anyhow::Context;
use std::io;
use std::time::Duration;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The time between two drawings. A running server writes its sums within a second.
const PACE: Duration = Duration::from_secs(2);

/// The terminal's second screen, without a cursor. Dropping it shows the first one again.
struct Screen;

impl Screen {
    fn open() -> io::Result<Self> {
        stdout().print(&"\u{1b}[?1049h\u{1b}[?25l".into())?;
        Ok(Self)
    }

    /// Draws over what is there, so that nothing flickers.
    fn draw(text: Vec<Printable>) -> io::Result<bool> {
        let foot = "every 2 seconds; Ctrl-C ends it";
        let mut frame = Printable::from("\u{1b}[0m\u{1b}[H");
        let room = size::rows().saturating_sub(2).max(1);
        for line in cut(text, room) {
            frame.push(line);
            frame.push("\u{1b}[K\r\n");
        }
        frame.push("\u{1b}[J");
        if size::columns().is_some_and(|columns| columns >= foot.len()) {
            frame.push("\r\n");
            frame.push(Printable::from(foot).dim(stdout().colour()));
        }
        stdout().print(&frame)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = stdout().print(&"\u{1b}[?25h\u{1b}[?1049l".into());
    }
}

/// As many lines as there is room for; the last one tells that there are more.
fn cut(text: Vec<Printable>, room: usize) -> Vec<Printable> {
    // A paragraph that was wrapped has several lines.
    let whole = lines(text);
    let mut all = whole.split_lines();
    if all.len() > room {
        let left_out = all.len() - room + 1;
        all.truncate(room - 1);
        all.push(Printable::line(format_args!("… {left_out} more lines")));
    }
    all
}

/// What ends a watch, and what makes it draw at once.
#[cfg(unix)]
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    window_change: Signal,
}

#[cfg(unix)]
impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            window_change: signal(SignalKind::window_change())?,
        })
    }

    /// Waits for the next event. The exit code of the process after one that ends it, and `None` after one that asks for
    /// another drawing. Ctrl-C is how a watch ends, so it is success; for the others it is what a shell gives a process
    /// that a signal has ended.
    async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            _ = self.interrupt.recv() => Some(0),
            _ = self.terminate.recv() => Some(128 + 15),
            _ = self.hangup.recv() => Some(128 + 1),
            _ = self.window_change.recv() => None,
            () = tokio::time::sleep(PACE) => None,
        }
    }
}

#[cfg(not(unix))]
struct Ends;

#[cfg(not(unix))]
impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => Some(0),
            () = tokio::time::sleep(PACE) => None,
        }
    }
}

/// Draws until Ctrl-C. `report` gives the lines, for the terminal as wide as it is at that moment.
pub(super) async fn watch(mut report: impl FnMut() -> anyhow::Result<Vec<Printable>>) -> anyhow::Result<u8> {
    let mut ends = Ends::new().context("cannot wait for signals")?;
    // What cannot be read at the first time is said on the usual screen.
    let mut text = report()?;
    let _screen = Screen::open()?;
    loop {
        if !Screen::draw(text)? {
            return Ok(0);
        }
        if let Some(code) = ends.next().await {
            return Ok(code);
        }
        text = report()?;
    }
}
