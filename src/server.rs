//! The HTTP server. The only room that names `warp`. A request comes in as bytes, goes through `access`
//! (who may), `routes` (where to) and the one door, and goes out as OpenAI's JSON or as a stream (`sse`).
//!
//! One filter takes everything: warp's path filters cannot see `//models` and `/models/` as one route, and its
//! rejections answer in plain text, which Jan cannot read.

mod access;
mod routes;
mod sse;

pub use access::Access;

use crate::engine::{Call, Engine};
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use std::collections::HashSet;
use std::future::Future;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use warp::Filter;
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;

/// Room for several base64 images (`openai-clients.md` §0.12).
const BODY_LIMIT: usize = 64 << 20;
/// How long running answers get once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What every request needs.
struct State {
    engine: Engine,
    access: Access,
    body_limit: usize,
    announced: Mutex<HashSet<String>>,
}

impl State {
    /// Tells the operator once that a retired model is answered for by another.
    fn announce(&self, call: &Call) {
        if let Some(text) = call.succession()
            && self.announced.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone())
        {
            // A stderr that is gone is no reason to fail.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

/// A request, before its body is read.
struct Incoming<S> {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: S,
}

/// Serves until `stop` resolves, then gives running answers their time.
///
/// # Errors
/// When the socket cannot be set up.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    access: Access,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Accepted sockets inherit it: each chunk leaves at once. warp gives no hold of them.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    let state = Arc::new(State { engine, access, body_limit: BODY_LIMIT, announced: Mutex::default() });
    let filter =
        warp::method().and(warp::path::full()).and(warp::header::headers_cloned()).and(warp::body::stream()).then(
            move |method, path: FullPath, headers, body| {
                let state = Arc::clone(&state);
                let path = path.as_str().to_owned();
                async move { routes::answer(&state, Incoming { method, path, headers, body }).await }
            },
        );
    let (stopping, mut stopped) = tokio::sync::watch::channel(false);
    let signal = async move {
        stop.await;
        let _ = stopping.send(true);
    };
    let running = warp::serve(filter).incoming(listener).graceful(signal).run();
    let out_of_time = async move {
        // Graceful shutdown never ends while one stream is open (DESIGN §7).
        let _ = stopped.wait_for(|stopped| *stopped).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = running => {}
        () = out_of_time => {}
    }
    Ok(())
}

/// Reads a body, up to a limit. `None`: it is larger.
async fn read<S, B, E>(body: S, limit: usize) -> Option<Result<Bytes, E>>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        match piece {
            Ok(mut piece) => {
                if bytes.len() + piece.remaining() > limit {
                    return None;
                }
                while piece.has_remaining() {
                    let chunk = piece.chunk();
                    bytes.extend_from_slice(chunk);
                    let length = chunk.len();
                    piece.advance(length);
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(bytes.into()))
}
