//! Who asks, what they may ask, and what they may spend on it.

use crate::catalog::{Catalog, NanoDollars, base};
use crate::error::{Error, Field, Kind, Result};
use crate::ledger::SessionTotals;
use crate::ledger::budget::Budgets;
use crate::ledger::key::Key;
use std::sync::Arc;

/// Who asks, and what they may spend on it.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// `ask`, `chat` or `serve`.
    pub command: &'static str,
    /// The API key it came with.
    pub key: Option<Arc<Key>>,
    /// What this call may cost at most, and what to call that.
    pub at_most: Option<(NanoDollars, &'static str)>,
    /// The id of the request that the call is made for.
    pub request_id: Option<String>,
    /// Where its cost is added up, besides the ledger.
    pub session_totals: Option<Arc<SessionTotals>>,
}

impl Caller {
    /// Whether its key is for a model, however that is spelled.
    #[must_use]
    pub fn may_ask(&self, catalog: &Catalog, id: &str) -> bool {
        let Some(key) = self.key.as_ref().filter(|key| !key.limits.models.is_empty()) else {
            return true;
        };
        key.limits.models.iter().any(|name| {
            let model = catalog.resolve(name).map(|model| model.id.clone());
            let known = model.or_else(|_| catalog.resolve_embedding(name).map(|model| model.id));
            known.is_ok_and(|known| base(&known) == base(id))
        })
    }

    /// The ceiling of one call of its, and what that is called.
    #[must_use]
    pub fn ceiling(&self, budgets: &Budgets) -> Option<(NanoDollars, String)> {
        let key = self.key.as_ref();
        let key = key.and_then(|key| Some((key.limits.request?, format!("the request budget of key {}", key.name))));
        let operator = budgets.request.map(|amount| (amount, "the request budget".to_owned()));
        let call = self.at_most.map(|(amount, name)| (amount, name.to_owned()));
        [operator, key, call].into_iter().flatten().min_by_key(|(amount, _)| *amount)
    }

    /// Refuses what its key is not for.
    ///
    /// # Errors
    /// `ModelNotAllowed`.
    pub fn check(&self, catalog: &Catalog, id: &str) -> Result<()> {
        if self.may_ask(catalog, id) {
            return Ok(());
        }
        let allowed = self.key.as_ref().map(|key| (key.name.as_str(), key.limits.models.join(", ")));
        let (name, models) = allowed.unwrap_or_default();
        Err(Error::new(Kind::ModelNotAllowed, format!("the API key {name} is not for this model"))
            .at(Field::Model)
            .advise(format!("it is for {models}")))
    }
}
