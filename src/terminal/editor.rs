//! The line editor of `chat`. Only this file and its folder know rustyline.

mod completer;
pub(crate) mod external;

use super::printable::Printable;
use completer::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Cmd, CompletionType, Config, Editor as Rustyline, KeyCode, KeyEvent, Modifiers};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

/// What was typed at a prompt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// One line, or several after a paste, Ctrl-J or Alt-Enter.
    Text(String),
    /// What stood between `"""` and `"""`. It is a message whatever it looks like, and never a command.
    Block(String),
    /// A block that was still open when the input ended. It is not sent.
    OpenBlock,
    /// Ctrl-C, which discards the line.
    Interrupted,
    /// Bytes that are not UTF-8.
    NotText,
    /// Ctrl-D on an empty line, or the end of the input.
    End,
}

/// One way to go on with what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// What replaces the text from the start position to the cursor.
    pub(crate) replacement: String,
    /// What the list shows, for a model with its price.
    pub(crate) display: Printable,
}

/// Finds candidates for Tab. The position is the cursor's (bytes); the first value is where the replaced text begins
/// (bytes).
pub(crate) trait Complete {
    fn candidates(&self, line: &str, position: usize) -> (usize, Vec<Candidate>);
}

/// A line editor whose history is kept in a file.
pub(crate) struct Editor {
    editor: Rustyline<Completer, FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// The history file, if any, is readable by this user only.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub(crate) fn new(history: Option<PathBuf>, complete: Rc<dyn Complete>) -> io::Result<Self> {
        let config = Config::builder().bracketed_paste(true).completion_type(CompletionType::List).build();
        let mut editor = Rustyline::with_config(config).map_err(into_io)?;
        editor.set_helper(Some(Completer(complete)));
        editor.set_max_history_size(1000).map_err(into_io)?;
        // Ctrl-J is not bound to this: it is what a script sends for Enter.
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
        if let Some(path) = &history {
            // A history that does not exist yet or cannot be read does not prevent a chat.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Asks for a line. Blocks; the terminal is in raw mode only meanwhile. `initial`: what stands on the line already,
    /// the cursor behind it.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(crate) fn read(&mut self, prompt: &str, initial: &str) -> io::Result<Line> {
        match self.editor.readline_with_initial(prompt, (initial, "")) {
            Ok(line) => Ok(Line::Text(line)),
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => match into_io(error) {
                error if error.kind() == io::ErrorKind::InvalidData => Ok(Line::NotText),
                error => Err(error),
            },
        }
    }

    /// Adds the text of a [`Line::Block`] to the history, in its quotes, so that it is a block again when it is brought back.
    pub(crate) fn remember_block(&mut self, text: &str) {
        self.remember(&format!("\"\"\"\n{text}\n\"\"\""));
    }

    /// Adds a line to the history, and writes it to the file at once, so that a crash loses nothing.
    pub(crate) fn remember(&mut self, line: &str) {
        let added = self.editor.add_history_entry(line).unwrap_or(false);
        if let Some(path) = &self.history
            && added
        {
            // A chat does not need its history file.
            let _ = self.editor.append_history(path);
        }
    }
}

fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other),
    }
}
