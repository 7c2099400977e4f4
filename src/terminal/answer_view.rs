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

    /// Where the reasoning goes, whether stdout is a terminal, and whether the answer is not rendered.
    type Screen = (ReasoningOutput, bool, bool);
    const PIPE: Screen = (ReasoningOutput::Hidden, false, false);
    const TERMINAL: Screen = (ReasoningOutput::Stderr, true, false);
    const RAW: Screen = (ReasoningOutput::Stderr, true, true);

    fn view((reasoning, stdout_is_terminal, raw): Screen) -> AnswerView<Vec<u8>, Vec<u8>> {
        let (stdout, stderr) = (Output::on(Vec::new(), stdout_is_terminal), Output::on(Vec::new(), true));
        let style = Style { reasoning, colour: false, raw };
        AnswerView::on(stdout, stderr, style, Abilities { styles: false, links: false }, || 20)
    }

    fn written(view: AnswerView<Vec<u8>, Vec<u8>>) -> (String, String) {
        let text = |output: Output<Vec<u8>>| String::from_utf8(output.into_stream()).unwrap();
        (text(view.stdout), text(view.stderr))
    }

    #[test]
    fn an_answer_ends_with_one_newline() {
        for screen in [PIPE, TERMINAL, RAW] {
            for (events, expected) in [
                (&[][..], ""),
                (&[text("")], ""),
                (&[text("a"), text("b")], "ab\n"),
                (&[text("a\n")], "a\n"),
                (&[text("a"), text("\n")], "a\n"),
                (&[text("a"), Event::Stop(StopReason::EndTurn)], "a\n"),
            ] {
                assert_eq!(shown(screen, events), (expected.to_owned(), String::new()), "{screen:?} {events:?}");
            }
        }
    }

    #[test]
    fn reasoning_stands_in_a_paragraph_of_its_own() {
        for (events, on_stdout, on_stderr) in [
            (&[reasoning("r"), text("a")][..], "a\n", "r\n\n"),
            (&[reasoning("r\n"), text("a")], "a\n", "r\n\n"),
            (&[reasoning("r"), text("**a")], "**a\n", "r\n\n"),
            (&[reasoning("r")], "", "r\n"),
            (&[text("a"), reasoning("r"), text("b")], "a\nb\n", "\nr\n\n"),
            (&[reasoning("to be wrapped at words")], "", "to be wrapped at\nwords\n"),
        ] {
            assert_eq!(shown(TERMINAL, events), (on_stdout.to_owned(), on_stderr.to_owned()), "{events:?}");
        }
        let turns = [text("a"), reasoning("r"), text("b")];
        assert_eq!(shown(RAW, &turns), ("ab\n".to_owned(), "\n\nr\n\n".to_owned()));
        assert_eq!(shown(PIPE, &[reasoning("r"), text("a")]), ("a\n".to_owned(), String::new()));
    }

    #[test]
    fn the_echo_of_ctrl_c_ends_with_a_newline_and_what_was_held_back_comes_below() {
        for (screen, events, on_stdout, on_stderr) in [
            (TERMINAL, &[][..], "\n", ""),
            (TERMINAL, &[text("a")], "\na\n", ""),
            (TERMINAL, &[text("a b")], "a\nb\n", ""),
            (TERMINAL, &[text("a **b c")], "a\n**b c\n", ""),
            (TERMINAL, &[text("a\n")], "a\n\n", ""),
            (TERMINAL, &[reasoning("r s")], "", "r\ns\n"),
            (RAW, &[text("a")], "a\n", ""),
            (RAW, &[text("a\n")], "a\n\n", ""),
            (PIPE, &[text("a\n")], "a\n", ""),
        ] {
            let mut view = view(screen);
            for event in events {
                view.show(event).unwrap();
            }
            view.interrupt();
            view.finish().unwrap();
            assert_eq!(written(view), (on_stdout.to_owned(), on_stderr.to_owned()), "{screen:?} {events:?}");
        }
    }

    #[test]
    fn only_a_terminal_gets_sanitized_text_and_the_history_gets_all_of_it() {
        let evil = "a\u{1b}]0;title\u{7}b";
        for screen in [TERMINAL, RAW] {
            assert_eq!(shown(screen, &[text(evil), reasoning(evil)]), ("ab\n".to_owned(), shown_after(screen)));
        }
        assert_eq!(shown(PIPE, &[text(evil)]).0, format!("{evil}\n"));
        let mut view = view(TERMINAL);
        view.show(&text(evil)).unwrap();
        assert_eq!(view.text(), evil);
    }

    /// The reasoning of the test above, with what it needs for a paragraph of its own.
    fn shown_after(screen: Screen) -> String {
        if screen == RAW { "\n\nab\n" } else { "\nab\n" }.to_owned()
    }

    #[test]
    fn a_terminal_gets_markdown_rendered_unless_it_is_to_be_raw() {
        let answer = text("- **bold**");
        assert_eq!(shown(TERMINAL, std::slice::from_ref(&answer)).0, "• bold\n");
        assert_eq!(shown(RAW, std::slice::from_ref(&answer)).0, "- **bold**\n");
        assert_eq!(shown(PIPE, &[answer]).0, "- **bold**\n");
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
        let style = Style { reasoning: ReasoningOutput::Stderr, colour: false, raw: false };
        let abilities = Abilities { styles: false, links: false };
        let mut view = AnswerView::on(Output::on(Closed, true), Output::on(Closed, true), style, abilities, || 80);
        assert!(view.show(&reasoning("only stderr is closed")).unwrap());
        assert!(!view.show(&text("a b")).unwrap());
        view.finish().unwrap();
    }
}
