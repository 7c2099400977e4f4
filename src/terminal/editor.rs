//! The line editor of `chat`. Only this file and its folder know rustyline.

mod block;
mod complete;
mod completer;
mod edited;
pub(crate) mod external;
mod keys;
mod line;
mod plain;
mod reflow;
mod type_ahead;

pub(crate) use complete::{Candidate, Complete};
pub(crate) use line::Line;

use super::mode::{KeptKeys, Quiet};
use edited::Edited;
use std::env;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Reads what a person types, or the lines of a pipe. While it lives, keys that are typed between two prompts are not
/// echoed, and are offered at the next one.
pub(crate) struct Editor {
    /// `None` where there is no terminal, or one that cannot be edited on.
    edited: Option<Edited>,
    /// Between two prompts.
    quiet: Option<Quiet>,
    /// What is typed between two prompts.
    kept: Option<KeptKeys>,
}

/// How many editors a person types into.
static OPEN: AtomicUsize = AtomicUsize::new(0);

impl Editor {
    /// Whether there is one that a person types into.
    pub(crate) fn is_open() -> bool {
        OPEN.load(Ordering::SeqCst) > 0
    }

    /// The history file, if any, is readable by this user only. Lines of a pipe are not kept in it.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub(crate) fn new(history: Option<PathBuf>, complete: Rc<dyn Complete>) -> io::Result<Self> {
        if !io::stdin().is_terminal() {
            return Ok(Self { edited: None, quiet: None, kept: None });
        }
        let edited = match place() {
            Some(place) => Some(Edited::new(place == Place::Stdout, history, complete)?),
            None => None,
        };
        OPEN.fetch_add(1, Ordering::SeqCst);
        Ok(Self { edited, quiet: Some(Quiet::start()), kept: None })
    }

    /// Whether what stands on a line already can be changed.
    pub(crate) fn edits(&self) -> bool {
        self.edited.is_some()
    }

    /// Asks for a line. Blocks; the terminal is in raw mode only meanwhile. `initial`: what stands on the line already,
    /// the cursor behind it.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(crate) fn read(&mut self, prompt: &str, initial: &str) -> io::Result<Line> {
        let mut keys = self.kept.take().map(KeptKeys::stop).unwrap_or_default();
        keys.extend(self.quiet.as_ref().map(Quiet::typed).unwrap_or_default());
        let line = self.read_after(&keys, prompt, initial);
        self.kept = self.quiet.as_ref().and_then(|_| KeptKeys::start());
        line
    }

    /// As [`Editor::read`], after what was typed before the prompt.
    fn read_after(&mut self, keys: &[u8], prompt: &str, initial: &str) -> io::Result<Line> {
        let typed = type_ahead::read(keys);
        if typed.leaves && initial.is_empty() {
            return Ok(Line::End);
        }
        let initial = format!("{initial}{}", typed.text);
        if let Some(edited) = &mut self.edited {
            return edited.read(prompt, initial);
        }
        // The system edits the line.
        let was_quiet = self.quiet.take().is_some();
        let line = plain::read(prompt, &initial);
        self.quiet = was_quiet.then(Quiet::start);
        line
    }

    /// Adds the text of a [`Line::Block`] to the history, in its quotes, so that it is a block again when it is brought back.
    pub(crate) fn remember_block(&mut self, text: &str) {
        self.remember(&block::quoted(text));
    }

    /// Adds a line to the history, and writes it to the file at once, so that a crash loses nothing.
    pub(crate) fn remember(&mut self, line: &str) {
        if let Some(edited) = &mut self.edited {
            edited.remember(line);
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if self.quiet.is_some() {
            OPEN.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Where a line is shown that is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Stdout,
    /// The terminal itself, because stdout is the answer and goes elsewhere.
    Terminal,
}

fn place() -> Option<Place> {
    let term = env::var("TERM").unwrap_or_default();
    if ["dumb", "cons25", "emacs"].iter().any(|without| term.eq_ignore_ascii_case(without)) {
        return None;
    }
    if super::output::stdout().is_terminal() {
        return Some(Place::Stdout);
    }
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    terminal.is_ok_and(|terminal| terminal.is_terminal()).then_some(Place::Terminal)
}
