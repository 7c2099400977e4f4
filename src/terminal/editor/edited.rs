//! Reads lines with rustyline.

use super::block;
use super::complete::Complete;
use super::completer::Completer;
use super::external::edit_externally;
use super::keys::{Keys, Request};
use super::line::Line;
use crate::terminal::mode;
use crate::terminal::output::{note, note_error};
use rustyline::config::{BellStyle, Configurer};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Behavior, ColorMode, CompletionType, Config, Editor, ExternalPrinter};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

/// The prompts that the history keeps.
const HISTORY: usize = 1000;

pub(super) struct Edited {
    editor: Editor<Completer, FileHistory>,
    keys: Keys,
    history: Option<PathBuf>,
    /// While there is one, rustyline waits for the keyboard and for changes of the window at once, whichever thread the
    /// system tells of them.
    _printer: Option<Box<dyn ExternalPrinter>>,
}

impl Edited {
    /// `on_stdout`: the line is shown on stdout, and otherwise on the terminal that the program runs in.
    pub(super) fn new(on_stdout: bool, history: Option<PathBuf>, complete: Rc<dyn Complete>) -> io::Result<Self> {
        let config = Config::builder()
            .behavior(if on_stdout { Behavior::Stdio } else { Behavior::PreferTerm })
            .bracketed_paste(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .completion_prompt_limit(usize::MAX)
            .bell_style(BellStyle::None)
            // The line is made printable where it could be coloured. It has no colours.
            .color_mode(ColorMode::Forced)
            .build();
        let mut editor = Editor::with_config(config).map_err(into_io)?;
        editor.set_helper(Some(Completer::new(complete)));
        editor.set_max_history_size(HISTORY).map_err(into_io)?;
        let keys = Keys::default();
        keys.bind(&mut editor);
        if let Some(path) = &history {
            // A history that does not exist yet or cannot be read does not prevent a chat.
            let _ = editor.load_history(path);
        }
        let printer = editor.create_external_printer().ok();
        let printer = printer.map(|printer| Box::new(printer) as Box<dyn ExternalPrinter>);
        Ok(Self { editor, keys, history, _printer: printer })
    }

    pub(super) fn read(&mut self, prompt: &str, initial: String) -> io::Result<Line> {
        let mut text = (printable(initial), String::new());
        loop {
            if let Some(helper) = self.editor.helper() {
                helper.begin(prompt);
            }
            let read = self.editor.readline_with_initial(prompt, (&text.0, &text.1));
            mode::note_editing(false);
            let request = self.keys.request();
            let typed = match read {
                Ok(typed) => typed,
                // A signal from elsewhere.
                Err(ReadlineError::Interrupted) => return Ok(Line::Interrupted),
                Err(ReadlineError::Eof) => return Ok(Line::End),
                Err(_) if mode::is_gone() => return Ok(Line::End),
                Err(error) => match into_io(error) {
                    error if error.kind() == io::ErrorKind::InvalidData => return Ok(Line::NotText),
                    error => return Err(error),
                },
            };
            text = match request {
                None => return Ok(block::line(printable(typed))),
                Some(Request::Interrupt) => {
                    // A long text is not lost to one key: the up arrow brings it back.
                    let _ = self.editor.add_history_entry(typed);
                    return Ok(Line::Interrupted);
                }
                Some(Request::EditExternally) => (printable(edited(typed)), String::new()),
                Some(Request::Suspend(cursor)) => {
                    mode::suspend_group();
                    split(typed, cursor)
                }
                Some(Request::EndOfBlock) => {
                    note("the block is still open: \"\"\" and Enter end and send it, Ctrl-C drops it");
                    (typed, String::new())
                }
                Some(Request::PasteTooLarge(cursor)) => {
                    note("the pasted text is too large for a line; save it as a file and attach that");
                    split(typed, cursor)
                }
            };
        }
    }

    pub(super) fn remember(&mut self, line: &str) {
        let added = self.editor.add_history_entry(line).unwrap_or(false);
        if let Some(path) = &self.history
            && added
        {
            // A chat does not need its history file.
            let _ = self.editor.append_history(path);
        }
    }
}

/// The text as the person's editor leaves it; as it was when that fails.
fn edited(text: String) -> String {
    edit_externally(&text).unwrap_or_else(|error| {
        note_error(error);
        text
    })
}

fn split(mut text: String, cursor: usize) -> (String, String) {
    let right = if text.is_char_boundary(cursor) { text.split_off(cursor) } else { String::new() };
    (text, right)
}

/// Without characters that no text needs, and that a terminal or a model might obey.
fn printable(mut text: String) -> String {
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    text
}

fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other),
    }
}
