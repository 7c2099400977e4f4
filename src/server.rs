//! The HTTP server. No other module names `warp`. `routes` receives each request. `origin` and `keys` decide whether it
//! is allowed, and `body` reads its body. `generate` passes paid requests to the engine, with the images that `images`
//! has fetched. The response is JSON in the words of a dialect (`reply`) or a stream (`sse`).
//!
//! A single warp filter takes all requests: warp's path filters cannot treat `//models` and `/models/` as one route,
//! and its rejections are plain text, which Jan cannot read.

mod body;
mod console;
mod generate;
mod images;
mod keys;
mod origin;
mod reply;
mod retries;
mod routes;
mod sse;
mod state;

pub use keys::Keys;
pub use origin::OriginPolicy;

use crate::engine::Engine;
use crate::telemetry::Telemetry;
use console::Console;
use routes::Incoming;
use state::State;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter;
use warp::path::FullPath;

/// How long running answers may take once the server has been asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long an answer that is cut off then has to send its error.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until the first of the `signals`, and then lets running answers finish for a while. The second signal ends
/// the server at once.
///
/// # Errors
/// When the socket cannot be set up, or the certificates for fetching images cannot be read.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    origin: OriginPolicy,
    keys: Keys,
    fetch_images: bool,
    telemetry: Telemetry,
    mut signals: watch::Receiver<u32>,
) -> std::io::Result<()> {
    // Without TCP_NODELAY the chunks of a stream may be held back. warp gives no access to the sockets it accepts, but
    // they inherit the option from the listener.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    let (close, closing) = watch::channel(false);
    let fetcher = if fetch_images { Some(images::Fetcher::new(images::Reach::Public)?) } else { None };
    let state = Arc::new(State { engine, origin, keys, telemetry, fetcher, closing, console: Console::default() });
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
        // warp's graceful shutdown never ends while a stream is open, so the open ones get an error and are cut off.
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
