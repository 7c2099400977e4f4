//! One request of `serve`, from its first line to the last byte of its answer.

use super::log::{self, value};
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::error::Kind;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What is known of a request. Whoever learns something adds it; when the last clone is dropped, the line is written. A
/// streamed answer holds a clone, so that its tokens are in the line too.
#[derive(Debug, Clone)]
pub struct RequestScope(Arc<Scope>);

#[derive(Debug)]
struct Scope {
    id: String,
    method: String,
    /// The route's pattern, never the path itself.
    route: &'static str,
    began: Instant,
    known: Mutex<Known>,
    /// Whether the line is written.
    log: bool,
}

#[derive(Debug, Default)]
struct Known {
    key: Option<String>,
    model_asked: Option<String>,
    model_used: Option<String>,
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
            known: Mutex::default(),
            log,
        }))
    }

    /// The request's id, which is also in the response and in the ledger.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The name of the API key that the request came with.
    pub fn set_key(&self, name: &str) {
        self.edit(|known| known.key = Some(name.to_owned()));
    }

    /// The model as the client named it.
    pub fn set_model_asked(&self, model: &str) {
        self.edit(|known| known.model_asked = Some(model.to_owned()));
    }

    /// The Bedrock id that answers.
    pub fn set_model_used(&self, model: &str) {
        self.edit(|known| known.model_used = Some(model.to_owned()));
    }

    pub fn set_status(&self, status: u16) {
        self.edit(|known| known.status = Some(status));
    }

    pub fn set_usage(&self, usage: Usage, cost: Option<NanoDollars>) {
        self.edit(|known| {
            known.usage = Some(usage);
            known.cost = cost;
        });
    }

    /// What went wrong, which a stream cannot say by its status.
    pub fn set_error(&self, kind: Kind) {
        self.edit(|known| known.error = Some(kind));
    }

    fn edit(&self, change: impl FnOnce(&mut Known)) {
        if self.0.log {
            change(&mut self.0.known.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.log {
            let known = std::mem::take(self.known.get_mut().unwrap_or_else(PoisonError::into_inner));
            log::write(&self.line(&known));
        }
    }
}

impl Scope {
    fn line(&self, known: &Known) -> String {
        let Known { key, model_asked, model_used, status, usage, cost, error } = known;
        let mut line = format!("{} {} {}", self.id, value(&self.method), self.route);
        let mut add = |name: &str, text: &str| {
            // Writing to a String cannot fail.
            let _ = write!(line, " {name}={text}");
        };
        if let Some(key) = key {
            add("key", &value(key));
        }
        if let Some(model) = model_asked {
            add("model", &value(model));
        }
        if let Some(model) = model_used {
            add("used", &value(model));
        }
        match status {
            Some(status) => add("status", &status.to_string()),
            // The client went away before there was an answer.
            None => add("status", "-"),
        }
        if let Some(kind) = error {
            add("error", &format!("{kind:?}"));
        }
        if let Some(usage) = usage {
            add("input", &usage.prompt().to_string());
            add("output", &usage.output.to_string());
        }
        if let Some(cost) = cost {
            add("cost_usd", &cost.dollars());
        }
        add("ms", &self.began.elapsed().as_millis().to_string());
        line
    }
}
