//! Where the answer goes: to stdout, or into a file that is written once the answer is there. What cannot be written
//! into the file goes to stdout: it was paid for.

use crate::commands::whole_file::WholeFile;
use crate::terminal::output::{print_data, print_json};
use std::io;
use std::path::Path;

pub(super) enum Destination {
    Stdout,
    /// The file, and the lines of JSON that will be in it.
    File(Box<WholeFile>, String),
}

impl Destination {
    /// `path`: the file, if one was named; `-` stands for stdout.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn new(path: Option<&Path>) -> anyhow::Result<Self> {
        match path {
            Some(path) if path.as_os_str() != "-" => Ok(Self::File(Box::new(WholeFile::prepare(path)?), String::new())),
            _ => Ok(Self::Stdout),
        }
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Takes a JSON document and a newline. `Ok(false)` means that the reader has closed stdout.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(super) fn json(&mut self, document: impl std::fmt::Display) -> io::Result<bool> {
        match self {
            Self::Stdout => print_json(document),
            Self::File(_, lines) => {
                lines.push_str(&format!("{document}\n"));
                Ok(true)
            }
        }
    }

    /// Takes a whole text, and writes what there is: into the file, or to stdout if the answer is not `whole`.
    ///
    /// # Errors
    /// When the file or stdout cannot be written.
    pub(super) fn finish(self, text: &str, whole: bool) -> anyhow::Result<()> {
        let (file, lines) = match self {
            Self::Stdout => {
                print_data(text)?;
                return Ok(());
            }
            Self::File(file, lines) => (file, lines),
        };
        let content = lines + text;
        let written = if whole { file.write(&content) } else { Ok(()) };
        if !whole || written.is_err() {
            print_data(&content)?;
        }
        written
    }
}
