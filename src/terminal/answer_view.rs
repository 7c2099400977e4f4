//! An answer on the screen while it streams, for `ask` and `chat`. Text goes to stdout: rendered on a terminal, and
//! unchanged into a pipe. Reasoning goes to stderr. What a terminal would obey is stripped from both.

use super::abilities::Abilities;
use super::look::Look;
use super::markdown::Markdown;
use super::markdown::plain::Plain;
use super::mode;
use super::output::{self, Output};
use super::printable::Printable;
use super::sanitize::Sanitizer;
use super::size;
use super::spinner::Spinner;
use crate::conversation::{Event, StopReason};
use std::io::{self, Stderr, Stdout, Write};

/// Where reasoning is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReasoningOutput {
    /// Only for a stderr that is a terminal.
    Stderr,
    Hidden,
}

/// How answers are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) reasoning: ReasoningOutput,
    /// Whether reasoning is dimmed.
    pub(crate) colour: bool,
    /// Whether a terminal shows Markdown as the model wrote it, too.
    pub(crate) raw: bool,
}

/// Shows one answer.
pub(crate) struct AnswerView<O = Stdout, E = Stderr> {
    stdout: Output<O>,
    stderr: Output<E>,
    style: Style,
    /// The width of the screen, in columns.
    width: fn() -> usize,
    spinner: Option<Spinner>,
    text_sanitizer: Sanitizer,
    /// `None` for an answer that is not rendered.
    markdown: Option<Markdown>,
    reasoning_sanitizer: Sanitizer,
    plain: Plain,
    text: String,
    stop: Option<StopReason>,
    text_written: Written,
    reasoning_written: Written,
    in_reasoning: bool,
    /// Whether the cursor has been moved by the echo of Ctrl-C.
    is_interrupted: bool,
}

/// What was written, as far as line breaks are concerned.
#[derive(Debug, Default)]
struct Written {
    anything: bool,
    /// Newlines at the end.
    newlines: usize,
}

impl Written {
    fn add(&mut self, text: &str) {
        let line = text.trim_end_matches('\n');
        let newlines = text.len() - line.len();
        self.newlines = if line.is_empty() { self.newlines + newlines } else { newlines };
        self.anything |= !text.is_empty();
    }

    /// What ends the paragraph with a blank line.
    fn blank_line(&self) -> &'static str {
        match self.newlines {
            _ if !self.anything => "",
            0 => "\n\n",
            1 => "\n",
            _ => "",
        }
    }

    fn needs_newline(&self) -> bool {
        self.anything && self.newlines == 0
    }
}

impl AnswerView {
    pub(crate) fn new(style: Style) -> Self {
        Self::on(output::stdout(), output::stderr(), style, Abilities::of_stdout(), size::screen_columns)
    }
}

impl<O: Write, E: Write> AnswerView<O, E> {
    fn on(stdout: Output<O>, stderr: Output<E>, style: Style, abilities: Abilities, width: fn() -> usize) -> Self {
        let is_rendered = stdout.is_terminal() && !style.raw;
        Self {
            stdout,
            stderr,
            style,
            width,
            spinner: None,
            text_sanitizer: Sanitizer::default(),
            markdown: is_rendered.then(|| Markdown::new(width(), abilities)),
            reasoning_sanitizer: Sanitizer::default(),
            plain: Plain::new(width(), if style.colour { Look::DIM } else { Look::PLAIN }),
            text: String::new(),
            stop: None,
            text_written: Written::default(),
            reasoning_written: Written::default(),
            in_reasoning: false,
            is_interrupted: false,
        }
    }

    /// Starts a spinner, which runs until something is shown. Only for a stderr that is a terminal.
    pub(crate) fn start_spinner(&mut self, message: &Printable) {
        self.spinner = Some(Spinner::start(message));
    }

    /// Clears the spinner, before anything else is written to the terminal.
    pub(crate) fn stop_spinner(&mut self) {
        self.spinner = None;
    }

    /// The text of the answer so far, as the model sent it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Why the answer ended; `None` until it has.
    pub(crate) fn stop(&self) -> Option<&StopReason> {
        self.stop.as_ref()
    }

    /// Shows the next event. `Ok(false)` means that the reader has closed stdout.
    ///
    /// # Errors
    /// When stdout cannot be written for another reason.
    pub(crate) fn show(&mut self, event: &Event) -> io::Result<bool> {
        match event {
            Event::Text(text) => self.show_text(text),
            Event::Reasoning(text) => self.show_reasoning(text),
            Event::Stop(reason) => {
                self.stop = Some(reason.clone());
                Ok(true)
            }
            // The commands offer no tools and hand no reasoning back: there is nothing else that a person reads.
            _ => Ok(true),
        }
    }

    fn show_text(&mut self, text: &str) -> io::Result<bool> {
        self.text.push_str(text);
        if !self.stdout.is_terminal() {
            return self.write_text(None, text);
        }
        let piece = Printable::piece(&mut self.text_sanitizer, text);
        let shown = match &mut self.markdown {
            Some(markdown) => {
                markdown.set_width((self.width)());
                markdown.add(&piece)
            }
            None => piece,
        };
        self.write_text(Some(&shown), shown.as_str())
    }

    /// Writes a part of the answer, for a terminal as what is printable of it.
    fn write_text(&mut self, printable: Option<&Printable>, text: &str) -> io::Result<bool> {
        if text.is_empty() {
            return Ok(true);
        }
        self.stop_spinner();
        if self.in_reasoning {
            self.in_reasoning = false;
            let rest = self.plain.finish();
            self.write_reasoning(&rest);
            self.write_reasoning(&self.reasoning_written.blank_line().into());
        }
        self.text_written.add(text);
        match printable {
            Some(printable) => self.stdout.print(printable),
            None => self.stdout.print_data(text),
        }
    }

    fn show_reasoning(&mut self, text: &str) -> io::Result<bool> {
        if self.style.reasoning == ReasoningOutput::Hidden {
            return Ok(true);
        }
        let piece = Printable::piece(&mut self.reasoning_sanitizer, text);
        if piece.is_empty() {
            return Ok(true);
        }
        if !self.in_reasoning {
            if !self.end_text()? {
                return Ok(false);
            }
            self.in_reasoning = true;
            self.reasoning_written = Written::default();
            if self.stdout.is_terminal() {
                self.write_reasoning(&self.text_written.blank_line().into());
            }
        }
        self.plain.set_width((self.width)());
        let shown = self.plain.add(&piece);
        self.write_reasoning(&shown);
        Ok(true)
    }

    /// Shows what the renderer still holds back of the answer.
    fn end_text(&mut self) -> io::Result<bool> {
        let rest = self.markdown.as_mut().map(Markdown::finish).unwrap_or_default();
        self.write_text(Some(&rest), rest.as_str())
    }

    /// A closed stderr is no reason to fail.
    fn write_reasoning(&mut self, text: &Printable) {
        if !text.is_empty() {
            self.stop_spinner();
            self.reasoning_written.add(text.as_str());
            let _ = self.stderr.print(text);
        }
    }

    /// Takes note of Ctrl-C: a terminal that echoes keys shows `^C`, so the line that the cursor is on needs an end.
    pub(crate) fn interrupt(&mut self) {
        // The echo stands on the spinner's line, which is cleared.
        self.is_interrupted = self.spinner.is_none() && self.stdout.is_terminal() && !mode::is_quiet();
    }

    /// Ends the answer with a newline, whatever has ended it: a prompt, a notice or an error comes next. What was held
    /// back is shown.
    ///
    /// # Errors
    /// As [`AnswerView::show`].
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.stop_spinner();
        if self.is_interrupted {
            // What is still to come begins below the echo.
            self.plain.restart_line();
            self.markdown.iter_mut().for_each(Markdown::restart_line);
            if self.in_reasoning {
                self.write_reasoning(&"\n".into());
            } else {
                self.text_written.add("\n");
                self.stdout.print(&"\n".into())?;
            }
        }
        if self.in_reasoning {
            let rest = self.plain.finish();
            self.write_reasoning(&rest);
        }
        self.end_text()?;
        if self.text_written.needs_newline() {
            self.stdout.print(&"\n".into())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
