//! One connection: HTTP/1 or HTTP/2, the service behind it, and its clock.

use super::activity::{Activity, Answering, Overdue};
use super::arrival::Arrival;
use super::socket::Socket;
use super::stop::{Stop, reached};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

/// The largest head of a request (bytes).
pub(super) const HEAD_LIMIT: usize = 64 * 1024;
/// What hyper reads of a head. It answers a larger one itself, with status 431 and no reason, so it is given some room.
const HEAD_READ: usize = HEAD_LIMIT + HEAD_LIMIT / 2;
/// The most header fields of a head. Those of a browser with all its cookies are a few dozen.
pub(super) const MAX_FIELDS: usize = 100;
/// The most requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 64;

/// How connections are served.
pub(super) fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Heads have a clock of our own: hyper's would also run between two requests.
    builder.http1().header_read_timeout(None).max_buf_size(4 * HEAD_LIMIT).max_headers(2 * MAX_FIELDS);
    let head = u32::try_from(HEAD_READ).unwrap_or(u32::MAX);
    builder.http2().max_concurrent_streams(MAX_STREAMS).max_header_list_size(head);
    builder
}

/// How long a connection that is to leave, and answers nothing, may take for that.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves a connection until it ends, its time is up, or its place is needed.
pub(super) async fn serve<S, B>(
    builder: &Builder<TokioExecutor>,
    socket: Socket,
    front: Front<S>,
    stop: watch::Receiver<Stop>,
) where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
{
    let activity = Arc::clone(&front.activity);
    let mut connection = pin!(builder.serve_connection(socket, front));
    let mut clock = pin!(sleep_until(Instant::now()));
    // A client that sends without a pause uses up what tokio grants a task at a time. The limits hold for it all the same.
    let mut leave = pin!(unconstrained(async {
        tokio::select! {
            () = activity.given_up() => {}
            () = reached(stop, Stop::Draining) => {}
        }
    }));
    let mut leaving: Option<Instant> = None;
    std::future::poll_fn(|context| {
        loop {
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            if leaving.is_none() && leave.as_mut().poll(context).is_ready() {
                leaving = Some(Instant::now());
                // A connection that waits for a request ends now; a running answer comes to its end.
                connection.as_mut().graceful_shutdown();
                continue;
            }
            if leaving.is_some() && activity.is_arriving() {
                return Poll::Ready(());
            }
            let farewell = leaving.filter(|_| activity.is_unused()).map(|since| (since + FAREWELL, Overdue::Request));
            let deadlines = activity.deadline().into_iter().chain(farewell);
            let Some((deadline, overdue)) = deadlines.min_by_key(|(deadline, _)| *deadline) else {
                return Poll::Pending;
            };
            if clock.deadline() != deadline {
                clock.as_mut().reset(deadline);
            }
            if clock.as_mut().poll(context).is_pending() && Instant::now() < deadline {
                return Poll::Pending;
            }
            activity.expire(overdue);
            if overdue == Overdue::Head {
                // The socket tells the client.
                let _ = connection.as_mut().poll(context);
            }
            return Poll::Ready(());
        }
    })
    .await;
}

/// What stands between hyper and warp's service. It notes when a request begins and when its answer ends.
pub(super) struct Front<S> {
    pub(super) service: S,
    pub(super) activity: Arc<Activity>,
    pub(super) peer: SocketAddr,
}

impl<S, B> Service<Request<Incoming>> for Front<S>
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
{
    type Response = Response<AnswerBody<B>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answering = self.activity.begin(request.version());
        // A warp service is always ready.
        let response = self.service.clone().call(Arrival::note(request, self.peer));
        Box::pin(async move { Ok(response.await?.map(|body| AnswerBody { body, answering })) })
    }
}

/// The body of an answer. The request counts until it is dropped.
pub(super) struct AnswerBody<B> {
    body: B,
    answering: Answering,
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.answering.handed_over(false);
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.answering.handed_over(matches!(frame, Poll::Ready(Some(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
