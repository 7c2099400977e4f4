//! The mode of a terminal, as POSIX has it. The only file that knows rustix.

use crate::terminal::printable::Printable;
use rustix::process::{Signal, getpgrp, getpid, getsid, kill_current_process_group, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Leaves bracketed paste, shows the cursor, and begins a line.
const AS_BEFORE: &[u8] = b"\x1b[?2004l\x1b[?25h\r\n";
const BRACKETED_PASTE: &[u8] = b"\x1b[?2004h";

/// How long a person's keys, or a paste that a terminal sends as keys, may pause and still belong together.
const PAUSE: Duration = Duration::from_millis(30);
/// How long keys are waited for that follow others.
const MOST: Duration = Duration::from_secs(2);

/// The terminal, once its mode was changed.
struct Terminal {
    device: File,
    original: Termios,
    /// How many want it quiet.
    quiet: usize,
    /// How many want it as it was.
    usual: usize,
    /// The mode of the line editor, while it reads.
    editing: Option<Termios>,
    /// The program ends, and nobody changes the mode any more.
    given_back: bool,
}

static TERMINAL: Mutex<Option<Terminal>> = Mutex::new(None);
/// How often the program was stopped and continued.
static CONTINUED: AtomicU64 = AtomicU64::new(0);

fn lock() -> MutexGuard<'static, Option<Terminal>> {
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    /// That of stdin, or else the one that the program runs in: the keys of both are the same person's.
    fn open() -> Option<Self> {
        let stdin = io::stdin();
        let device = if isatty(&stdin) {
            File::from(stdin.as_fd().try_clone_to_owned().ok()?)
        } else {
            OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?
        };
        let original = tcgetattr(&device).ok()?;
        Some(Self { device, original, quiet: 0, usual: 0, editing: None, given_back: false })
    }

    /// Sets a mode. Not in the background, where the terminal belongs to others, and where trying would stop the program.
    fn set(&self, mode: &Termios) {
        if tcgetpgrp(&self.device).is_ok_and(|foreground| foreground == getpgrp()) {
            let _ = tcsetattr(&self.device, OptionalActions::Now, mode);
        }
    }

    /// Sets the mode that is wanted now.
    fn apply(&self) {
        if self.given_back {
            return;
        }
        match &self.editing {
            _ if self.usual > 0 => self.set(&self.original),
            Some(editing) => {
                self.set(editing);
                self.tell(BRACKETED_PASTE);
            }
            None if self.quiet > 0 => self.set(&self.quiet_mode()),
            None => self.set(&self.original),
        }
    }

    /// No echo, and every key counts at once. Reading does not wait. Signals and the output are as they were, but Ctrl-C
    /// drops no keys that were typed before.
    fn quiet_mode(&self) -> Termios {
        let mut mode = self.original.clone();
        mode.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
        mode.local_modes |= LocalModes::NOFLSH;
        mode.special_codes[SpecialCodeIndex::VMIN] = 0;
        mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        mode
    }

    /// Sets the mode that the terminal had before the program.
    fn restore(&self) {
        if self.quiet > 0 || self.editing.is_some() {
            self.set(&self.original);
            self.tell(AS_BEFORE);
        }
    }

    fn tell(&self, bytes: &[u8]) {
        // A terminal that is gone need not be told.
        let _ = (&self.device).write_all(bytes);
    }
}

pub(super) fn start_quiet() {
    let mut terminal = lock();
    if terminal.is_none() {
        *terminal = Terminal::open();
    }
    if let Some(terminal) = terminal.as_mut() {
        terminal.quiet += 1;
        terminal.apply();
    }
}

pub(super) fn end_quiet() {
    if let Some(terminal) = lock().as_mut() {
        terminal.quiet = terminal.quiet.saturating_sub(1);
        terminal.editing = None;
        terminal.apply();
    }
}

pub(super) fn start_usual() {
    if let Some(terminal) = lock().as_mut() {
        terminal.usual += 1;
        terminal.apply();
    }
}

pub(super) fn end_usual() {
    if let Some(terminal) = lock().as_mut() {
        terminal.usual = terminal.usual.saturating_sub(1);
        terminal.apply();
    }
}

/// Notes that the line editor reads, in the mode that it has set, or that it reads no more.
pub(crate) fn note_editing(reads: bool) {
    if let Some(terminal) = lock().as_mut() {
        terminal.editing = if reads { tcgetattr(&terminal.device).ok() } else { None };
    }
}

/// Whether keys are echoed at present.
pub(crate) fn is_quiet() -> bool {
    lock().as_ref().is_some_and(|terminal| terminal.quiet > 0)
}

pub(super) fn typed() -> Vec<u8> {
    let keyboard = match lock().as_ref() {
        Some(terminal) if isatty(io::stdin()) => terminal.device.try_clone(),
        _ => return Vec::new(),
    };
    let Ok(mut keyboard) = keyboard else { return Vec::new() };
    let started = Instant::now();
    let (mut typed, mut piece) = (Vec::new(), [0; 4096]);
    while tcgetattr(&keyboard).is_ok_and(|mode| does_not_wait(&mode)) {
        match keyboard.read(&mut piece) {
            Ok(0) if typed.is_empty() => break,
            // More of a paste may be on its way. What comes later than this is typed at the prompt.
            Ok(0) => {
                sleep(PAUSE);
                match keyboard.read(&mut piece) {
                    Ok(length @ 1..) => typed.extend_from_slice(&piece[..length]),
                    _ => break,
                }
                if started.elapsed() >= MOST {
                    break;
                }
            }
            Ok(length) => typed.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    typed
}

/// Takes the keys that are there, without waiting, while the terminal is quiet. The system has little room for keys, and
/// once that is full it does not hear Ctrl-C any more.
pub(super) fn take_keys(kept: &mut Vec<u8>) {
    /// A larger paste is refused at a prompt too.
    const MOST_KEPT: usize = 1 << 20;
    // Nobody changes the mode between the look at it and the read, which would wait in another one.
    let terminal = lock();
    let Some(terminal) = terminal.as_ref().filter(|terminal| terminal.quiet > 0 && terminal.editing.is_none()) else {
        return;
    };
    let is_ours = tcgetpgrp(&terminal.device).is_ok_and(|foreground| foreground == getpgrp());
    if !is_ours || !isatty(io::stdin()) || !tcgetattr(&terminal.device).is_ok_and(|mode| does_not_wait(&mode)) {
        return;
    }
    let mut piece = [0; 4096];
    while kept.len() < MOST_KEPT
        && let Ok(length @ 1..) = (&terminal.device).read(&mut piece)
    {
        kept.extend_from_slice(&piece[..length]);
    }
}

/// Whether reading returns at once. Another program may have set another mode.
fn does_not_wait(mode: &Termios) -> bool {
    !mode.local_modes.contains(LocalModes::ICANON) && mode.special_codes[SpecialCodeIndex::VMIN] == 0
}

/// Gives the terminal its mode back for good, because the program ends.
pub(crate) fn give_back() {
    if let Some(terminal) = lock().as_mut()
        && !terminal.given_back
    {
        terminal.restore();
        terminal.given_back = true;
    }
}

/// The columns of the terminal; 80 where it does not know them, as rustyline has it.
pub(crate) fn columns() -> usize {
    let size = lock().as_ref().and_then(|terminal| tcgetwinsize(&terminal.device).ok());
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// Writes to the terminal, whatever stdout and stderr are.
pub(crate) fn tell(text: &Printable) {
    if let Some(terminal) = lock().as_ref() {
        terminal.tell(text.as_str().as_bytes());
    }
}

/// Whether the terminal was closed.
pub(crate) fn is_gone() -> bool {
    lock().as_ref().is_some_and(|terminal| tcgetattr(&terminal.device).is_err())
}

/// Stops the program as Ctrl-Z does, with the terminal as it was before the program. Where no shell could continue it, it
/// goes on.
pub(crate) fn suspend() {
    // The processes of a session that no shell has put into groups cannot be continued by anybody.
    if getsid(None).is_ok_and(|session| session == getpgrp()) {
        return;
    }
    if let Some(terminal) = lock().as_ref() {
        terminal.restore();
    }
    let _ = kill_process(getpid(), Signal::STOP);
}

/// Sets the mode again that is wanted, after somebody else had the terminal.
pub(crate) fn resume() {
    if let Some(terminal) = lock().as_ref() {
        terminal.apply();
    }
    CONTINUED.fetch_add(1, Ordering::SeqCst);
}

/// Stops this program and those that a shell has started together with it, as Ctrl-Z does, and returns when they go on.
pub(crate) fn suspend_group() {
    /// How often it is looked whether the mode is set again, at most: the signal may stop nobody. The time for which the
    /// program is stopped must not count, or lines are drawn, and keys echoed, before the mode is set.
    const LOOKS: u32 = 200;
    let before = CONTINUED.load(Ordering::SeqCst);
    let _ = kill_current_process_group(Signal::TSTP);
    for _ in 0..LOOKS {
        if CONTINUED.load(Ordering::SeqCst) != before {
            return;
        }
        sleep(Duration::from_millis(5));
    }
}
