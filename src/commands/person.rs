//! Runs a command that a person talks to, until it or a signal ends it. Whatever does, the terminal gets its mode back.

use crate::terminal::editor::Editor;
use crate::terminal::mode;
use crate::terminal::output::stderr;
use anyhow::Context;
use std::future::Future;
use std::io::{self, IsTerminal};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How long a command may take to end after a signal, so that a call that runs is booked at what it may cost. A command
/// that waits for a key does not notice.
const GRACE: Duration = Duration::from_millis(500);

/// How many listen for Ctrl-C, to do something else than to end the program.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// While it lives, somebody else listens for Ctrl-C.
pub(crate) struct Listening(());

impl Listening {
    pub(crate) fn start() -> Self {
        LISTENING.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether Ctrl-C ends the program. Between two prompts it does not: whoever presses it twice to stop an answer wants to
/// stay. A line editor hears it itself.
fn interrupt_ends() -> bool {
    mode::PlainRead::is_running() || (LISTENING.load(Ordering::SeqCst) == 0 && !Editor::is_open())
}

/// Runs the command on a thread of its own, because it blocks while it waits for keys. The exit code after a signal is
/// that of a shell: 128 and the number of the signal.
pub(crate) async fn attend<C, F>(command: C) -> anyhow::Result<u8>
where
    C: FnOnce() -> F + Send + 'static,
    F: Future<Output = anyhow::Result<u8>>,
{
    let mut signals = Signals::new().context("cannot listen for signals")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = Handle::current();
    let mut running = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            tokio::select! {
                biased;
                result = Box::pin(command()) => Some(result),
                Ok(()) = stopped => None,
            }
        })
    });
    let code = tokio::select! {
        ended = &mut running => {
            return match ended {
                // The end of a terminal can be seen before its signal is.
                Ok(Some(_)) if mode::is_gone() => Ok(Signals::HANG_UP),
                Ok(result) => result.unwrap_or(Ok(0)),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    Err(error) => Err(error.into()),
                },
            };
        }
        code = signals.end() => code,
    };
    mode::give_back();
    let _ = stop.send(());
    let _ = tokio::time::timeout(GRACE, running).await;
    Ok(code)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Only on a terminal. Elsewhere they mean what whoever started the program has made of them: `nohup` lets the program
    /// outlive the terminal.
    of_terminal: Option<TerminalSignals>,
}

#[cfg(unix)]
struct TerminalSignals {
    hang_up: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    stop: tokio::signal::unix::Signal,
    go_on: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    const HANG_UP: u8 = 129;
    const INTERRUPT: u8 = 130;
    const QUIT: u8 = 131;
    const TERMINATE: u8 = 143;

    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let is_watched = io::stdin().is_terminal() || stderr().is_terminal();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            of_terminal: if is_watched { Some(TerminalSignals::new()?) } else { None },
        })
    }

    /// Waits for a signal that ends the program, and gives the exit code. Meanwhile Ctrl-Z stops the program.
    async fn end(&mut self) -> u8 {
        loop {
            let of_terminal = async {
                match &mut self.of_terminal {
                    Some(signals) => signals.end().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                code = of_terminal => return code,
                _ = self.terminate.recv() => return Self::TERMINATE,
                _ = self.interrupt.recv() => if interrupt_ends() { return Self::INTERRUPT },
            }
        }
    }
}

#[cfg(unix)]
impl TerminalSignals {
    fn new() -> io::Result<Self> {
        use nix::sys::signal::Signal as Number;
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            stop: signal(SignalKind::from_raw(Number::SIGTSTP as i32))?,
            go_on: signal(SignalKind::from_raw(Number::SIGCONT as i32))?,
        })
    }

    async fn end(&mut self) -> u8 {
        loop {
            tokio::select! {
                _ = self.hang_up.recv() => return Signals::HANG_UP,
                _ = self.quit.recv() => return Signals::QUIT,
                _ = self.stop.recv() => mode::suspend(),
                _ = self.go_on.recv() => mode::resume(),
            }
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    const HANG_UP: u8 = 129;

    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn end(&mut self) -> u8 {
        std::future::pending().await
    }
}
