//! A command in a real pseudo-terminal, and what a person would see there: a terminal emulator reads every byte that the
//! command writes.

use super::Chatrix;
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a test waits for something to appear, which is enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lines that have left the screen at its top and can still be read.
const SCROLLBACK: usize = 10_000;

/// A running command, its pseudo-terminal and its screen. It is killed when the value is dropped.
pub struct Terminal {
    keyboard: File,
    child: Child,
    seen: Arc<Mutex<Seen>>,
    home: TempDir,
}

struct Seen {
    parser: vt100::Parser,
    /// Every byte that was written to the terminal.
    bytes: Vec<u8>,
}

impl Terminal {
    /// Starts a command on a terminal of this size, with `TERM=xterm-256color` unless the command sets another one.
    pub fn start(chatrix: Chatrix, columns: u16, rows: u16) -> Self {
        let pty = openpty(Some(&size(columns, rows)), None).unwrap();
        let (chatrix, home) = chatrix.into_command();
        // `setsid --ctty` makes the terminal that of the command, so that Ctrl-C and hang-ups reach it, and then becomes
        // the command.
        let mut command = Command::new("setsid");
        command.env_clear().env("TERM", "xterm-256color").arg("--ctty").arg(chatrix.get_program());
        command.args(chatrix.get_args());
        command.envs(chatrix.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let slave = File::from(pty.slave);
        command.stdin(Stdio::from(slave.try_clone().unwrap()));
        command.stdout(Stdio::from(slave.try_clone().unwrap())).stderr(Stdio::from(slave));
        let child = command.spawn().unwrap();
        drop(command);
        let keyboard = File::from(pty.master);
        let parser = vt100::Parser::new(non_zero(rows), non_zero(columns), SCROLLBACK);
        let seen = Arc::new(Mutex::new(Seen { parser, bytes: Vec::new() }));
        let (mut screen, shared) = (keyboard.try_clone().unwrap(), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails once the command and its children have closed the terminal.
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                let mut seen = shared.lock().unwrap();
                seen.bytes.extend_from_slice(&buffer[..length]);
                seen.parser.process(&buffer[..length]);
            }
        });
        Self { keyboard, child, seen, home }
    }

    /// Types keys. Enter is `\r`, Ctrl-C `\x03`, Alt-Enter `\x1b\r`, Tab `\t`.
    pub fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types a line and Enter.
    pub fn line(&mut self, line: &str) {
        self.keys(&format!("{line}\r"));
    }

    /// Pastes a text, as a terminal does that was asked for bracketed paste.
    pub fn paste(&mut self, text: &str) {
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Changes the size of the window.
    pub fn resize(&self, columns: u16, rows: u16) {
        let new = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.keyboard, new).unwrap();
        self.seen.lock().unwrap().parser.screen_mut().set_size(non_zero(rows), non_zero(columns));
    }

    /// The visible rows, without blanks at their ends.
    pub fn screen(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let (_, columns) = seen.parser.screen().size();
        let rows: Vec<String> =
            seen.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// The row and the column of the cursor, from 0.
    pub fn cursor(&self) -> (u16, u16) {
        self.seen.lock().unwrap().parser.screen().cursor_position()
    }

    /// Everything that was written to the terminal, control sequences included.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().bytes).into_owned()
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
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(started.elapsed() < PATIENCE, "not in time: {what}. The screen:\n{screen}");
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

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The home of the command.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// Waits for the end of the command, and gives its exit code; `None` after a signal.
    #[track_caller]
    pub fn exit_code(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < PATIENCE, "it does not end. The screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
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
