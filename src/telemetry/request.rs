//! The log line of one request of `serve`. It covers the time until the last byte of the answer.

use super::log::Line;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::error::Kind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Collects what is logged about a request. When the last clone is dropped, the line is written. A streamed answer
/// holds a clone, so that the line contains its tokens too.
#[derive(Debug, Clone)]
pub struct RequestScope(Arc<Scope>);

#[derive(Debug)]
struct Scope {
    id: String,
    method: String,
    /// The route's pattern, never the path itself.
    route: &'static str,
    began: Instant,
    details: Mutex<Details>,
    /// Whether the line is written.
    log: bool,
}

#[derive(Debug, Default)]
struct Details {
    key: Option<String>,
    requested_model: Option<String>,
    answering_model: Option<String>,
    status: Option<u16>,
    usage: Option<Usage>,
    cost: Option<NanoDollars>,
    error: Option<Kind>,
}

impl RequestScope {
    pub(super) fn new(id: &str, method: &str, route: &'static str, log: bool) -> Self {
        Self(Arc::new(Scope {
            id: id.to_owned(),
            method: method.to_owned(),
            route,
            began: Instant::now(),
            details: Mutex::default(),
            log,
        }))
    }

    /// The id of the request, which is also in the response and in the ledger.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Sets the name of the API key that the request came with.
    pub fn set_key(&self, name: &str) {
        self.edit(|details| details.key = Some(name.to_owned()));
    }

    /// Sets the model as the client named it.
    pub fn set_requested_model(&self, model: &str) {
        self.edit(|details| details.requested_model = Some(model.to_owned()));
    }

    /// Sets the Bedrock id of the model that answers.
    pub fn set_answering_model(&self, model: &str) {
        self.edit(|details| details.answering_model = Some(model.to_owned()));
    }

    pub fn set_status(&self, status: u16) {
        self.edit(|details| details.status = Some(status));
    }

    pub fn set_usage(&self, usage: Usage, cost: Option<NanoDollars>) {
        self.edit(|details| {
            details.usage = Some(usage);
            details.cost = cost;
        });
    }

    /// Sets the error. The status of a streamed answer cannot show it.
    pub fn set_error(&self, kind: Kind) {
        self.edit(|details| details.error = Some(kind));
    }

    fn edit(&self, change: impl FnOnce(&mut Details)) {
        if self.0.log {
            change(&mut self.0.details.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.log {
            let details = std::mem::take(self.details.get_mut().unwrap_or_else(PoisonError::into_inner));
            self.line(&details).write();
        }
    }
}

impl Scope {
    fn line(&self, details: &Details) -> Line {
        let Details { key, requested_model, answering_model, status, usage, cost, error } = details;
        let mut line = Line::new(&self.id);
        line.value(&self.method);
        line.word(self.route);
        if let Some(key) = key {
            line.field("key", key);
        }
        if let Some(model) = requested_model {
            line.field("model", model);
        }
        if let Some(model) = answering_model {
            line.field("used", model);
        }
        match status {
            Some(status) => line.field("status", &status.to_string()),
            // The client closed the connection before there was an answer.
            None => line.field("status", "-"),
        }
        if let Some(kind) = error {
            line.field("error", &format!("{kind:?}"));
        }
        if let Some(usage) = usage {
            line.field("input", &usage.prompt().to_string());
            line.field("output", &usage.output.to_string());
        }
        if let Some(cost) = cost {
            line.field("cost_usd", &cost.dollars());
        }
        line.field("ms", &self.began.elapsed().as_millis().to_string());
        line
    }
}
