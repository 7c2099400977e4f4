//! Requests that cost nothing: to the endpoint as such, to Bedrock's control plane, and to STS. They find out whether a
//! call could be made, and which ones. Each has a connection of its own, because there are only a few in a process.

use super::attempt::http_date;
use super::connection::Connection;
use super::connector::Connector;
use super::credentials::CheckedCredentials;
use super::destination::{Destination, Rules};
use crate::bedrock::aws_context::AwsContext;
use crate::bedrock::refusal::{self, Place, Refusal};
use crate::bedrock::send_error::{answer_cut_off, cannot_connect, no_answer, not_connected_in_time, too_large};
use crate::error::{Error, Kind, Result};
use aws_config::SdkConfig;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use bytes::{Bytes, BytesMut};
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use std::fmt;
use std::future::poll_fn;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// The most bytes of an answer. The list of all models of a region has about 100,000.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Whom the errors of requests to the control plane are about.
const NO_MODEL: &str = "";

/// What is asked besides Bedrock Runtime.
pub(super) struct FreeServices {
    /// What chooses the server of the control plane; `None` where none may be asked.
    pub(super) control_plane: Result<Option<Rules>>,
    /// The settings for STS; `None` where it may not be asked.
    pub(super) sts: Option<SdkConfig>,
}

impl fmt::Debug for FreeServices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FreeServices")
    }
}

/// An endpoint that has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// How long the answer took, with the connection.
    pub took: Duration,
    /// By how much the endpoint's clock is ahead of this machine's (seconds); `None` where its answer has no date.
    pub clock_ahead: Option<i64>,
}

/// Whom AWS takes this process for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The number of the account.
    pub account: String,
    /// The ARN of the user or the role.
    pub arn: String,
}

/// The answer to a request that costs nothing.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the server's clock showed.
    pub(super) fn date(&self) -> Option<SystemTime> {
        self.header("date").and_then(http_date)
    }

    /// Whether it is a proxy's own, which does not reach the server.
    pub(super) fn is_of_proxy(&self) -> bool {
        matches!(self.status.as_u16(), 407 | 502 | 503 | 504) && self.header("x-amzn-requestid").is_none()
    }

    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body of an answer that AWS has given.
    ///
    /// # Errors
    /// Any upstream kind, for a refusal.
    pub(super) fn accepted(&self, context: &AwsContext) -> Result<Bytes> {
        if self.status.is_success() {
            return Ok(self.body.clone());
        }
        Err(refusal::http_refusal(self.status(), |name| self.header(name), &self.body, NO_MODEL, context))
    }
}

/// Sends a `GET` within a time limit, and reads the whole answer.
///
/// # Errors
/// `Unreachable` and `Truncated`.
pub(super) async fn get(
    connector: &Connector,
    destination: &Destination,
    target: &str,
    mut headers: HeaderMap,
    limit: Duration,
) -> Result<Answer> {
    let context: &AwsContext = &destination.context;
    headers.insert(HOST, destination.host.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let exchange = async {
        let connection = Connection::open(connector, &destination.server).await;
        let mut connection = connection.map_err(|error| cannot_connect(&*error, context))?;
        let request = connection.request(Method::GET, &destination.server, target, headers, Bytes::new());
        let request = request.map_err(|error| cannot_connect(&error, context))?;
        let (head, mut body) = connection.send(request).await.map_err(|error| no_answer(&error))?.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(piece) = poll_fn(|context| connection.poll_data(&mut body, context)).await {
            bytes.extend_from_slice(&piece.map_err(|error| answer_cut_off(&error))?);
            if bytes.len() > MAX_BYTES {
                return Err(too_large());
            }
        }
        Ok(Answer { status: head.status, headers: head.headers, body: bytes.freeze() })
    };
    timeout(limit, exchange).await.unwrap_or_else(|_| Err(not_connected_in_time(limit, context)))
}

/// Asks STS whose credentials these are. Every identity may ask that, and credentials that have expired are refused.
///
/// # Errors
/// `NoCredentials`, `ExpiredCredentials` and `ClockSkew`; `Unreachable` when STS does not answer in time.
pub(super) async fn caller_identity(
    shared: &SdkConfig,
    credentials: &CheckedCredentials,
    context: &AwsContext,
    limit: Duration,
) -> Result<CallerIdentity> {
    let config = aws_sdk_sts::config::Builder::from(shared).credentials_provider(credentials.clone()).build();
    let client = aws_sdk_sts::Client::from_conf(config);
    let silent = || Error::new(Kind::Unreachable, "STS, which knows the account, does not answer");
    let answer = timeout(limit, client.get_caller_identity().send()).await.map_err(|_| silent())?;
    match answer {
        Ok(answer) => {
            Ok(CallerIdentity { account: answer.account.unwrap_or_default(), arn: answer.arn.unwrap_or_default() })
        }
        Err(SdkError::ServiceError(refused)) => {
            let (code, message) = (refused.err().code(), refused.err().message());
            let (code, message) = (code.unwrap_or_default(), message.unwrap_or_default());
            let refusal = Refusal { code, message, place: Place::Http(refused.raw().status().as_u16()) };
            Err(refusal::classified(refusal, NO_MODEL, context))
        }
        Err(_) => Err(silent()),
    }
}

/// By how much one time is ahead of another (seconds).
pub(super) fn ahead(one: SystemTime, other: SystemTime) -> i64 {
    let seconds = |by: Duration| i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    match one.duration_since(other) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}
