//! The HTTP server. No other module names `warp`. `listener` accepts connections, each with the clock of `connection`
//! and `activity`. `routes` receives each request. `origin` and `keys` decide whether it is allowed, and `body` reads its
//! body. `generate` passes paid requests to the engine, with the images that `images` has fetched. The response is JSON
//! in the words of a dialect (`reply`) or a stream (`sse`).
//!
//! A single warp filter takes all requests: warp's path filters cannot treat `//models` and `/models/` as one route,
//! and its rejections are plain text, which Jan cannot read. warp's own server sets no limits, so its service is put
//! behind connections of ours.

mod activity;
mod arrival;
mod authority;
mod body;
mod body_memory;
mod connection;
mod connections;
mod console;
mod encoding;
mod generate;
mod images;
mod keys;
mod limits;
mod listener;
mod load;
mod origin;
mod panics;
mod places;
mod reply;
mod retries;
mod routes;
mod socket;
mod sse;
mod state;
mod stop;

pub use keys::Keys;
pub use limits::{Limits, Timeouts};
pub use load::Load;
pub use origin::OriginPolicy;
pub use stop::Stop;
pub(crate) use stop::{FLUSH_TIMEOUT, GRACE};

use crate::engine::{Engine, HeavyWork};
use crate::telemetry::Telemetry;
use arrival::Arrival;
use console::Console;
use listener::Listener;
use routes::Incoming;
use state::State;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter;
use warp::path::FullPath;

/// What a server is made of.
pub struct Parts {
    pub engine: Arc<Engine>,
    pub origin: OriginPolicy,
    pub keys: Keys,
    pub limits: Limits,
    /// Whether clients may name images by URL.
    pub fetch_images: bool,
    pub telemetry: Telemetry,
}

/// Serves until `stop` says that the server has ended, or until it drains and every running answer has come to its end.
///
/// # Errors
/// When the socket cannot be set up, or the certificates for fetching images cannot be read.
pub async fn serve(listener: TcpListener, parts: Parts, stop: watch::Receiver<Stop>) -> std::io::Result<()> {
    let Parts { engine, origin, keys, limits, fetch_images, telemetry } = parts;
    panics::report_places_only(telemetry.clone());
    let fetcher = if fetch_images { Some(Arc::new(images::Fetcher::new(images::Reach::Public)?)) } else { None };
    let load = Load::new(&limits);
    let console = Console::new(telemetry.clone());
    let state = Arc::new(State {
        engine,
        origin,
        keys,
        telemetry,
        fetcher,
        stop: stop.clone(),
        timeouts: limits.timeouts,
        load: load.clone(),
        heavy_work: HeavyWork::default(),
        console: console.clone(),
    });
    let filter = warp::method()
        .and(warp::ext::get::<Arrival>())
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method, arrival, path: FullPath, headers, body| {
            let state = Arc::clone(&state);
            let path = path.as_str().to_owned();
            async move { Box::pin(routes::handle(&state, Incoming { arrival, method, path, headers, body })).await }
        });
    let listener_of_ours = Listener {
        service: warp::service(filter),
        connections: load.connections(),
        timeouts: limits.timeouts,
        console,
        stop: stop.clone(),
    };
    tokio::select! {
        served = listener_of_ours.run(listener) => served,
        () = stop::reached(stop, Stop::Ended) => Ok(()),
    }
}
