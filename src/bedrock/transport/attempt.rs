//! One sending of a request, from the connection it takes to the head of its answer.

use super::connection::Connection;
use super::connections::{AnswerBody, Connections};
use super::connector::Connector;
use super::destination::Destination;
use crate::bedrock::causes::find_cause;
use crate::bedrock::refusal::{self, proxy_answer};
use crate::bedrock::send_error::{
    Stage, answer_cut_off, answer_overdue, cannot_connect, no_answer, not_connected_in_time, too_large,
};
use crate::bedrock::sending::Outgoing;
use crate::error::{Error, Result};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::{Bytes, BytesMut};
use hyper::Method;
use hyper::header::HeaderMap;
use hyper::http::response;
use serde::de::IgnoredAny;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout, timeout_at};

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of a refusal.
const MAX_REFUSAL_BYTES: usize = 1024 * 1024;
/// A connection that was closed while it was unused is noticed within one way through the network once it is written to.
/// No model answers within this time, so nothing can have been generated (docs/bedrock.md §4.7).
const CLOSED_BEFORE: Duration = Duration::from_millis(100);

/// One sending of a request.
pub(super) struct Attempt<'a> {
    path: &'a str,
    outgoing: &'a Outgoing<'a>,
    destination: &'a Destination,
    stage: Stage,
    /// When a connection began to take the request.
    writing_since: Option<Instant>,
    met_closed_connection: bool,
    time_of_aws: Option<SystemTime>,
}

/// A request that Bedrock has accepted.
pub(super) struct Accepted {
    head: response::Parts,
    pub(super) body: AnswerBody,
    /// When the wait for the answer is over.
    deadline: Instant,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(path: &'a str, outgoing: &'a Outgoing<'a>, destination: &'a Destination) -> Self {
        let stage = Stage::Preparing;
        Self {
            path,
            outgoing,
            destination,
            stage,
            writing_since: None,
            met_closed_connection: false,
            time_of_aws: None,
        }
    }

    /// How far the request came.
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether the connection had been closed before the request was written to it, so that nobody received the request.
    pub(super) fn met_closed_connection(&self) -> bool {
        self.met_closed_connection
    }

    /// What AWS's clock showed when it refused the request.
    pub(super) fn time_of_aws(&self) -> Option<SystemTime> {
        self.time_of_aws
    }

    /// Notes that the request has failed without anything generated, so that it is not billed. Called once.
    pub(super) fn was_free(&self) {
        if self.writing_since.is_some() {
            self.outgoing.sending.sent.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Sends the request, and returns once Bedrock has accepted it.
    ///
    /// # Errors
    /// Any upstream kind.
    pub(super) async fn send(
        &mut self,
        headers: HeaderMap,
        connector: &Connector,
        connections: &Connections,
    ) -> Result<Accepted> {
        let wait = self.outgoing.wait;
        let deadline = Instant::now() + wait.limit();
        self.stage = Stage::Connecting;
        let answered = timeout_at(deadline, self.exchange(headers, connector, connections, deadline)).await;
        answered.unwrap_or_else(|_| {
            Err(match self.stage {
                Stage::Preparing | Stage::Connecting => not_connected_in_time(wait.limit(), &self.destination.context),
                Stage::Writing => answer_overdue(wait),
            })
        })
    }

    async fn exchange(
        &mut self,
        headers: HeaderMap,
        connector: &Connector,
        connections: &Connections,
        deadline: Instant,
    ) -> Result<Accepted> {
        let Destination { context, server, .. } = self.destination;
        let mut connection = match connections.take(server) {
            Some(connection) => connection,
            None => match timeout(CONNECT_TIMEOUT, Connection::open(connector, server)).await {
                Ok(connected) => connected.map_err(|error| cannot_connect(&*error, context))?,
                Err(_) => return Err(not_connected_in_time(CONNECT_TIMEOUT, context)),
            },
        };
        let was_used = connection.was_used();
        let request = connection.request(Method::POST, server, self.path, headers, self.outgoing.body.clone());
        let request = request.map_err(|error| cannot_connect(&error, context))?;
        self.begins_to_write();
        let answer = match connection.send(request).await {
            Ok(answer) => answer,
            Err(error) => {
                self.met_closed_connection = was_used && self.wrote_just_now() && is_closed_connection(&error);
                return Err(no_answer(&error));
            }
        };
        let (head, body) = answer.into_parts();
        let body = AnswerBody::new(body, connection, server.clone(), connections);
        let accepted = Accepted { head, body, deadline };
        if accepted.head.status.is_success() { Ok(accepted) } else { Err(self.refused(accepted).await) }
    }

    /// From here on Bedrock may have received the request.
    fn begins_to_write(&mut self) {
        self.stage = Stage::Writing;
        self.writing_since = Some(Instant::now());
        self.outgoing.sending.sent.fetch_add(1, Ordering::SeqCst);
    }

    fn wrote_just_now(&self) -> bool {
        self.writing_since.is_some_and(|since| since.elapsed() < CLOSED_BEFORE)
    }

    /// Reads why a request was refused.
    async fn refused(&mut self, mut refusal: Accepted) -> Error {
        // A refusal that is too long, or that breaks off, has a status and a code all the same.
        let body = refusal.collect(MAX_REFUSAL_BYTES).await.unwrap_or_default();
        self.time_of_aws = refusal.header("date").and_then(http_date);
        let (model, context) = (self.outgoing.model, &self.destination.context);
        let error =
            refusal::http_refusal(refusal.head.status.as_u16(), |name| refusal.header(name), &body, model, context);
        error.with_bedrock_request_id(refusal.bedrock_request_id())
    }
}

/// The time in a header.
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    SystemTime::try_from(DateTime::from_str(text, Format::HttpDate).ok()?).ok()
}

/// Whether a connection was closed in place of an answer.
fn is_closed_connection(error: &hyper::Error) -> bool {
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || find_cause::<io::Error>(error).is_some()
}

impl Accepted {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Bedrock's id for the call.
    pub(super) fn bedrock_request_id(&self) -> Option<String> {
        self.header("x-amzn-requestid").map(ToOwned::to_owned)
    }

    /// Reads the body of a complete answer, which is JSON.
    ///
    /// # Errors
    /// `Truncated`; `AnswerTimeout`; `InvalidUpstreamResponse` when it is too large; `ProxyAnswer` when it is no JSON.
    pub(super) async fn read(&mut self, outgoing: &Outgoing<'_>) -> Result<Bytes> {
        let Outgoing { wait, max_bytes, .. } = *outgoing;
        let body = timeout_at(self.deadline, self.collect(max_bytes)).await;
        let body = body.unwrap_or_else(|_| Err(answer_overdue(wait)))?;
        // Bedrock's answers are objects. Whatever else begins like one is looked at more closely when it is decoded.
        if !body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&body).is_err() {
            return Err(proxy_answer(self.head.status.as_u16()));
        }
        Ok(body)
    }

    /// Reads the whole body, of at most so many bytes.
    async fn collect(&mut self, max_bytes: usize) -> Result<Bytes> {
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(piece) = self.body.next().await {
            let piece = piece.map_err(|error| answer_cut_off(&error))?;
            if first.len() + all.len() + piece.len() > max_bytes {
                return Err(too_large());
            }
            // Most answers come in one piece, which is not copied.
            if first.is_empty() && all.is_empty() {
                first = piece;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&piece);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }
}
