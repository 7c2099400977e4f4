//! The signals that stop a server or make it reload. They are heard on a thread of their own, with clocks of its own, so
//! that the server can be stopped whatever its workers do.

use super::systemd;
use crate::server::{FLUSH_TIMEOUT, GRACE, Stop};
use crate::telemetry::Telemetry;
use anyhow::Context;
#[cfg(unix)]
use std::io::{IsTerminal, stdin};
use std::time::Duration;
use tokio::sync::watch;

/// A signal to this process.
enum Signal {
    /// Ctrl-C, SIGTERM, or the end of the terminal in which the server was started.
    Stop,
    /// SIGHUP: read the config file again.
    #[cfg(unix)]
    Reload,
}

/// What was heard so far.
pub(crate) struct Heard {
    pub(crate) stop: watch::Receiver<Stop>,
    /// How often a reload was asked for.
    pub(crate) reloads: watch::Receiver<u64>,
}

struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    /// Whether a person started the server in a terminal. `nohup` takes the terminal away.
    #[cfg(unix)]
    in_terminal: bool,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            in_terminal: stdin().is_terminal(),
        })
    }

    #[cfg(not(unix))]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            // The same signal says that the window was closed. A server that nobody can see any more must not stay.
            _ = self.hangup.recv() => {
                if self.in_terminal && !stdin().is_terminal() { Signal::Stop } else { Signal::Reload }
            }
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Signal {
        // Where Ctrl-C cannot be heard, the system ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }

    /// Whether another signal to stop comes within this time.
    async fn stop_comes_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, async { while !matches!(self.next().await, Signal::Stop) {} }).await.is_ok()
    }
}

/// Starts to hear signals. Those to reload are counted. The first one to stop makes the server drain; after some time,
/// or at the second one, it ends.
pub(crate) fn hear(telemetry: &Telemetry) -> anyhow::Result<Heard> {
    let (stop, stop_receiver) = watch::channel(Stop::Running);
    let (reload, reloads) = watch::channel(0);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot listen for signals")?;
    let signals = {
        let _inside = runtime.enter();
        Signals::new().context("cannot listen for signals")?
    };
    let telemetry = telemetry.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(conduct(signals, stop, reload, telemetry)))
        .context("cannot listen for signals")?;
    Ok(Heard { stop: stop_receiver, reloads })
}

/// Takes a server through its end.
async fn conduct(mut signals: Signals, stop: watch::Sender<Stop>, reload: watch::Sender<u64>, telemetry: Telemetry) {
    while !matches!(signals.next().await, Signal::Stop) {
        reload.send_modify(|count| *count += 1);
    }
    systemd::stopping();
    stop.send_replace(Stop::Draining);
    telemetry.notice(
        "stopping: no new requests are accepted; running answers have 10 s to finish, and a second signal stops them at once",
    );
    if !signals.stop_comes_within(GRACE).await {
        // The open answers get an error and are cut off.
        stop.send_replace(Stop::CutOff);
        signals.stop_comes_within(FLUSH_TIMEOUT).await;
    }
    stop.send_replace(Stop::Ended);
    // What is left to do takes no more signals: the ledger is closed.
    std::future::pending::<()>().await;
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn signals_are_heard_while_every_worker_is_busy() {
        static BUSY: AtomicBool = AtomicBool::new(true);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut stop = hear(&Telemetry::default()).unwrap().stop;
        runtime.spawn(async {
            while BUSY.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let terminate = || Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status().unwrap();
        for step in [Stop::Draining, Stop::Ended] {
            terminate();
            runtime.block_on(stop.wait_for(|now| *now >= step)).unwrap();
            assert_eq!(*stop.borrow(), step);
        }
        BUSY.store(false, Ordering::SeqCst);
    }
}
