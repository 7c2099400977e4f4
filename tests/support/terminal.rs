//! A command in a real pseudo-terminal, and what a person would see there: a terminal emulator reads every byte that the
//! command writes.

use super::Chatrix;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a test waits for something to appear, which is enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lines that have left the screen at its top and can still be read.
const SCROLLBACK: usize = 10_000;

/// Columns, more than any row has.
const WIDE: u16 = 2000;

/// A running command, its pseudo-terminal and its screen. It is killed when the value is dropped.
pub struct Terminal {
    keyboard: File,
    /// Shows what is written.
    screen: Option<JoinHandle<()>>,
    is_closed: Arc<AtomicBool>,
    child: Child,
    seen: Arc<Mutex<Seen>>,
    home: TempDir,
}

struct Seen {
    parser: vt100::Parser<Rows>,
    /// Every byte that was written to the terminal.
    bytes: Vec<u8>,
}

/// How rows end that are longer than the window is wide. The emulator lacks the mode in which they are cut (DECAWM,
/// <https://vt100.net/docs/vt510-rm/DECAWM.html>). While a command sets it, the emulator's screen is wide, and becomes
/// narrow again after it.
struct Rows {
    /// Of the window.
    columns: NonZeroU16,
    are_cut: bool,
}

impl Rows {
    /// How wide the emulator's screen is.
    fn columns_of_screen(&self) -> NonZeroU16 {
        if self.are_cut { non_zero(WIDE) } else { self.columns }
    }
}

impl vt100::Callbacks for Rows {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        if (first, parameters) == (Some(b'?'), &[&[7]]) {
            self.are_cut = last == 'l';
            let (rows, _) = screen.size();
            screen.set_size(rows, self.columns_of_screen());
        }
    }
}

impl Terminal {
    /// Starts a command on a terminal that is wide enough for each notice to be one row.
    pub fn wide(chatrix: Chatrix) -> Self {
        Self::start(chatrix, 200, 50)
    }

    /// Starts a command on a terminal of this size, with `TERM=xterm-256color` unless the command sets another one.
    pub fn start(chatrix: Chatrix, columns: u16, rows: u16) -> Self {
        let (keyboard, slave) = open();
        tcsetwinsize(&keyboard, size(columns, rows)).unwrap();
        let (chatrix, home) = chatrix.into_command();
        // `setsid --ctty` makes the terminal that of the command, so that Ctrl-C and hang-ups reach it, and then becomes
        // the command.
        let mut command = Command::new("setsid");
        command.env_clear().env("TERM", "xterm-256color").arg("--ctty").arg(chatrix.get_program());
        command.args(chatrix.get_args());
        command.envs(chatrix.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::from(slave.try_clone().unwrap()));
        command.stdout(Stdio::from(slave.try_clone().unwrap())).stderr(Stdio::from(slave));
        let child = command.spawn().unwrap();
        drop(command);
        let ends = Rows { columns: non_zero(columns), are_cut: false };
        let parser = vt100::Parser::new_with_callbacks(non_zero(rows), non_zero(columns), SCROLLBACK, ends);
        let seen = Arc::new(Mutex::new(Seen { parser, bytes: Vec::new() }));
        let (screen, shared) = (keyboard.try_clone().unwrap(), Arc::clone(&seen));
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&is_closed);
        let screen = std::thread::spawn(move || show(screen, &shared, &closed));
        Self { keyboard, screen: Some(screen), is_closed, child, seen, home }
    }

    /// Types keys. Enter is `\r`, Ctrl-C `\x03`, Alt-Enter `\x1b\r`, Tab `\t`.
    pub fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types a line and Enter at the prompt of a chat, once there is one: what is typed before is offered there, and not
    /// sent.
    #[track_caller]
    pub fn line(&mut self, line: &str) {
        self.wait("there is a prompt", |terminal| terminal.is_at_prompt().then_some(()));
        self.keys(&format!("{line}\r"));
    }

    /// Pastes a text, as a terminal does that was asked for bracketed paste.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Changes the size of the window. The screen has it before the command hears of it, as in a real terminal: what the
    /// command then draws is for the new size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.resize_unnoticed(columns, rows);
        tcsetwinsize(&self.keyboard, size(columns, rows)).unwrap();
    }

    /// Changes the size of the window, and the command does not hear of it yet: what it draws is for the old size.
    pub fn resize_unnoticed(&self, columns: u16, rows: u16) {
        let mut seen = self.seen.lock().unwrap();
        seen.parser.callbacks_mut().columns = non_zero(columns);
        let columns = seen.parser.callbacks().columns_of_screen();
        seen.parser.screen_mut().set_size(non_zero(rows), columns);
    }

    /// The visible rows, without blanks at their ends.
    pub fn screen(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let columns = seen.parser.callbacks().columns;
        let rows: Vec<String> =
            seen.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// The row and the column of the cursor, from 0.
    pub fn cursor(&self) -> (u16, u16) {
        self.seen.lock().unwrap().parser.screen().cursor_position()
    }

    /// Whether the cursor is in a row that begins with `>`.
    fn is_at_prompt(&self) -> bool {
        let (row, _) = self.cursor();
        self.screen().lines().nth(row.into()).is_some_and(|row| row.starts_with('>'))
    }

    /// Everything that was written to the terminal, control sequences included.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().bytes).into_owned()
    }

    /// Checks that no line was broken by the terminal: none that was written is longer than the terminal is wide.
    #[track_caller]
    pub fn assert_nothing_wraps(&self) {
        let columns = self.seen.lock().unwrap().parser.callbacks().columns;
        let mut wide = vt100::Parser::new(non_zero(1000), non_zero(WIDE), 0);
        wide.process(self.written().as_bytes());
        for row in wide.screen().rows(0, WIDE) {
            let width = unicode_width::UnicodeWidthStr::width(row.trim_end());
            assert!(width <= columns.get().into(), "{width} columns, the terminal has {columns}: {row}");
        }
    }

    /// Waits until the screen shows a text, and gives the screen.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(&format!("the screen shows {text:?}"), |screen| screen.contains(text))
    }

    /// Waits until the last row with anything on it is a prompt (`> `, nothing typed yet).
    #[track_caller]
    pub fn wait_for_prompt(&mut self) -> String {
        self.wait_until("there is a prompt", |screen| screen.lines().last() == Some(">"))
    }

    /// Waits until the screen is as wanted, and gives it.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        self.wait(what, |terminal| Some(terminal.screen()).filter(|screen| is_so(screen)))
    }

    /// Waits until something is found, and gives it.
    #[track_caller]
    fn wait<T>(&mut self, what: &str, mut find: impl FnMut(&mut Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = find(self) {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "not in time: {what}. The screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the terminal is as it was before the command: lines are edited by the system, keys are echoed, and
    /// signals are sent by keys.
    pub fn is_restored(&self) -> bool {
        use nix::sys::termios::{LocalFlags, tcgetattr};
        let flags = tcgetattr(&self.keyboard).unwrap().local_flags;
        flags.contains(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG)
    }

    /// The terminal, to ask for its mode and to set it.
    pub fn device(&self) -> &File {
        &self.keyboard
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The home of the command.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// Closes the window, waits for the end of the command, and gives its exit code; `None` after a signal.
    #[track_caller]
    pub fn close(&mut self) -> Option<i32> {
        self.is_closed.store(true, Ordering::SeqCst);
        self.screen.take().unwrap().join().unwrap();
        self.keyboard = File::open("/dev/null").unwrap();
        self.exit_code()
    }

    /// Waits for the end of the command, and gives its exit code; `None` after a signal.
    #[track_caller]
    pub fn exit_code(&mut self) -> Option<i32> {
        let status = self.wait("it has ended", |terminal| terminal.child.try_wait().unwrap());
        // What it has written last is still to be shown, unless a child of it goes on.
        for _ in 0..100 {
            if self.is_all_shown() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        status.code()
    }

    /// Waits for the end of the command and of all that it writes, and gives every byte of that.
    #[track_caller]
    pub fn output(&mut self) -> String {
        self.wait("all is written", |terminal| terminal.is_all_shown().then_some(()));
        self.written()
    }

    /// Whether the command has ended, its children as well, and everything that they wrote is on the screen.
    fn is_all_shown(&self) -> bool {
        self.screen.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Leaves a chat at its prompt, and gives the exit code.
    #[track_caller]
    pub fn leave(&mut self) -> Option<i32> {
        self.wait_for_prompt();
        self.keys("\x04");
        self.exit_code()
    }
}

/// A pseudo-terminal: the end for the keyboard and the screen, and the end for the command. No command inherits another
/// one's, so that a window can be closed.
fn open() -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
    // The test is no session leader, so the terminal does not become its own.
    let slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
    (File::from(keyboard), slave)
}

/// Reads what is written to the terminal until it is closed, by the command and its children or by the test.
fn show(mut screen: File, seen: &Mutex<Seen>, is_closed: &AtomicBool) {
    let mut buffer = [0; 4096];
    while !is_closed.load(Ordering::SeqCst) {
        let timeout = rustix::event::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let mut waiting = [PollFd::new(&screen, PollFlags::IN)];
        if poll(&mut waiting, Some(&timeout)).is_ok_and(|ready| ready == 0) {
            continue;
        }
        let Ok(length @ 1..) = screen.read(&mut buffer) else { return };
        let mut seen = seen.lock().unwrap();
        seen.bytes.extend_from_slice(&buffer[..length]);
        seen.parser.process(&buffer[..length]);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn non_zero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}
