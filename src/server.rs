//! The HTTP server. The only module that names `warp`. A request comes in as bytes, goes through `origin` and `keys` (who
//! may), `routes` (where to) and the engine, and goes out as its dialect's JSON (`reply`) or as a stream (`sse`).
//!
//! One filter takes everything: warp's path filters cannot see `//models` and `/models/` as one route, and its
//! rejections answer in plain text, which Jan cannot read.

mod body;
mod generate;
mod images;
mod keys;
mod origin;
mod reply;
mod routes;
mod sse;
mod state;

pub use keys::Keys;
pub use origin::OriginPolicy;

use crate::engine::Engine;
use crate::telemetry::Telemetry;
use routes::Incoming;
use state::State;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter;
use warp::path::FullPath;

/// How long running answers get once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long what is cut off then has to say so.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until the first of the `signals`, then gives running answers their time; the second one ends it at once.
///
/// # Errors
/// When the socket cannot be set up.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    origin: OriginPolicy,
    keys: Keys,
    fetch_images: bool,
    telemetry: Telemetry,
    mut signals: watch::Receiver<u32>,
) -> std::io::Result<()> {
    // Accepted sockets inherit it, so that each chunk leaves at once. warp gives no access to them.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    let (close, closing) = watch::channel(false);
    let fetcher = if fetch_images { Some(images::Fetcher::new(images::Reach::Public)?) } else { None };
    let state = Arc::new(State { engine, origin, keys, telemetry, fetcher, closing, announced: Mutex::default() });
    let filter =
        warp::method().and(warp::path::full()).and(warp::header::headers_cloned()).and(warp::body::stream()).then(
            move |method, path: FullPath, headers, body| {
                let state = Arc::clone(&state);
                let path = path.as_str().to_owned();
                async move { routes::handle(&state, Incoming { method, path, headers, body }).await }
            },
        );
    let mut first = signals.clone();
    let stop = async move {
        let _ = first.wait_for(|count| *count >= 1).await;
    };
    let running = warp::serve(filter).incoming(listener).graceful(stop).run();
    let mut second = signals.clone();
    let out_of_time = async move {
        // Graceful shutdown never ends while one stream is open: what still runs is told, and then cut off.
        let _ = signals.wait_for(|count| *count >= 1).await;
        tokio::time::sleep(GRACE).await;
        let _ = close.send(true);
        tokio::time::sleep(FLUSH_TIMEOUT).await;
    };
    tokio::select! {
        () = running => {}
        () = out_of_time => {}
        _ = second.wait_for(|count| *count >= 2) => {}
    }
    Ok(())
}
