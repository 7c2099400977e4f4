//! The HTTP server. The only room that names `warp`. A request comes in as bytes, goes through `access`
//! (who may), `routes` (where to) and the one door, and goes out as OpenAI's JSON or as a stream (`sse`).
//!
//! One filter takes everything: warp's path filters cannot see `//models` and `/models/` as one route, and its
//! rejections answer in plain text, which Jan cannot read.

mod generate;
mod images;
mod keys;
mod origin;
mod routes;
mod sse;

pub use keys::Keys;
pub use origin::OriginPolicy;

use crate::engine::{Call, Engine, Warning};
use crate::error::{Error, Kind, Result};
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use std::collections::HashSet;
use std::fmt::Display;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter;
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;

/// Room for several base64 images (`openai-clients.md` §0.12).
const BODY_LIMIT: usize = 64 << 20;
/// How long running answers get once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long what is cut off then has to say so.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long a client may pause in the middle of its body.
const BODY_PAUSE: Duration = Duration::from_mins(1);

/// What every request needs.
struct State {
    engine: Arc<Engine>,
    access: OriginPolicy,
    keys: Keys,
    body_limit: usize,
    announced: Mutex<HashSet<String>>,
    /// Fetches images; `None` unless the operator allows it.
    fetcher: Option<images::Fetcher>,
    /// Turns true when the time of running answers is over.
    closing: watch::Receiver<bool>,
}

impl State {
    /// Tells the operator once that a retired model is answered for by another.
    fn announce(&self, call: &Call) {
        if let Some(text) = call.successor_notice() {
            self.say_once(text.clone(), &text);
        }
        self.warn(&call.warnings());
    }

    /// Tells the operator once in each period that a budget is nearly used up.
    fn warn(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.say_once(warning.about.clone(), &warning.text);
        }
    }

    fn say_once(&self, about: String, text: &str) {
        if self.announced.lock().unwrap_or_else(PoisonError::into_inner).insert(about) {
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

/// Serves until the first of the `signals`, then gives running answers their time; the second one ends it at once.
///
/// # Errors
/// When the socket cannot be set up.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    access: OriginPolicy,
    keys: Keys,
    fetch_images: bool,
    mut signals: watch::Receiver<u32>,
) -> std::io::Result<()> {
    // Accepted sockets inherit it: each chunk leaves at once. warp gives no hold of them.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    let (close, closing) = watch::channel(false);
    let fetcher = if fetch_images { Some(images::Fetcher::new(images::Reach::Public)?) } else { None };
    let state =
        Arc::new(State { engine, access, keys, body_limit: BODY_LIMIT, announced: Mutex::default(), fetcher, closing });
    let filter =
        warp::method().and(warp::path::full()).and(warp::header::headers_cloned()).and(warp::body::stream()).then(
            move |method, path: FullPath, headers, body| {
                let state = Arc::clone(&state);
                let path = path.as_str().to_owned();
                async move { routes::answer(&state, Incoming { method, path, headers, body }).await }
            },
        );
    let mut first = signals.clone();
    let stop = async move {
        let _ = first.wait_for(|count| *count >= 1).await;
    };
    let running = warp::serve(filter).incoming(listener).graceful(stop).run();
    let mut second = signals.clone();
    let out_of_time = async move {
        // Graceful shutdown never ends while one stream is open (DESIGN §7): what runs is told, and then cut.
        let _ = signals.wait_for(|count| *count >= 1).await;
        tokio::time::sleep(GRACE).await;
        let _ = close.send(true);
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        () = running => {}
        () = out_of_time => {}
        _ = second.wait_for(|count| *count >= 2) => {}
    }
    Ok(())
}

/// Resolves when the time of running answers is over. One future for each answer.
async fn over(mut closing: watch::Receiver<bool>) {
    // A sender that is gone means that the server is.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Reads a body, up to a limit.
async fn read<S, B, E>(body: S, limit: usize) -> Result<Bytes>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Display,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    loop {
        let next = tokio::time::timeout(BODY_PAUSE, body.next()).await;
        let next = next.map_err(|_| Error::new(Kind::BodyTimeout, "the request body did not come"))?;
        let mut piece = match next {
            None => return Ok(bytes.into()),
            Some(piece) => piece
                .map_err(|error| Error::new(Kind::InvalidRequest, format!("the request body broke off: {error}")))?,
        };
        if bytes.len() + piece.remaining() > limit {
            return Err(too_large(limit));
        }
        while piece.has_remaining() {
            let chunk = piece.chunk();
            bytes.extend_from_slice(chunk);
            let length = chunk.len();
            piece.advance(length);
        }
    }
}

fn too_large(limit: usize) -> Error {
    Error::new(Kind::TooLarge, format!("the request body is larger than {} MiB", limit >> 20))
}
