//! Accepts connections. Each is served in a task of its own, within the limits; one too many is told to come again.

use super::activity::Activity;
use super::connection::{self, Front};
use super::connections::Connections;
use super::console::Console;
use super::limits::Timeouts;
use super::reply::plain_response;
use super::socket::Socket;
use super::stop::{Stop, reached};
use crate::error::{Error, Kind};
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// The most connections at once that are told why they are refused. Any others are closed without a word.
const MAX_REFUSALS: usize = 64;
/// How long a refused client may take to read why.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// How long nothing is accepted after the system had no file or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long a connection is silent before the system asks whether the peer still exists, and how often it then asks.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);

pub(super) struct Listener<S> {
    pub(super) service: S,
    pub(super) connections: Arc<Connections>,
    pub(super) timeouts: Timeouts,
    pub(super) console: Console,
    pub(super) stop: watch::Receiver<Stop>,
}

/// What all connections share.
struct Shared {
    builder: Builder<TokioExecutor>,
    head_timeout: Arc<[u8]>,
    refusal: Bytes,
    refusals: Arc<Semaphore>,
}

impl<S, B> Listener<S>
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
{
    /// Accepts connections until the server drains, and then waits for those that are open.
    ///
    /// # Errors
    /// When the socket cannot be set up.
    pub(super) async fn run(self, listener: TcpListener) -> io::Result<()> {
        set_up(&listener, self.timeouts.write)?;
        let late = Error::new(Kind::RequestTimeout, "the head of the request did not arrive in time");
        let full = Error::new(Kind::Overloaded, "all connections of this server are in use");
        let shared = Arc::new(Shared {
            builder: connection::builder(),
            head_timeout: plain_response(&late).into(),
            refusal: plain_response(&full).into(),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
        });
        let mut draining = std::pin::pin!(reached(self.stop.clone(), Stop::Draining));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut draining => break,
            };
            match accepted {
                Ok((stream, peer)) => self.begin(stream, peer, &shared),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.console.announce_accept_error(&error);
                    self.connections.make_room();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        self.connections.all_closed().await;
        Ok(())
    }

    fn begin(&self, stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>) {
        let activity = Activity::new(self.timeouts);
        let Some(place) = self.connections.place(&activity) else {
            if let Ok(permit) = Arc::clone(&shared.refusals).try_acquire_owned() {
                let refusal = shared.refusal.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(stream, &refusal)).await;
                    drop(permit);
                });
            }
            return;
        };
        let socket = Socket::new(stream, Arc::clone(&activity), Arc::clone(&shared.head_timeout));
        let front = Front { service: self.service.clone(), activity, peer };
        let (shared, stop) = (Arc::clone(shared), self.stop.clone());
        tokio::spawn(async move {
            connection::serve(&shared.builder, socket, front, stop).await;
            drop(place);
        });
    }
}

/// Sets the options that accepted sockets inherit.
fn set_up(listener: &TcpListener, write_timeout: Duration) -> io::Result<()> {
    let socket = socket2::SockRef::from(listener);
    // Without TCP_NODELAY the chunks of a stream may be held back.
    socket.set_tcp_nodelay(true)?;
    let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE_INTERVAL);
    socket.set_tcp_keepalive(&keep_alive)?;
    // A peer that has vanished acknowledges nothing, long before the socket's buffer is full.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(write_timeout))?;
    #[cfg(not(target_os = "linux"))]
    let _ = write_timeout;
    Ok(())
}

/// Tells a client that it is one too many. What it has sent is read, because closing a socket with unread data would
/// take the answer back.
async fn refuse(mut stream: TcpStream, refusal: &[u8]) -> io::Result<()> {
    stream.write_all(refusal).await?;
    stream.shutdown().await?;
    let mut sink = [0; 4096];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

/// Whether accepting failed because of the connection itself, so that the next may be accepted at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
    )
}
