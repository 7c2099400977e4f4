//! What stdout and stderr get of an answer.
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
