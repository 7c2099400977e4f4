//! Sends request bodies to Bedrock and returns the bytes of its answers: signing, sending, and the frames of a stream.
//! Nothing above this module depends on how a request gets to AWS.

mod account;
mod attempt;
mod authorization;
mod base_url;
mod connection;
mod connections;
mod connector;
mod credential_client;
mod credentials;
mod destination;
mod endpoint;
mod endpoint_url;
mod environment;
mod frames;
mod free_services;
mod operation;
mod profiles;
mod region;
mod signature;

pub use account::{Account, Place};
pub(super) use destination::Destination;
pub use endpoint::Endpoint;
pub(super) use frames::{FrameKind, FrameStream};
pub use free_services::{CallerIdentity, Reached};
pub(super) use operation::{Operation, SEGMENT};
pub use region::Region;

use super::bounds::{AnswerWait, TimeLimits};
use super::refusal::proxy_answer;
use super::send_error::Stage;
use super::sending::{Outgoing, Sending};
use super::trace_context::TraceContext;
use crate::error::{Error, Kind, Result};
use crate::telemetry::Telemetry;
use attempt::{Accepted, Attempt};
use authorization::Authorization;
use bytes::Bytes;
use connections::Connections;
use connector::Connector;
use destination::Destinations;
use endpoint::Setup;
use free_services::FreeServices;
use hyper::HeaderMap;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use serde::Deserialize;
use signature::Signable;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The most bytes of the answer that counts tokens.
const MAX_COUNT_BYTES: usize = 64 * 1024;
/// How long counting may take. Whoever waits for it gives up earlier.
const COUNT_WAIT: AnswerWait = AnswerWait::Complete(Duration::from_secs(10));

/// How often a call is sent again with other credentials. Keys may be renewed while it is on its way, and a file may be
/// read while it is being written.
const MAX_RENEWALS: u32 = 3;

/// A complete answer.
pub(super) struct Reply {
    pub(super) body: Bytes,
    /// Bedrock's id for the call.
    pub(super) bedrock_request_id: Option<String>,
    /// The number of input tokens that the header of an `InvokeModel` answer gives.
    pub(super) input_tokens: Option<u64>,
}

/// The way to Bedrock. It is made once and shared by all calls.
#[derive(Debug)]
pub(super) struct Transport {
    account: Account,
    authorization: Authorization,
    destinations: Destinations,
    connector: Arc<Connector>,
    connections: Connections,
    user_agent: HeaderValue,
    free_services: FreeServices,
    telemetry: Telemetry,
}

impl Transport {
    /// Sets up the way to Bedrock. Sends nothing.
    ///
    /// # Errors
    /// `Config` and `NoCredentials`, for settings that cannot be used.
    pub(super) async fn new(endpoint: Endpoint, limits: TimeLimits, telemetry: Telemetry) -> Result<Self> {
        let Setup { account, authorization, destinations, connector, user_agent, free_services } =
            endpoint::set_up(endpoint, limits, &telemetry).await?;
        let connections = Connections::new(limits.connection_idle);
        Ok(Self { account, authorization, destinations, connector, connections, user_agent, free_services, telemetry })
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// Where the calls to a model go: an ARN is called in the region that it names.
    ///
    /// # Errors
    /// `InvalidRequest` when the ARN does not name a region.
    pub(super) async fn destination(&self, model: &str) -> Result<Arc<Destination>> {
        self.destinations.of_model(model).await
    }

    /// Makes one call whose answer is an event stream. Returns once Bedrock has accepted it, with Bedrock's id for the call.
    ///
    /// # Errors
    /// Any upstream kind.
    pub(super) async fn stream(
        &self,
        operation: Operation,
        outgoing: &Outgoing<'_>,
    ) -> Result<(FrameStream, Option<String>)> {
        let accepted = self.send(operation, outgoing).await?;
        // A proxy's page says that it is something else.
        if accepted.header("content-type").is_some_and(|kind| !kind.contains("eventstream")) {
            return Err(proxy_answer(200));
        }
        let bedrock_request_id = accepted.bedrock_request_id();
        Ok((FrameStream::new(accepted.body, outgoing.max_bytes), bedrock_request_id))
    }

    /// Makes one `CountTokens` call. `None` when it fails: without a count, a request is bounded by its length instead.
    pub(super) async fn count_tokens(&self, model: &str, body: Bytes) -> Option<u64> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Count {
            input_tokens: u64,
        }
        let sending = Sending { attempts: 1, sent: Arc::default(), request: None, trace: None };
        let outgoing = Outgoing { model, body, max_bytes: MAX_COUNT_BYTES, wait: COUNT_WAIT, sending: &sending };
        let reply = self.complete(Operation::CountTokens, &outgoing).await.ok()?;
        serde_json::from_slice(&reply.body).map(|Count { input_tokens }| input_tokens).ok()
    }

    /// Makes one call whose answer comes in one piece.
    ///
    /// # Errors
    /// Any upstream kind.
    pub(super) async fn complete(&self, operation: Operation, outgoing: &Outgoing<'_>) -> Result<Reply> {
        let mut accepted = self.send(operation, outgoing).await?;
        let bedrock_request_id = accepted.bedrock_request_id();
        let input_tokens = accepted.header("x-amzn-bedrock-input-token-count").and_then(|count| count.parse().ok());
        let body = accepted.read(outgoing).await;
        let body = body.map_err(|error| error.with_bedrock_request_id(bedrock_request_id.clone()))?;
        Ok(Reply { body, bedrock_request_id, input_tokens })
    }

    /// Finds out whether Bedrock's endpoint answers at all, with a request that has no credentials and names no operation.
    ///
    /// # Errors
    /// `Unreachable`; `ProxyAnswer` and the like, where a proxy answers that it does not reach the endpoint.
    pub(super) async fn reach(&self, limit: Duration) -> Result<Reached> {
        let home = self.destinations.home();
        let (started, began) = (Instant::now(), SystemTime::now());
        let answer = free_services::get(&self.connector, home, "/", self.unsigned_headers(), limit).await?;
        let took = started.elapsed();
        if answer.is_of_proxy() {
            return Err(proxy_answer(answer.status()));
        }
        Ok(Reached { took, clock_ahead: answer.date().map(|date| free_services::ahead(date, began + took / 2)) })
    }

    /// Asks the control plane, for which the same credentials are used. `query` is encoded, and sorted by name. `None`
    /// where Bedrock's address is set by hand and that of the control plane is not.
    ///
    /// # Errors
    /// Any upstream kind.
    pub(super) async fn ask_control_plane(&self, path: &str, query: &str, limit: Duration) -> Result<Option<Bytes>> {
        let Some(rules) = self.free_services.control_plane.clone()? else { return Ok(None) };
        let home = self.destinations.home();
        let destination = rules.control_plane(&home.region, home.context.clone()).await?;
        let identity = self.account.identity().await?;
        let path = format!("{}{path}", destination.base_path);
        let target = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
        let signable = Signable { method: "GET", path: &path, query, body: b"", region: &destination.region };
        let mut had_wrong_time = false;
        loop {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, destination.host.clone());
            self.authorization.authorize(&mut headers, identity.as_ref(), signable)?;
            headers.extend(self.unsigned_headers());
            let answer = free_services::get(&self.connector, &destination, &target, headers, limit).await;
            let answer = answer.map_err(|error| match error.kind {
                Kind::Unreachable => error.advise("check the network, the region and AWS_ENDPOINT_URL_BEDROCK"),
                _ => error,
            })?;
            match (answer.accepted(&destination.context), answer.date()) {
                (Err(error), Some(time)) if error.kind == Kind::ClockSkew && !had_wrong_time => {
                    had_wrong_time = true;
                    self.authorization.set_time(time);
                }
                (accepted, _) => return accepted.map(Some),
            }
        }
    }

    /// Asks STS whose credentials these are. `None` for a Bedrock API key, which STS does not know, and where a stand-in is
    /// called in place of Bedrock.
    ///
    /// # Errors
    /// `NoCredentials`, `ExpiredCredentials` and `ClockSkew`; `Unreachable` when STS does not answer in time.
    pub(super) async fn caller_identity(&self, limit: Duration) -> Result<Option<CallerIdentity>> {
        let (Some(shared), Some(credentials)) = (&self.free_services.sts, &self.account.credentials) else {
            return Ok(None);
        };
        // What is wrong with the credentials themselves is said in its own words.
        self.account.identity().await?;
        free_services::caller_identity(shared, credentials, &self.account.context, limit).await.map(Some)
    }

    /// Headers that whatever stands between may change.
    fn unsigned_headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(USER_AGENT, self.user_agent.clone())])
    }

    /// Sends a request, and returns with the head of its answer once Bedrock has accepted it. It is sent once more when it
    /// met a connection that the other side had already closed, or when its signature was made at another time than
    /// AWS's (docs/bedrock.md §4.7, §4.11), and again when AWS refuses its credentials and there are others
    /// (docs/credentials.md §5). None of these can have generated anything.
    async fn send(&self, operation: Operation, outgoing: &Outgoing<'_>) -> Result<Accepted> {
        let destination = self.destination(outgoing.model).await?;
        let path = operation.path(&destination, outgoing.model);
        // Loaded here, so that a slow helper does not use up the time of the answer.
        let mut identity = self.account.identity().await?;
        let mut renewals = 0;
        let mut met_closed_connection = false;
        let mut had_wrong_time = false;
        loop {
            let mut attempt = Attempt::new(&path, outgoing, &destination);
            let mut headers = operation.headers(outgoing.sending);
            let signable =
                Signable { method: "POST", path: &path, query: "", body: &outgoing.body, region: &destination.region };
            headers.insert(HOST, destination.host.clone());
            self.authorization.authorize(&mut headers, identity.as_ref(), signable)?;
            headers.insert(USER_AGENT, self.user_agent.clone());
            add_trace(&mut headers, outgoing.sending.trace.as_ref());
            let sent = attempt.send(headers, &self.connector, &self.connections).await;
            let error = match sent {
                Err(error) => error,
                accepted => return accepted,
            };
            let was_closed = attempt.met_closed_connection() && !met_closed_connection;
            if was_closed || !error.may_be_billed() {
                attempt.was_free();
            }
            if was_closed {
                met_closed_connection = true;
            } else if error.kind == Kind::ClockSkew
                && !had_wrong_time
                && let Some(time) = attempt.time_of_aws()
            {
                had_wrong_time = true;
                self.authorization.set_time(time);
            } else if is_refused_identity(&error, attempt.stage())
                && renewals < MAX_RENEWALS
                && let Some(refused) = &identity
                && let Some(renewed) = self.account.renewed(refused).await
            {
                renewals += 1;
                identity = Some(renewed);
            } else {
                return Err(error);
            }
            self.telemetry.tried(2, Some(error.kind));
            outgoing.sending.is_repeated();
        }
    }
}

/// Adds the headers of a trace. Like the user agent they are not signed, because whatever stands between may change them.
fn add_trace(headers: &mut HeaderMap, trace: Option<&TraceContext>) {
    let Some(TraceContext { parent, state }) = trace else { return };
    for (name, value) in [("traceparent", Some(parent)), ("tracestate", state.as_ref())] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
}

/// Whether AWS has refused the credentials of a request that it received. Such a request is free.
fn is_refused_identity(error: &Error, stage: Stage) -> bool {
    stage == Stage::Writing && error.kind == Kind::ExpiredCredentials
}

/// The frames in the bytes of a streamed answer, of which at most `max_bytes` are read.
#[cfg(any(test, fuzzing))]
pub(super) fn frames_in(answer: Bytes, max_bytes: usize) -> FrameStream {
    FrameStream::of_pieces([answer], max_bytes)
}

/// Reads variables as those of a process.
#[cfg(any(test, fuzzing))]
pub(super) fn read_environment(variables: &[(&str, &str)], profile: Option<&str>) {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    if let Ok(environment) = environment::Environment::new(variables, profile) {
        let _ = environment.for_sdk();
    }
}
