//! One HTTP/1.1 connection, which carries one request at a time. It does nothing by itself: whoever waits for an answer
//! drives it, so that no other task has to be woken for each piece of the answer. Dropping it closes it, which ends an
//! answer at Bedrock.

use super::connector::{BoxError, Connector, Forwarding, Opened, Transfer};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HeaderMap, PROXY_AUTHORIZATION};
use hyper::http::uri;
use hyper::{Method, Request, Response, Uri};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// The most header fields of an answer. Bedrock sends about ten, and a proxy may add some.
const MAX_FIELDS: usize = 128;
/// The most bytes that are read from the socket at once.
const READ_BUFFER: usize = 64 * 1024;

type Driver = http1::Connection<Box<dyn Transfer>, Full<Bytes>>;

/// An open connection.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once the connection is closed.
    driver: Option<Box<Driver>>,
    forwarding: Option<Forwarding>,
    /// Whether it has carried a request before.
    was_used: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}

impl Connection {
    /// Opens a connection to a server. Sends no request.
    ///
    /// # Errors
    /// As [`Connector::open`].
    pub(super) async fn open(connector: &Connector, server: &Uri) -> Result<Self, BoxError> {
        let Opened { transfer, forwarding } = connector.open(server).await?;
        let mut builder = http1::Builder::new();
        builder.max_headers(MAX_FIELDS).max_buf_size(READ_BUFFER);
        let (sender, driver) = builder.handshake(transfer).await?;
        Ok(Self { sender, driver: Some(Box::new(driver)), forwarding, was_used: false })
    }

    /// Whether it has carried a request before, so that the other side may have closed it meanwhile.
    pub(super) fn was_used(&self) -> bool {
        self.was_used
    }

    /// Whether it can carry the next request. One that the other side has closed cannot.
    pub(super) fn is_ready(&mut self, context: &mut Context<'_>) -> bool {
        self.drive(context);
        self.driver.is_some() && self.sender.is_ready()
    }

    /// A request as this connection takes it.
    ///
    /// # Errors
    /// When the path is none.
    pub(super) fn request(
        &self,
        method: Method,
        server: &Uri,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> hyper::http::Result<Request<Full<Bytes>>> {
        let mut target = uri::Parts::default();
        target.path_and_query = Some(path.parse()?);
        if let Some(Forwarding { authorization }) = &self.forwarding {
            // A proxy needs the whole address (RFC 9112, section 3.2.2).
            target.scheme = server.scheme().cloned();
            target.authority = server.authority().cloned();
            headers.extend(authorization.clone().map(|authorization| (PROXY_AUTHORIZATION, authorization)));
        }
        let mut request = Request::builder().method(method).uri(Uri::from_parts(target)?).body(Full::new(body))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Sends a request, and returns with the head of its answer.
    ///
    /// # Errors
    /// Those of `hyper`.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let mut answer = pin!(self.sender.send_request(request));
        self.was_used = true;
        poll_fn(|context| {
            self.drive(context);
            answer.as_mut().poll(context)
        })
        .await
    }

    /// The next piece of an answer's body; `None` at its end.
    ///
    /// # Errors
    /// Those of `hyper`.
    pub(super) fn poll_data(
        &mut self,
        body: &mut Incoming,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Bytes>>> {
        loop {
            // Asking for a piece first is what makes the connection read one.
            let mut frame = Pin::new(&mut *body).poll_frame(context);
            if frame.is_pending() {
                self.drive(context);
                frame = Pin::new(&mut *body).poll_frame(context);
            }
            match ready!(frame).transpose()? {
                None => return Poll::Ready(None),
                // Anything but data is a trailer, which holds no part of the answer.
                Some(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }

    /// Reads and writes what can be read and written now.
    fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(&mut **driver).poll(context).is_ready()
        {
            // Whoever waits for an answer learns of the end when the driver is dropped, if it was not told before.
            self.driver = None;
        }
    }
}
