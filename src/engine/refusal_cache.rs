//! What this process has learned from refusals: which models AWS has retired, and which parameters a model does not
//! take. A refusal is free; being refused at every call is not.

use crate::policy::{Admitted, Param};
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// What was learned, by model id. It grows by at most a few entries for each id that AWS knows.
#[derive(Debug, Default)]
pub struct RefusalCache {
    retired: RwLock<HashSet<String>>,
    refused: RwLock<HashMap<String, Vec<Param>>>,
}

impl RefusalCache {
    /// Whether AWS has said that a model is at its end of life.
    pub fn is_retired(&self, id: &str) -> bool {
        self.retired.read().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// Remembers that it is.
    pub fn retire(&self, id: &str) {
        self.retired.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }

    /// Remembers that a model does not take a parameter.
    pub fn learn(&self, id: &str, param: Param) {
        let mut refused = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        let params = refused.entry(id.to_owned()).or_default();
        if !params.contains(&param) {
            params.push(param);
        }
    }

    /// The request without what its model is known to refuse.
    pub fn apply(&self, admitted: Admitted) -> Admitted {
        let refused = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        match refused.get(&admitted.model().id) {
            Some(params) => params.iter().fold(admitted, |admitted, param| admitted.without(*param)),
            None => admitted,
        }
    }
}
