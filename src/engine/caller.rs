//! Who makes a call, which models they may use, and what they may spend.

use super::cost_check::CallCeiling;
use crate::bedrock::{MAX_ATTEMPTS, Sending, TraceContext};
use crate::catalog::{Catalog, base};
use crate::conversation::{CutCalls, ImageUrl, Media};
use crate::error::{Error, Field, Kind, Result};
use crate::ledger::budget::Budgets;
use crate::ledger::key::Key;
use crate::ledger::{RateRequest, SessionTotals};
use crate::policy::KeyRules;
use crate::telemetry::RequestScope;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Who makes a call, and what it may cost.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `ask`, `chat` or `serve`.
    pub command: &'static str,
    /// The API key of the request.
    pub key: Option<Arc<Key>>,
    /// A ceiling of this call's own.
    pub ceiling: Option<CallCeiling>,
    /// The request of `serve` that the call is made for.
    pub request: Option<RequestScope>,
    /// The trace that the request belongs to.
    pub trace: Option<TraceContext>,
    /// The size of the request (bytes). The work on a large one is kept off the asynchronous workers.
    pub request_bytes: usize,
    /// The most times that the request is sent to Bedrock.
    pub attempts: u32,
    /// The totals of the session to which the cost is added, besides the ledger.
    pub session_totals: Option<Arc<SessionTotals>>,
    /// Fetches images that the request gives by URL; `None` where it gives none.
    pub images: Option<Arc<dyn ImageSource>>,
    /// What happens to an answer of which nothing is left without the tool call that was cut.
    pub cut_calls: CutCalls,
}

/// Fetches images. It is asked only for a call that is allowed and whose cost is reserved.
pub trait ImageSource: fmt::Debug + Send + Sync {
    /// # Errors
    /// Any kind that is free of charge.
    fn fetch<'a>(&'a self, image: &'a ImageUrl) -> Pin<Box<dyn Future<Output = Result<Media>> + Send + 'a>>;
}

impl Default for Caller {
    fn default() -> Self {
        let attempts = MAX_ATTEMPTS;
        Self {
            command: "",
            key: None,
            ceiling: None,
            request: None,
            trace: None,
            request_bytes: 0,
            attempts,
            session_totals: None,
            images: None,
            cut_calls: CutCalls::default(),
        }
    }
}

impl Caller {
    /// How its calls are sent. `sent` becomes true when Bedrock may have received a part of one.
    pub(super) fn sending(&self, sent: Arc<AtomicUsize>) -> Sending {
        let Self { request, trace, attempts, .. } = self;
        Sending { attempts: *attempts, sent, request: request.clone(), trace: trace.clone() }
    }

    /// The operator's rules for the key; `None` without a key.
    #[must_use]
    pub fn rules(&self) -> Option<KeyRules> {
        self.key.as_ref().map(|key| KeyRules { name: key.name.clone(), overrides: key.limits.overrides })
    }

    /// Whether the key allows a model, under any of the model's ids.
    #[must_use]
    pub fn may_ask(&self, catalog: &Catalog, id: &str) -> bool {
        let Some(key) = &self.key else {
            return true;
        };
        // A key without a list of models allows them all.
        if key.limits.models.is_empty() {
            return true;
        }
        key.limits.models.iter().any(|name| {
            let model = catalog.resolve(name).map(|model| model.id.clone());
            let known = model.or_else(|_| catalog.resolve_embedding(name).map(|model| model.id));
            known.is_ok_and(|known| base(&known) == base(id))
        })
    }

    /// What a call asks of the key's limits on requests, tokens and running calls; `None` where the key has none.
    /// `tokens`: the most that the call can use.
    pub(super) fn rate_request(&self, tokens: u64) -> Option<RateRequest> {
        let limits = self.key.as_ref()?.limits.rates;
        (!limits.is_empty()).then_some(RateRequest { limits, tokens })
    }

    /// The lowest of the ceilings that hold for one call.
    #[must_use]
    pub fn ceiling(&self, budgets: &Budgets) -> Option<CallCeiling> {
        let operator = budgets.request.map(|amount| CallCeiling::new(amount, "the request budget"));
        let key = self.key.as_ref().and_then(|key| {
            let amount = key.limits.request?;
            Some(CallCeiling::new(amount, format!("the request budget of key {}", key.name)))
        });
        [operator, key, self.ceiling.clone()].into_iter().flatten().min_by_key(|ceiling| ceiling.amount)
    }

    /// Refuses a model that the key does not allow.
    ///
    /// # Errors
    /// `ModelNotAllowed`.
    pub fn check(&self, catalog: &Catalog, id: &str) -> Result<()> {
        if self.may_ask(catalog, id) {
            return Ok(());
        }
        let allowed = self.key.as_ref().map(|key| (key.name.as_str(), key.limits.models.join(", ")));
        let (name, models) = allowed.unwrap_or_default();
        Err(Error::new(Kind::ModelNotAllowed, format!("the API key {name} does not allow this model"))
            .at(Field::Model)
            .advise(format!("it allows only {models}")))
    }
}
