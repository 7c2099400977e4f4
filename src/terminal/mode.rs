//! The mode of the terminal. Between two prompts keys are neither echoed nor put together to lines, so that they stay
//! out of an answer and are there when it has ended. Whatever ends the program, the terminal gets the mode back that it
//! had before.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as system;
#[cfg(unix)]
use unix as system;

pub(crate) use system::{columns, give_back, is_gone, is_quiet, note_editing, resume, suspend, suspend_group, tell};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// While it lives, keys are neither echoed nor edited by the system: they are kept until somebody reads them. Ctrl-C still
/// interrupts, and what is written looks as always. Without a terminal, and in the background, it does nothing.
pub(crate) struct Quiet(());

impl Quiet {
    pub(crate) fn start() -> Self {
        system::start_quiet();
        Self(())
    }

    /// What was typed since, as bytes, which are read by this. Empty where stdin is no terminal.
    pub(crate) fn typed(&self) -> Vec<u8> {
        let Self(()) = self;
        system::typed()
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        system::end_quiet();
    }
}

/// Keeps the keys that are typed while an answer comes, on a thread of its own.
pub(crate) struct KeptKeys {
    stop: Sender<()>,
    thread: JoinHandle<Vec<u8>>,
}

impl KeptKeys {
    /// `None` where no thread can be started; then the system keeps a few keys.
    pub(crate) fn start() -> Option<Self> {
        const PACE: Duration = Duration::from_millis(50);
        let (stop, stopped) = channel();
        let keep = move || {
            let mut kept = Vec::new();
            while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                system::take_keys(&mut kept);
            }
            kept
        };
        let thread = std::thread::Builder::new().name("keys".to_owned()).spawn(keep).ok()?;
        Some(Self { stop, thread })
    }

    /// The keys, as bytes.
    pub(crate) fn stop(self) -> Vec<u8> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// While it lives, the terminal is as it was before the program, for another program that uses it.
pub(crate) struct Usual(());

impl Usual {
    pub(crate) fn start() -> Self {
        system::start_usual();
        Self(())
    }
}

impl Drop for Usual {
    fn drop(&mut self) {
        system::end_usual();
    }
}

/// How many reads of a line wait without a line editor, in which Ctrl-C can do nothing but end the program.
static PLAIN_READS: AtomicUsize = AtomicUsize::new(0);

/// While it lives, a line is read without a line editor.
pub(crate) struct PlainRead(());

impl PlainRead {
    pub(crate) fn start() -> Self {
        PLAIN_READS.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// Whether a line is being read without a line editor.
    pub(crate) fn is_running() -> bool {
        PLAIN_READS.load(Ordering::SeqCst) > 0
    }
}

impl Drop for PlainRead {
    fn drop(&mut self) {
        PLAIN_READS.fetch_sub(1, Ordering::SeqCst);
    }
}
