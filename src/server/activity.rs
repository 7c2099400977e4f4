//! What a connection is doing. From that follows when its time is up.

use super::limits::Timeouts;
use hyper::Version;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How old a connection must be before it may be given up although its first request is still on its way.
const YOUNG: Duration = Duration::from_secs(1);

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The head of a request has begun and does not end.
    Head,
    /// Nothing comes.
    Request,
    /// The client does not take what is written.
    Write,
}

/// How willingly a connection is given up for a new one. The first is given up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spare {
    /// It waits for another request.
    Idle(Instant),
    /// Its first request, or the head of another one, is still on its way.
    Arriving(Instant),
}

/// The activity of one connection, shared by its socket, its answers and the list of connections.
#[derive(Debug)]
pub(super) struct Activity {
    timeouts: Timeouts,
    state: Mutex<State>,
    given_up: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests that are being answered.
    requests: usize,
    /// When the connection was opened, or when its last answer ended.
    quiet_since: Instant,
    /// Whether it has had a request.
    used: bool,
    /// HTTP/2 has frames of its own between requests, so that a byte is not the beginning of a head.
    http2: bool,
    /// When the head that is arriving began.
    head_since: Option<Instant>,
    /// Since when the socket takes nothing.
    blocked_since: Option<Instant>,
    /// The answers of which a piece was handed over and not taken, and since when. Only for HTTP/2, where one answer
    /// can be blocked while the socket is not.
    untaken: HashMap<u64, Instant>,
    next_answer: u64,
    /// Set when the time is up.
    overdue: Option<Overdue>,
}

impl Activity {
    pub(super) fn new(timeouts: Timeouts) -> Arc<Self> {
        let state = State {
            requests: 0,
            quiet_since: Instant::now(),
            used: false,
            http2: false,
            head_since: None,
            blocked_since: None,
            untaken: HashMap::new(),
            next_answer: 0,
            overdue: None,
        };
        Arc::new(Self { timeouts, state: Mutex::new(state), given_up: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that bytes have arrived.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        if state.requests > 0 || bytes.is_empty() {
            return;
        }
        if !state.used && state.head_since.is_none() && bytes.starts_with(b"PRI") {
            state.http2 = true;
        }
        if !state.http2 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// Records whether the socket took what was written.
    pub(super) fn wrote(&self, blocked: bool) {
        let mut state = self.state();
        match (blocked, state.blocked_since) {
            (true, None) => state.blocked_since = Some(Instant::now()),
            (false, Some(_)) => state.blocked_since = None,
            _ => {}
        }
    }

    /// Records that a request has arrived. It counts until the guard is dropped, with the last byte of its answer.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Answering {
        let mut state = self.state();
        // The preface may have come in pieces, so the first bytes do not always tell.
        state.http2 |= version == Version::HTTP_2;
        state.requests += 1;
        state.used = true;
        state.head_since = None;
        let answer = state.next_answer;
        state.next_answer += 1;
        Answering { activity: Arc::clone(self), answer }
    }

    /// When the time of this connection is up, and for what.
    pub(super) fn deadline(&self) -> Option<(Instant, Overdue)> {
        let state = self.state();
        let limits = &self.timeouts;
        let arrival = (state.requests == 0).then(|| match state.head_since {
            Some(since) => (since + limits.head, Overdue::Head),
            None if state.used => (state.quiet_since + limits.idle, Overdue::Request),
            None => (state.quiet_since + limits.head, Overdue::Request),
        });
        let blocked = state.blocked_since.into_iter().chain(state.untaken.values().copied()).min();
        let blocked = blocked.map(|since| (since + limits.write, Overdue::Write));
        arrival.into_iter().chain(blocked).min_by_key(|(deadline, _)| *deadline)
    }

    /// Records that the time is up.
    pub(super) fn expire(&self, overdue: Overdue) {
        self.state().overdue = Some(overdue);
    }

    /// Whether a head did not arrive in time and the client can be told so, because nothing else is being written.
    pub(super) fn is_head_overdue(&self) -> bool {
        let state = self.state();
        state.overdue == Some(Overdue::Head) && state.blocked_since.is_none()
    }

    /// Whether no request is being answered, and everything that was answered has been taken.
    pub(super) fn is_unused(&self) -> bool {
        let state = self.state();
        state.requests == 0 && state.blocked_since.is_none()
    }

    /// Whether the first request, or the head of another one, is still on its way.
    pub(super) fn is_arriving(&self) -> bool {
        let state = self.state();
        state.requests == 0 && (!state.used || state.head_since.is_some())
    }

    /// Whether the connection can be given up for a new one. `None` while it answers a request or has just begun.
    pub(super) fn spare(&self) -> Option<Spare> {
        let state = self.state();
        match (state.requests, state.used, state.head_since) {
            (0, true, None) => Some(Spare::Idle(state.quiet_since)),
            (0, _, _) if state.quiet_since.elapsed() >= YOUNG => Some(Spare::Arriving(state.quiet_since)),
            _ => None,
        }
    }

    pub(super) fn give_up(&self) {
        self.given_up.notify_one();
    }

    /// Waits until this connection is to make room for another.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering {
    activity: Arc<Activity>,
    answer: u64,
}

impl Answering {
    /// Records that a piece of the answer was handed to HTTP/2 (`true`), or that the next one was asked for.
    pub(super) fn handed_over(&self, untaken: bool) {
        let mut state = self.activity.state();
        if !state.http2 {
            return;
        }
        if untaken {
            state.untaken.insert(self.answer, Instant::now());
        } else {
            state.untaken.remove(&self.answer);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.untaken.remove(&self.answer);
        state.requests -= 1;
        if state.requests == 0 {
            state.quiet_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time stands still in these tests unless they move it.
    #[tokio::test(start_paused = true)]
    async fn each_state_has_its_own_clock() {
        let timeouts = Timeouts::default();
        let activity = Activity::new(timeouts);
        let start = Instant::now();
        assert_eq!(activity.deadline(), Some((start + timeouts.head, Overdue::Request)), "nothing was sent");
        tokio::time::advance(Duration::from_secs(3)).await;
        activity.received(b"GET");
        tokio::time::advance(Duration::from_secs(3)).await;
        activity.received(b" /");
        let head = start + Duration::from_secs(3) + timeouts.head;
        assert_eq!(activity.deadline(), Some((head, Overdue::Head)), "a byte now and then moves nothing");
        let answering = activity.begin(Version::HTTP_11);
        assert_eq!((activity.deadline(), activity.is_arriving()), (None, false));
        activity.wrote(true);
        let blocked = Instant::now() + timeouts.write;
        tokio::time::advance(Duration::from_secs(9)).await;
        activity.wrote(true);
        assert_eq!(activity.deadline(), Some((blocked, Overdue::Write)));
        activity.wrote(false);
        assert_eq!(activity.deadline(), None);
        drop(answering);
        assert_eq!(activity.deadline(), Some((Instant::now() + timeouts.idle, Overdue::Request)));
    }

    #[tokio::test(start_paused = true)]
    async fn frames_of_http2_are_no_heads_and_one_answer_can_be_blocked() {
        let timeouts = Timeouts::default();
        let activity = Activity::new(timeouts);
        let start = Instant::now();
        activity.received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        activity.received(b"ping");
        assert_eq!(activity.deadline(), Some((start + timeouts.head, Overdue::Request)));
        let (first, second) = (activity.begin(Version::HTTP_11), activity.begin(Version::HTTP_11));
        first.handed_over(true);
        second.handed_over(true);
        tokio::time::advance(Duration::from_secs(1)).await;
        second.handed_over(false);
        assert_eq!(activity.deadline(), Some((start + timeouts.write, Overdue::Write)));
        drop(first);
        assert_eq!(activity.deadline(), None);
        drop(second);
        activity.received(b"ping");
        assert_eq!(activity.deadline(), Some((Instant::now() + timeouts.idle, Overdue::Request)));
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_are_given_up_before_those_that_have_begun() {
        let new = Activity::new(Timeouts::default());
        assert_eq!(new.spare(), None, "its request may be on its way");
        tokio::time::advance(YOUNG).await;
        let idle = Activity::new(Timeouts::default());
        drop(idle.begin(Version::HTTP_11));
        assert!(idle.spare() < new.spare() && idle.spare().is_some());
        let _answering = new.begin(Version::HTTP_11);
        assert_eq!(new.spare(), None);
    }
}
