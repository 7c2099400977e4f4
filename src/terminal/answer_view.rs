//! An answer on the screen while it streams, for `ask` and `chat`. Text goes to stdout, reasoning where the command
//! shows it, and what a terminal would obey is stripped from both.

use super::mode;
use super::output::{self, Output};
use super::printable::Printable;
use super::sanitize::Sanitizer;
use super::spinner::Spinner;
use crate::conversation::{Event, StopReason};
use std::io::{self, Stderr, Stdout, Write};

/// Where reasoning is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReasoningOutput {
    Stdout,
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
}

/// Shows one answer.
pub(crate) struct AnswerView<O = Stdout, E = Stderr> {
    stdout: Output<O>,
    stderr: Output<E>,
    style: Style,
    spinner: Option<Spinner>,
    text_sanitizer: Sanitizer,
    reasoning_sanitizer: Sanitizer,
    text: String,
    stop: Option<StopReason>,
    text_written: Written,
    reasoning_written: Written,
    in_reasoning: bool,
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
        Self::on(output::stdout(), output::stderr(), style)
    }
}

impl<O: Write, E: Write> AnswerView<O, E> {
    fn on(stdout: Output<O>, stderr: Output<E>, style: Style) -> Self {
        Self {
            stdout,
            stderr,
            style,
            spinner: None,
            text_sanitizer: Sanitizer::default(),
            reasoning_sanitizer: Sanitizer::default(),
            text: String::new(),
            stop: None,
            text_written: Written::default(),
            reasoning_written: Written::default(),
            in_reasoning: false,
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
        let printable = self.stdout.is_terminal().then(|| Printable::piece(&mut self.text_sanitizer, text));
        let shown = printable.as_ref().map_or(text, Printable::as_str);
        if shown.is_empty() {
            return Ok(true);
        }
        self.stop_spinner();
        if self.in_reasoning {
            self.in_reasoning = false;
            let blank_line = self.reasoning_written.blank_line();
            if !self.write_reasoning(&blank_line.into())? {
                return Ok(false);
            }
        }
        self.text_written.add(shown);
        match &printable {
            Some(printable) => self.stdout.print(printable),
            None => self.stdout.print_data(text),
        }
    }

    fn show_reasoning(&mut self, text: &str) -> io::Result<bool> {
        if self.style.reasoning == ReasoningOutput::Hidden {
            return Ok(true);
        }
        let shown = Printable::piece(&mut self.reasoning_sanitizer, text);
        if shown.as_str().is_empty() {
            return Ok(true);
        }
        self.stop_spinner();
        if !self.in_reasoning {
            self.in_reasoning = true;
            self.reasoning_written = Written::default();
            let same_screen = self.stdout.is_terminal() || self.style.reasoning == ReasoningOutput::Stdout;
            if same_screen && !self.write_reasoning(&self.text_written.blank_line().into())? {
                return Ok(false);
            }
        }
        self.reasoning_written.add(shown.as_str());
        self.write_reasoning(&shown.dim(self.style.colour))
    }

    fn write_reasoning(&mut self, text: &Printable) -> io::Result<bool> {
        if self.style.reasoning == ReasoningOutput::Stdout {
            return self.stdout.print(text);
        }
        // A closed stderr is no reason to fail.
        let _ = self.stderr.print(text);
        Ok(true)
    }

    /// Takes note of Ctrl-C: a terminal that echoes keys shows `^C`, so the line that the cursor is on needs an end.
    pub(crate) fn interrupt(&mut self) {
        // The echo stands on the spinner's line, which is cleared.
        if self.spinner.is_none() && self.stdout.is_terminal() && !mode::is_quiet() {
            let echo = if self.in_reasoning { &mut self.reasoning_written } else { &mut self.text_written };
            echo.add("^C");
        }
    }

    /// Ends the answer with a newline, whatever has ended it: a prompt, a notice or an error comes next.
    ///
    /// # Errors
    /// As [`AnswerView::show`].
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.stop_spinner();
        let reasoning_is_last = self.in_reasoning && self.reasoning_written.needs_newline();
        if reasoning_is_last {
            self.write_reasoning(&"\n".into())?;
        }
        let stdout_is_ended = reasoning_is_last && self.style.reasoning == ReasoningOutput::Stdout;
        if self.text_written.needs_newline() && !stdout_is_ended {
            self.stdout.print(&"\n".into())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    fn reasoning(text: &str) -> Event {
        Event::Reasoning(text.to_owned())
    }

    /// What stdout and stderr hold after these events and the end of the answer.
    fn shown(screen: Screen, events: &[Event]) -> (String, String) {
        let mut view = view(screen);
        for event in events {
            assert!(view.show(event).unwrap());
        }
        view.finish().unwrap();
        written(view)
    }

    /// Where the reasoning goes, and whether stdout is a terminal.
    type Screen = (ReasoningOutput, bool);
    const PIPE: Screen = (ReasoningOutput::Hidden, false);
    const ASK: Screen = (ReasoningOutput::Stderr, true);
    const CHAT: Screen = (ReasoningOutput::Stdout, true);

    fn view((reasoning, stdout_is_terminal): Screen) -> AnswerView<Vec<u8>, Vec<u8>> {
        let (stdout, stderr) = (Output::on(Vec::new(), stdout_is_terminal), Output::on(Vec::new(), true));
        AnswerView::on(stdout, stderr, Style { reasoning, colour: false })
    }

    fn written(view: AnswerView<Vec<u8>, Vec<u8>>) -> (String, String) {
        let text = |output: Output<Vec<u8>>| String::from_utf8(output.into_stream()).unwrap();
        (text(view.stdout), text(view.stderr))
    }

    #[test]
    fn an_answer_ends_with_one_newline() {
        for style in [PIPE, ASK, CHAT] {
            for (events, expected) in [
                (&[][..], ""),
                (&[text("")], ""),
                (&[text("a"), text("b")], "ab\n"),
                (&[text("a\n")], "a\n"),
                (&[text("a"), text("\n")], "a\n"),
                (&[text("a"), Event::Stop(StopReason::EndTurn)], "a\n"),
            ] {
                assert_eq!(shown(style, events), (expected.to_owned(), String::new()), "{events:?}");
            }
        }
    }

    #[test]
    fn reasoning_stands_in_a_paragraph_of_its_own() {
        for (events, on_stdout, on_stderr, in_chat) in [
            (&[reasoning("r"), text("a")][..], "a\n", "r\n\n", "r\n\na\n"),
            (&[reasoning("r\n"), text("a")], "a\n", "r\n\n", "r\n\na\n"),
            (&[reasoning("r")], "", "r\n", "r\n"),
            (&[text("a"), reasoning("r"), text("b")], "ab\n", "\n\nr\n\n", "a\n\nr\n\nb\n"),
        ] {
            assert_eq!(shown(ASK, events), (on_stdout.to_owned(), on_stderr.to_owned()), "{events:?}");
            assert_eq!(shown(CHAT, events), (in_chat.to_owned(), String::new()), "{events:?}");
        }
        assert_eq!(shown(PIPE, &[reasoning("r"), text("a")]), ("a\n".to_owned(), String::new()));
    }

    #[test]
    fn the_echo_of_ctrl_c_ends_with_a_newline_too() {
        for (style, events, expected) in [
            (CHAT, &[][..], "\n"),
            (CHAT, &[text("a")], "a\n"),
            (CHAT, &[text("a\n")], "a\n\n"),
            (CHAT, &[reasoning("r\n")], "r\n\n"),
            (PIPE, &[text("a\n")], "a\n"),
        ] {
            let mut view = view(style);
            for event in events {
                view.show(event).unwrap();
            }
            view.interrupt();
            view.finish().unwrap();
            assert_eq!(written(view).0, expected, "{events:?}");
        }
    }

    #[test]
    fn only_a_terminal_gets_sanitized_text_and_the_history_gets_all_of_it() {
        let evil = "a\u{1b}]0;title\u{7}b";
        assert_eq!(shown(CHAT, &[text(evil), reasoning(evil)]).0, "ab\n\nab\n");
        assert_eq!(shown(PIPE, &[text(evil)]).0, format!("{evil}\n"));
        let mut view = view(CHAT);
        view.show(&text(evil)).unwrap();
        assert_eq!(view.text(), evil);
    }

    #[test]
    fn a_closed_pipe_is_noticed() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let style = Style { reasoning: ReasoningOutput::Stderr, colour: false };
        let mut view = AnswerView::on(Output::on(Closed, true), Output::on(Closed, true), style);
        assert!(view.show(&reasoning("only stderr is closed")).unwrap());
        assert!(!view.show(&text("a")).unwrap());
        view.finish().unwrap();
    }
}
