//! What this process has learned from refusals: which models AWS has retired, and which parts of a request a model
//! refuses. It saves the round trip of a refusal with every later call.

use crate::policy::{Admitted, Refusable};
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// The most ids that are remembered. A client may name one model in many ways, by ARNs of many accounts.
const MAX_IDS: usize = 1000;
/// The most refused parts that are remembered for one model. Paths of members are a service's words.
const MAX_PARTS: usize = 32;

/// The refusals by model id. When there are too many, those so far are forgotten, and learned again.
#[derive(Debug, Default)]
pub(super) struct RefusalCache {
    retired: RwLock<HashSet<String>>,
    refused: RwLock<HashMap<String, Vec<Refusable>>>,
}

impl RefusalCache {
    /// Whether AWS has reported that a model is retired.
    pub(super) fn is_retired(&self, id: &str) -> bool {
        self.retired.read().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    pub(super) fn add_retired(&self, id: &str) {
        let mut retired = self.retired.write().unwrap_or_else(PoisonError::into_inner);
        if retired.len() >= MAX_IDS {
            retired.clear();
        }
        retired.insert(id.to_owned());
    }

    pub(super) fn add_refused(&self, id: &str, part: &Refusable) {
        let mut refused = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MAX_IDS && !refused.contains_key(id) {
            refused.clear();
        }
        let parts = refused.entry(id.to_owned()).or_default();
        if !parts.contains(part) && parts.len() < MAX_PARTS {
            parts.push(part.clone());
        }
    }

    /// The request without the parts that its model is known to refuse.
    pub(super) fn apply(&self, admitted: Admitted) -> Admitted {
        let refused = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        match refused.get(&admitted.model().id) {
            Some(parts) => parts.iter().fold(admitted, |admitted, part| {
                if admitted.sends(part) { admitted.without(part.clone()) } else { admitted }
            }),
            None => admitted,
        }
    }
}
