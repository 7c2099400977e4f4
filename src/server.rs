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
mod monitoring;
mod origin;
mod panics;
mod places;
mod readiness;
mod reply;
mod retries;
mod route;
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

use crate::engine::Engine;
use crate::telemetry::Telemetry;
use arrival::Arrival;
use bytes::Buf;
use connections::Connections;
use console::Console;
use futures_util::Stream;
use listener::Listener;
use routes::Incoming;
use state::State;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::path::FullPath;
use warp::{Filter, Rejection};

/// The most connections at once to the address for metrics.
const MAX_WATCHERS: usize = 64;

/// What is served, and to whom. A reload of the config file replaces it; a request keeps the one it began with.
pub struct Service {
    pub engine: Arc<Engine>,
    pub origin: OriginPolicy,
    pub keys: Keys,
    /// Whether clients may name images by URL.
    pub fetch_images: bool,
}

/// A server. It may listen on several addresses.
pub struct Server {
    current: RwLock<Arc<State>>,
    limits: Limits,
    stop: watch::Receiver<Stop>,
}

impl Server {
    /// # Errors
    /// When the certificates for fetching images cannot be read.
    pub fn new(
        service: Service,
        limits: Limits,
        telemetry: Telemetry,
        stop: watch::Receiver<Stop>,
    ) -> std::io::Result<Arc<Self>> {
        panics::report_places_only(telemetry.clone());
        let Service { engine, origin, keys, fetch_images } = service;
        let state = State {
            engine,
            origin,
            keys,
            fetcher: fetcher(fetch_images)?,
            stop: stop.clone(),
            timeouts: limits.timeouts,
            load: Load::new(&limits),
            console: Console::new(telemetry.clone()),
            readiness: Arc::default(),
            telemetry,
        };
        Ok(Arc::new(Self { current: RwLock::new(Arc::new(state)), limits, stop }))
    }

    /// Serves something else from the next request on.
    ///
    /// # Errors
    /// When the certificates for fetching images cannot be read; nothing has changed then.
    pub fn replace(&self, service: Service) -> std::io::Result<()> {
        let Service { engine, origin, keys, fetch_images } = service;
        let fetcher = fetcher(fetch_images)?;
        let state = self.state().with(engine, origin, keys, fetcher);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers clients until the server has ended, or until it drains and every running answer has come to its end.
    ///
    /// # Errors
    /// When the socket cannot be set up.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> std::io::Result<()> {
        let state = self.state();
        let current = Arc::clone(&self);
        let filter = incoming().then(move |request| {
            let state = current.state();
            async move { Box::pin(routes::handle(&state, request)).await }
        });
        let listener_of_ours = Listener {
            service: warp::service(filter),
            connections: state.load.connections(),
            timeouts: self.limits.timeouts,
            console: state.console.clone(),
            stop: self.stop.clone(),
        };
        tokio::select! {
            served = listener_of_ours.run(listener) => served,
            () = stop::reached(self.stop.clone(), Stop::Ended) => Ok(()),
        }
    }

    /// Answers those who watch the server, also while it drains, and asks them for no key.
    ///
    /// # Errors
    /// When the socket cannot be set up.
    pub async fn serve_metrics(self: Arc<Self>, listener: TcpListener) -> std::io::Result<()> {
        let bound = listener.local_addr()?.ip();
        let state = self.state();
        let current = Arc::clone(&self);
        let filter = incoming().then(move |request| {
            let state = current.state();
            async move { Box::pin(routes::handle_watcher(&state, bound, request)).await }
        });
        // It ends with the process: a server that drains is still watched.
        let (_running, stop) = watch::channel(Stop::Running);
        let listener_of_ours = Listener {
            service: warp::service(filter),
            connections: Connections::new(MAX_WATCHERS),
            timeouts: self.limits.timeouts,
            console: state.console.clone(),
            stop,
        };
        listener_of_ours.run(listener).await
    }
}

/// Every request, whatever its path and method.
fn incoming()
-> impl Filter<Extract = (Incoming<impl Stream<Item = Result<impl Buf, warp::Error>>>,), Error = Rejection> + Clone {
    warp::method()
        .and(warp::ext::get::<Arrival>())
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .map(|method, arrival, path: FullPath, headers, body| {
            let path = path.as_str().to_owned();
            Incoming { arrival, method, path, headers, body }
        })
}

fn fetcher(fetch_images: bool) -> std::io::Result<Option<Arc<images::Fetcher>>> {
    fetch_images.then(|| Ok(Arc::new(images::Fetcher::new(images::Reach::Public)?))).transpose()
}
