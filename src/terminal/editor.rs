//! The line editor of `chat`. The only file that knows rustyline.

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Cmd, Config, Editor as Rustyline, KeyCode, KeyEvent, Modifiers};
use std::io;
use std::path::PathBuf;

/// What was typed at a prompt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// One line, or several after a paste or Alt-Enter.
    Text(String),
    /// Ctrl-C, which discards the line.
    Interrupted,
    /// Bytes that are not UTF-8.
    NotText,
    /// Ctrl-D on an empty line, or the end of the input.
    End,
}

/// A line editor whose history is kept in a file.
pub(crate) struct Editor {
    editor: Rustyline<(), FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// The history file, if any, is readable by this user only.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub(crate) fn new(history: Option<PathBuf>) -> io::Result<Self> {
        let config = Config::builder().bracketed_paste(true).build();
        let mut editor = Rustyline::with_config(config).map_err(into_io)?;
        editor.set_max_history_size(1000).map_err(into_io)?;
        // Ctrl-J is not bound to this: it is what a script sends for Enter.
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
        if let Some(path) = &history {
            // A history that does not exist yet or cannot be read does not prevent a chat.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Asks for a line. Blocks; the terminal is in raw mode only meanwhile.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(crate) fn read(&mut self, prompt: &str) -> io::Result<Line> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Line::Text(line)),
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => match into_io(error) {
                error if error.kind() == io::ErrorKind::InvalidData => Ok(Line::NotText),
                error => Err(error),
            },
        }
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
