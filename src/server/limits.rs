//! How much of the server its clients may use at once, and for how long. The operator sets it under `[serve]`.

use std::time::Duration;

/// The most that all clients together may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Answers that are being made. As many requests again may wait for a place.
    pub answers: usize,
    /// Request bodies in memory (bytes).
    pub body_bytes: usize,
    pub timeouts: Timeouts,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the head of a request, from its first byte on. A new connection has the same time to send one.
    pub head: Duration,
    /// Between two requests on one connection.
    pub idle: Duration,
    /// Before the least rate of a body counts.
    pub body_grace: Duration,
    /// Between two pieces of a body.
    pub body_pause: Duration,
    /// To take what was written.
    pub write: Duration,
    /// For a place among the answers.
    pub queue: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body_grace: Duration::from_secs(10),
            body_pause: Duration::from_secs(30),
            write: Duration::from_mins(1),
            queue: Duration::from_secs(5),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 2048, answers: 1024, body_bytes: 256 << 20, timeouts: Timeouts::default() }
    }
}
