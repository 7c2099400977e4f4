//! What keys do that rustyline does not do by itself. A key that ends the reading of the line for another reason than Enter
//! leaves a request; the line is kept.

use super::block;
use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, Helper, KeyCode, KeyEvent, Modifiers,
    RepeatCount, history::History,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest text that is pasted into the line. rustyline counts rows in 16 bits, and nobody reads more than this in a
/// terminal.
const MOST_LINES: usize = 20_000;
const MOST_BYTES: usize = 1 << 20;

/// Why the reading of the line has ended, besides Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Ctrl-C or Ctrl-\.
    Interrupt,
    /// Ctrl-X Ctrl-E.
    EditExternally,
    /// Ctrl-Z, with the cursor at this byte.
    Suspend(usize),
    /// Ctrl-D in a block that is open.
    EndOfBlock,
    /// A paste that is too large, with the cursor at this byte.
    PasteTooLarge(usize),
}

/// The state of the keys.
#[derive(Clone, Default)]
pub(super) struct Keys(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    request: Option<Request>,
    paste: Option<Paste>,
}

/// What has arrived of a paste.
#[derive(Default)]
struct Paste {
    text: String,
    /// The last character was a carriage return, which a line feed belongs to.
    after_return: bool,
}

impl Keys {
    /// Lets the editor ask these keys.
    pub(super) fn bind<H: Helper, I: History>(&self, editor: &mut Editor<H, I>) {
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(self.clone())));
        let sequence = Event::KeySeq(vec![KeyEvent::ctrl('X'), KeyEvent::ctrl('E')]);
        editor.bind_sequence(sequence, EventHandler::Conditional(Box::new(self.clone())));
    }

    /// Takes the request that the last key has left.
    pub(super) fn request(&self) -> Option<Request> {
        let mut state = self.state();
        state.paste = None;
        state.request.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends the reading of the line.
    fn ask(&mut self, request: Request) -> Cmd {
        self.request = Some(request);
        Cmd::AcceptLine
    }

    fn key(&mut self, key: KeyEvent, line: &str, position: usize) -> Option<Cmd> {
        const NONE: Modifiers = Modifiers::NONE;
        let newline = || Some(Cmd::Newline);
        match key {
            KeyEvent(KeyCode::BracketedPasteStart, _) => {
                self.paste = Some(Paste::default());
                Some(Cmd::Noop)
            }
            KeyEvent(KeyCode::Enter, NONE) if block::is_open(line.as_bytes()) => newline(),
            KeyEvent(KeyCode::Enter, NONE) => Some(Cmd::AcceptLine),
            // Ctrl-J on an empty line is what is left of a CRLF that a terminal has sent as keys.
            KeyEvent(KeyCode::Char('J'), Modifiers::CTRL) if line.is_empty() => Some(Cmd::Noop),
            KeyEvent(KeyCode::Char('J'), Modifiers::CTRL | Modifiers::CTRL_ALT) => newline(),
            KeyEvent(KeyCode::Enter, Modifiers::ALT) => newline(),
            KeyEvent(KeyCode::Char('C' | '\\'), Modifiers::CTRL) => Some(self.ask(Request::Interrupt)),
            KeyEvent(KeyCode::Char('D'), Modifiers::CTRL) if line.is_empty() => Some(Cmd::EndOfFile),
            KeyEvent(KeyCode::Char('D'), Modifiers::CTRL)
                if position == line.len() && block::is_open(line.as_bytes()) =>
            {
                Some(self.ask(Request::EndOfBlock))
            }
            KeyEvent(KeyCode::Char('Z'), Modifiers::CTRL) => Some(self.ask(Request::Suspend(position))),
            _ => None,
        }
    }

    /// Takes a key of a paste. Control characters and sequences in it are no keys, and are left out.
    fn pasted(&mut self, mut paste: Paste, key: KeyEvent, line: &str, position: usize) -> Cmd {
        let after_return = std::mem::replace(&mut paste.after_return, key.0 == KeyCode::Enter);
        match key {
            KeyEvent(KeyCode::BracketedPasteEnd, _) => {
                let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
                let fits = lines(line) + lines(&paste.text) < MOST_LINES && line.len() + paste.text.len() <= MOST_BYTES;
                return if fits { Cmd::Insert(1, paste.text) } else { self.ask(Request::PasteTooLarge(position)) };
            }
            KeyEvent(KeyCode::Char(c), Modifiers::NONE) => paste.text.push(c),
            KeyEvent(KeyCode::Tab, Modifiers::NONE) => paste.text.push('\t'),
            KeyEvent(KeyCode::Enter, Modifiers::NONE) => paste.text.push('\n'),
            KeyEvent(KeyCode::Char('J'), Modifiers::CTRL) if !after_return => paste.text.push('\n'),
            _ => {}
        }
        self.paste = Some(paste);
        Cmd::Noop
    }
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let mut state = self.state();
        // A request that rustyline has not taken, as in its own questions, is not that of a later key.
        state.request = None;
        let (line, position) = (context.line(), context.pos());
        match (event.get(0), event.get(1)) {
            (_, Some(_)) => Some(state.ask(Request::EditExternally)),
            (Some(key), None) => match state.paste.take() {
                Some(paste) => Some(state.pasted(paste, *key, line, position)),
                None => state.key(*key, line, position),
            },
            (None, None) => None,
        }
    }
}
