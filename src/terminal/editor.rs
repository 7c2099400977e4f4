//! The line a person types into. The only file that knows rustyline.

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Cmd, Config, Editor as Rustyline, KeyCode, KeyEvent, Modifiers};
use std::io;
use std::path::{Path, PathBuf};

/// What came of a prompt.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, or several after a paste.
    Text(String),
    /// Ctrl-C: clear the line.
    Interrupted,
    /// Something that is no text.
    Garbled,
    /// Ctrl-D on an empty line, or the end of the input.
    End,
}

/// A line editor with a history that outlives the process.
pub struct Editor {
    editor: Rustyline<(), FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// An editor; its history is kept in `history`, readable by this user only.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub fn new(history: Option<PathBuf>) -> io::Result<Self> {
        let config = Config::builder().bracketed_paste(true).build();
        let mut editor = Rustyline::with_config(config).map_err(plain)?;
        editor.set_max_history_size(1000).map_err(plain)?;
        // A newline without sending. Not Ctrl-J: that is what a script sends for Enter.
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
        if let Some(path) = &history {
            // No history yet, or one that cannot be read, is no reason not to chat.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Asks for a line. Blocks; raw mode holds only inside.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn read(&mut self, prompt: &str) -> io::Result<Line> {
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Line::Text(line)),
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => match plain(error) {
                error if error.kind() == io::ErrorKind::InvalidData => Ok(Line::Garbled),
                error => Err(error),
            },
        }
    }

    /// Adds a line to the history, on disk at once: a crash loses nothing that was typed.
    pub fn remember(&mut self, line: &str) {
        let added = self.editor.add_history_entry(line).unwrap_or(false);
        if let (true, Some(path)) = (added, &self.history) {
            // The chat goes on without a history file.
            let _ = private_folder(path).and_then(|()| self.editor.append_history(path).map_err(plain));
        }
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn plain(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other),
    }
}
