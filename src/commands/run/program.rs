//! The program of an agent: whether it is installed, and its run from the beginning to the end.

use crate::cli::RunAgent;
use crate::error::{Error, Kind};
use anyhow::Context;
use signals::Signals;
use std::process::ExitStatus;
use tokio::process::Command;

#[derive(Debug, Clone, Copy)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// The package of npm that it is in.
    package: &'static str,
}

impl Program {
    pub(super) fn of(agent: RunAgent) -> Self {
        match agent {
            RunAgent::Claude => Self { name: "claude", package: "@anthropic-ai/claude-code" },
            RunAgent::Codex => Self { name: "codex", package: "@openai/codex" },
        }
    }

    /// Looks for it where the system will.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn check_installed(self) -> Result<(), Error> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        if std::env::split_paths(&path).any(|folder| folder.join(self.name).is_file()) {
            return Ok(());
        }
        let message = format!("{} is not installed: no folder of PATH has it", self.name);
        Err(Error::new(Kind::Io, message).advise(format!("install it: npm install -g {}", self.package)))
    }

    /// Runs the command to its end, with the streams of this process. Gives the exit code; 128 and its number for a
    /// signal, as shells do.
    pub(super) async fn run(self, mut command: Command) -> anyhow::Result<u8> {
        let signals = Signals::hear().context("cannot listen for signals")?;
        let mut child = command.kill_on_drop(true).spawn().with_context(|| format!("cannot start {}", self.name))?;
        let handed_on = signals.hand_on(child.id());
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status?)),
            () = handed_on => child.start_kill()?,
        }
        Ok(exit_code(child.wait().await?))
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    status.code().or(signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The signals that would end this process. They are the program's.
#[cfg(unix)]
mod signals {
    use crate::server::GRACE;
    use crate::terminal::output::{stderr, stdout};
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::io::{IsTerminal, stdin};
    use tokio::signal::unix::{self, SignalKind, signal};

    pub(super) struct Signals {
        interrupt: unix::Signal,
        quit: unix::Signal,
        terminate: unix::Signal,
        hangup: unix::Signal,
    }

    impl Signals {
        pub(super) fn hear() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
            })
        }

        /// Hands signals on, and returns some time after one that asks the program to stop.
        pub(super) async fn hand_on(mut self, program: Option<u32>) {
            let program = program.and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
            let in_terminal = stdin().is_terminal() || stdout().is_terminal() || stderr().is_terminal();
            loop {
                let (signal, is_typed) = tokio::select! {
                    _ = self.interrupt.recv() => (Signal::SIGINT, true),
                    _ = self.quit.recv() => (Signal::SIGQUIT, true),
                    _ = self.terminate.recv() => (Signal::SIGTERM, false),
                    _ = self.hangup.recv() => (Signal::SIGHUP, false),
                };
                // A terminal sends what is typed to both.
                if let Some(program) = program.filter(|_| !(is_typed && in_terminal)) {
                    // It may have ended meanwhile.
                    let _ = kill(program, signal);
                }
                if !is_typed {
                    return tokio::time::sleep(GRACE).await;
                }
            }
        }
    }
}

/// Where there are no signals, Ctrl-C comes to the program by itself.
#[cfg(not(unix))]
mod signals {
    pub(super) struct Signals;

    impl Signals {
        pub(super) fn hear() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn hand_on(self, _program: Option<u32>) {
            while tokio::signal::ctrl_c().await.is_ok() {}
            std::future::pending::<()>().await;
        }
    }
}
