//! What the integration tests share: the binary with a home of its own ([`Chatrix`]), a scripted Bedrock on loopback
//! ([`Bedrock`]), a running server with a plain HTTP client ([`Server`]), a command on a terminal ([`Terminal`]), and a real
//! PostgreSQL ([`postgres`]).

mod bedrock;
mod chatrix;
pub mod control_plane;
mod form;
pub mod postgres;
mod proxy;
mod server;
mod terminal;

pub use bedrock::{Bedrock, Call, Reply, delta};
pub use chatrix::{Chatrix, Home, Outcome};
pub use form::Form;
pub use proxy::{Fault, Proxy};
pub use server::{Answer, Server};
pub use terminal::Terminal;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Waits until a condition is true. Fails after ten seconds, which is enough for a slow machine.
#[track_caller]
pub fn eventually(what: &str, is_true: impl FnMut() -> bool) {
    within(Duration::from_secs(10), what, is_true);
}

/// As [`eventually`], for what takes longer by its nature: leases that end, databases that start.
#[track_caller]
pub fn within(limit: Duration, what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal by name (`INT`, `TERM`).
pub fn signal(pid: u32, name: &str) {
    let status = std::process::Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Sets a flag when it is dropped, so also when a test stops at a panic. Threads of the same scope that run until the
/// flag is set would keep such a test from ever ending otherwise.
pub struct SetOnDrop<'a>(pub &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
