//! One request of `serve`, from its first line to the last byte of its answer: its line in the log, and how it is
//! counted.

use super::log::{Field, Value};
use super::metrics::EndedRequest;
use super::redaction::without_secrets;
use super::sink::Sink;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::error::Kind;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Collects what is known about a request. When the last clone is dropped, the request is logged and counted. A streamed
/// answer holds a clone, so that its tokens are known too.
#[derive(Debug, Clone)]
pub struct RequestScope(Arc<Scope>);

/// What is known about a request from its head.
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// Chatrix's own id, which is also in the response and in the ledger.
    pub id: &'a str,
    /// The address of the client.
    pub client: Option<SocketAddr>,
    /// One of HTTP's own words.
    pub method: &'static str,
    /// The route's pattern, never the path itself.
    pub route: &'static str,
    /// What is asked for, in OpenTelemetry's words; `None` for a route that asks no model.
    pub operation: Option<&'static str>,
}

#[derive(Debug)]
struct Scope {
    id: String,
    client: Option<SocketAddr>,
    method: &'static str,
    route: &'static str,
    operation: Option<&'static str>,
    began: Instant,
    details: Mutex<Details>,
    telemetry: Arc<Sink>,
}

#[derive(Debug, Default)]
struct Details {
    key: Option<String>,
    requested_model: Option<String>,
    /// The name of the model under which the request is counted.
    counted_model: Option<String>,
    answering_model: Option<String>,
    status: Option<u16>,
    usage: Option<Usage>,
    cost: Option<NanoDollars>,
    budget_left: Option<NanoDollars>,
    error: Option<Kind>,
    bedrock_request_id: Option<String>,
    /// When the first event of the answer came.
    first_event: Option<Duration>,
    is_streamed: bool,
    /// Whether anything was sent to Bedrock.
    was_sent: bool,
    /// How often a call was sent again.
    retries: u64,
}

impl RequestScope {
    pub(super) fn new(head: &RequestHead<'_>, telemetry: Arc<Sink>) -> Self {
        telemetry.metrics.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Scope {
            id: head.id.to_owned(),
            client: head.client,
            method: head.method,
            route: head.route,
            operation: head.operation,
            began: Instant::now(),
            details: Mutex::default(),
            telemetry,
        }))
    }

    /// The id of the request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What is asked for, in OpenTelemetry's words.
    #[must_use]
    pub(super) fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The name of the model under which the request is counted; empty when it is not known.
    pub(super) fn counted_model(&self) -> String {
        self.details().counted_model.clone().unwrap_or_default()
    }

    /// Sets the name of the API key that the request came with.
    pub fn set_key(&self, name: &str) {
        self.details().key = Some(name.to_owned());
    }

    /// Sets the model as the client named it.
    pub fn set_requested_model(&self, model: &str) {
        self.details().requested_model = Some(model.to_owned());
    }

    /// Sets the name of a model of the catalog, under which the request is counted.
    pub(crate) fn set_model(&self, name: &str) {
        self.details().counted_model = Some(name.to_owned());
    }

    /// Notes that Bedrock has accepted the call. `model` is the Bedrock id that answers.
    pub(crate) fn accepted(&self, model: &str, bedrock_request_id: Option<&str>, is_streamed: bool) {
        let mut details = self.details();
        details.counted_model.get_or_insert_with(|| without_secrets(model));
        details.answering_model = Some(model.to_owned());
        details.bedrock_request_id = bedrock_request_id.map(ToOwned::to_owned);
        details.is_streamed = is_streamed;
        if is_streamed {
            self.0.telemetry.metrics.streams.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sets Bedrock's id of a call that it has not accepted.
    pub(crate) fn set_bedrock_request_id(&self, id: &str) {
        self.details().bedrock_request_id = Some(id.to_owned());
    }

    /// Notes that a call is about to be sent to Bedrock.
    pub(crate) fn sending(&self) {
        self.details().was_sent = true;
    }

    /// Notes that a call is sent again.
    pub fn retried(&self) {
        self.details().retries += 1;
    }

    /// Notes that the first event of the answer has come.
    pub(crate) fn first_event(&self) {
        self.details().first_event = Some(self.0.began.elapsed());
    }

    pub fn set_status(&self, status: u16) {
        self.details().status = Some(status);
    }

    /// Sets what the call used and cost, and what is left of the budget with the least left.
    pub(crate) fn settled(&self, usage: Usage, cost: Option<NanoDollars>, budget_left: Option<NanoDollars>) {
        let mut details = self.details();
        details.usage = Some(usage);
        details.cost = cost;
        details.budget_left = budget_left;
    }

    /// Sets the error. The status of a streamed answer cannot show it.
    pub fn set_error(&self, kind: Kind) {
        self.details().error = Some(kind);
    }

    fn details(&self) -> MutexGuard<'_, Details> {
        self.0.details.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let mut details = std::mem::take(self.details.get_mut().unwrap_or_else(PoisonError::into_inner));
        if details.status.is_none() {
            // The client has closed the connection before there was an answer.
            details.error = details.error.or(Some(Kind::Interrupted));
            details.status = Some(Kind::Interrupted.spec().status);
        }
        self.telemetry.metrics.in_flight.fetch_sub(1, Ordering::Relaxed);
        if details.is_streamed {
            self.telemetry.metrics.streams.fetch_sub(1, Ordering::Relaxed);
        }
        let took = self.began.elapsed();
        self.count(&details, took);
        self.telemetry.log(|| self.fields(details, took));
    }
}

impl Scope {
    fn count(&self, details: &Details, took: Duration) {
        self.telemetry.metrics.count_request(&EndedRequest {
            route: self.route,
            operation: self.operation,
            model: details.counted_model.as_deref().unwrap_or_default(),
            key: details.key.as_deref().unwrap_or_default(),
            status: details.status.unwrap_or_default(),
            error: details.error,
            was_sent: details.was_sent,
            usage: details.usage,
            cost: details.cost,
            took,
            first_event: details.first_event.filter(|_| details.is_streamed),
        });
    }

    /// The fields of the log line, in their order.
    fn fields(&self, details: Details, took: Duration) -> Vec<Field> {
        let Details {
            key,
            requested_model,
            counted_model: _,
            answering_model,
            status,
            usage,
            cost,
            budget_left,
            error,
            bedrock_request_id,
            first_event,
            is_streamed: _,
            was_sent,
            retries,
        } = details;
        let mut fields = vec![
            ("id", Value::Text(self.id.clone())),
            ("method", Value::Word(self.method)),
            ("route", Value::Word(self.route)),
        ];
        let mut add = |name, value: Option<Value>| fields.extend(value.map(|value| (name, value)));
        add("client", self.client.map(|client| Value::Text(client.to_string())));
        add("key", key.map(Value::Text));
        add("model", requested_model.map(Value::Text));
        add("used", answering_model.map(Value::Text));
        add("status", status.map(|status| Value::Number(status.into())));
        add("error", error.map(|kind| Value::Text(format!("{kind:?}"))));
        add("input", usage.map(|usage| Value::Number(usage.input)));
        add("output", usage.map(|usage| Value::Number(usage.output)));
        add("cache_read", usage.map(|usage| Value::Number(usage.cache_read)));
        add("cache_write", usage.map(|usage| Value::Number(usage.cache_write())));
        add("cost_usd", cost.map(Value::Dollars));
        add("budget_left_usd", budget_left.map(Value::Dollars));
        add("first_event_ms", first_event.map(milliseconds));
        add("ms", Some(milliseconds(took)));
        add("bedrock_id", bedrock_request_id.map(Value::Text));
        add("retries", was_sent.then_some(Value::Number(retries)));
        fields
    }
}

fn milliseconds(duration: Duration) -> Value {
    Value::Number(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
