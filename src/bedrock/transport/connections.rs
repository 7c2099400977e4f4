//! The connections to Bedrock that wait for their next request. A call takes one of them or opens a new one, has it for
//! itself until the last byte of its answer, and then gives it back (docs/bedrock.md §4.7).

use super::connection::Connection;
use bytes::Bytes;
use futures_util::task::noop_waker_ref;
use hyper::Uri;
use hyper::body::{Body, Incoming};
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The connections that no call uses. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    /// How long a connection is kept that no call uses.
    keep: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By scheme and authority; the one that was used last is the last.
    waiting: HashMap<Uri, Vec<Waiting>>,
    /// Whether a task closes connections whose time is up.
    is_swept: bool,
}

#[derive(Debug)]
struct Waiting {
    connection: Connection,
    until: Instant,
}

impl Connections {
    /// `keep`: how long a connection is kept that no call uses.
    pub(super) fn new(keep: Duration) -> Self {
        Self(Arc::new(Pool { keep, state: Mutex::default() }))
    }

    /// A connection to a server that is open, as far as this machine knows.
    pub(super) fn take(&self, server: &Uri) -> Option<Connection> {
        let now = Instant::now();
        loop {
            let Waiting { mut connection, until } = self.0.state().waiting.get_mut(server)?.pop()?;
            // Nobody waits for it, so nobody is to be woken.
            if until > now && connection.is_ready(&mut Context::from_waker(noop_waker_ref())) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose last answer is complete, so that the next call can use it.
    fn give_back(&self, server: Uri, connection: Connection) {
        let mut state = self.0.state();
        let until = Instant::now() + self.0.keep;
        state.waiting.entry(server).or_default().push(Waiting { connection, until });
        if !std::mem::replace(&mut state.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.0), self.0.keep));
        }
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes connections whose time is up, until none is left.
async fn sweep(pool: Weak<Pool>, keep: Duration) {
    let mut pause = keep;
    loop {
        tokio::time::sleep(pause).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = pool.state();
        let now = Instant::now();
        for waiting in state.waiting.values_mut() {
            waiting.retain(|waiting| waiting.until > now);
        }
        state.waiting.retain(|_, waiting| !waiting.is_empty());
        let next = state.waiting.values().flatten().map(|waiting| waiting.until).min();
        let Some(until) = next else {
            state.is_swept = false;
            return;
        };
        pause = until - now;
    }
}

/// The body of an answer, and the connection that it arrives on. Dropping it before its end closes the connection.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Incoming,
    /// `None` once it has been given back.
    connection: Option<Connection>,
    server: Uri,
    connections: Connections,
}

impl AnswerBody {
    pub(super) fn new(body: Incoming, connection: Connection, server: Uri, connections: &Connections) -> Self {
        let mut this = Self { body, connection: Some(connection), server, connections: connections.clone() };
        if this.body.is_end_stream() {
            this.give_back(&mut Context::from_waker(noop_waker_ref()));
        }
        this
    }

    /// The next piece; `None` at the end. The future may be dropped and `next` called again without losing anything.
    ///
    /// # Errors
    /// Those of `hyper`.
    pub(super) async fn next(&mut self) -> Option<hyper::Result<Bytes>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(None) };
        let data = ready!(connection.poll_data(&mut self.body, context));
        match &data {
            None => self.give_back(context),
            Some(Err(_)) => self.connection = None,
            Some(Ok(_)) => {}
        }
        Poll::Ready(data)
    }

    fn give_back(&mut self, context: &mut Context<'_>) {
        let Some(mut connection) = self.connection.take() else { return };
        if connection.is_ready(context) {
            self.connections.give_back(self.server.clone(), connection);
        }
    }
}
