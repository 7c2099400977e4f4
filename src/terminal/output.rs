//! Everything that is written to stdout and stderr, besides the spinner and the line editor, which belong to other
//! packages, and the log. A terminal gets [`Printable`] text only.

use super::printable::Printable;
use super::size;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Stderr, Stdout, Write};

/// Stdout or stderr.
pub(crate) struct Output<W> {
    stream: W,
    /// What people call it.
    name: &'static str,
    is_terminal: bool,
}

pub(crate) fn stdout() -> Output<Stdout> {
    let stream = io::stdout();
    Output { name: "stdout", is_terminal: stream.is_terminal(), stream }
}

pub(crate) fn stderr() -> Output<Stderr> {
    let stream = io::stderr();
    Output { name: "stderr", is_terminal: stream.is_terminal(), stream }
}

impl<W> Output<W> {
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether it may be decorated: a terminal, not `TERM=dumb`, and `NO_COLOR` empty or unset.
    pub(crate) fn colour(&self) -> bool {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        self.is_terminal && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
    }
}

impl<W: Write> Output<W> {
    /// Writes at once. `Ok(false)` means that the reader has closed the pipe, which is not an error (`| head -1`).
    ///
    /// # Errors
    /// When the stream cannot be written for another reason.
    pub(crate) fn print(&mut self, text: &Printable) -> io::Result<bool> {
        self.write(text.as_str())
    }

    /// Writes an answer or data: unchanged into a pipe or a file, sanitized on a terminal.
    ///
    /// # Errors
    /// As [`Output::print`].
    pub(crate) fn print_data(&mut self, text: &str) -> io::Result<bool> {
        if self.is_terminal { self.print(&Printable::lines(text)) } else { self.write(text) }
    }

    fn write(&mut self, text: &str) -> io::Result<bool> {
        match self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(io::Error::new(error.kind(), format!("{} cannot be written: {error}", self.name))),
        }
    }
}

/// Writes to stdout, as [`Output::print`] does.
pub(crate) fn print(text: &Printable) -> io::Result<bool> {
    stdout().print(text)
}

/// Writes data to stdout, as [`Output::print_data`] does.
pub(crate) fn print_data(text: &str) -> io::Result<bool> {
    stdout().print_data(text)
}

/// Writes a JSON document and a newline to stdout: unchanged into a pipe or a file, and with escapes for what must not
/// be printed on a terminal.
pub(crate) fn print_json(document: impl Display) -> io::Result<bool> {
    let mut stdout = stdout();
    let text = format!("{document}\n");
    if stdout.is_terminal { stdout.print(&Printable::json(text)) } else { stdout.write(&text) }
}

/// Writes a prompt where a person sees it: to stderr when stdout is no terminal.
pub(crate) fn prompt(text: &Printable) {
    let mut stdout = stdout();
    // A prompt that cannot be written is no reason to fail.
    let _ = if stdout.is_terminal { stdout.print(text) } else { stderr().print(text) };
}

/// Hands a text to the clipboard of the terminal, which obeys or not without saying so
/// (<https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>, OSC 52). `Ok(false)` means that there is no terminal.
///
/// # Errors
/// When the terminal cannot be written.
pub(crate) fn clipboard(text: &str) -> io::Result<bool> {
    let sequence = format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text));
    // tmux takes the sequence itself, or passes it on, as it is configured.
    let in_tmux = env::var_os("TMUX").is_some_and(|value| !value.is_empty());
    let passed_on = if in_tmux {
        format!("\u{1b}Ptmux;{}\u{1b}\\", sequence.replace('\u{1b}', "\u{1b}\u{1b}"))
    } else {
        String::new()
    };
    let text = format!("{sequence}{passed_on}");
    match (stdout(), stderr()) {
        (mut stdout, _) if stdout.is_terminal => stdout.write(&text),
        (_, mut stderr) if stderr.is_terminal => stderr.write(&text),
        _ => Ok(false),
    }
}

/// Writes a line to stderr. On a terminal it is broken at words where it is too long.
pub(crate) fn note(line: impl Into<Printable>) {
    let mut stderr = stderr();
    let line = line.into();
    let mut text = if stderr.is_terminal { broken(&line, size::stderr_columns()) } else { line };
    text.push("\n");
    // A closed stderr is no reason to fail.
    let _ = stderr.print(&text);
}

/// The text with its long lines broken at words. What goes on from the line before is set in, so that text from outside
/// cannot begin a line that looks like one of ours.
fn broken(text: &Printable, columns: usize) -> Printable {
    // A window that is as narrow as a word looks better when it breaks lines itself.
    const NARROWEST: usize = 20;
    if columns < NARROWEST {
        return text.clone();
    }
    let lines = text.split_lines();
    let lines = lines.iter().map(|line| Printable::join(line.wrapped(columns - 2), "\n  "));
    Printable::join(lines, "\n")
}

/// Writes the line that reports a failure to stderr.
pub(crate) fn note_error(error: impl Display) {
    note(Printable::error(error, stderr().colour()));
}

#[cfg(test)]
impl<W: Write> Output<W> {
    pub(crate) fn on(stream: W, is_terminal: bool) -> Self {
        Self { stream, name: "stdout", is_terminal }
    }

    pub(crate) fn into_stream(self) -> W {
        self.stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_goes_on_set_in() {
        for (text, columns, expected) in [
            ("one two three", 80, "one two three"),
            ("one two three four five", 20, "one two three four\n  five"),
            ("a note and error: forged", 20, "a note and error:\n  forged"),
            ("one\nabcdefghijklmnopqrstu", 20, "one\nabcdefghijklmnopqr\n  stu"),
            ("", 20, ""),
            ("one two three four", 19, "one two three four"),
        ] {
            assert_eq!(broken(&text.into(), columns).as_str(), expected, "{text:?}");
        }
    }
}
