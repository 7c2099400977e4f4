//! Whether the ledger can be written, as its thread last found it. Asking never waits for a disk. The operator is told
//! when that changes.

use super::store::{StoreError, StoreResult};
use crate::telemetry::Telemetry;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Clone)]
pub(super) struct Health {
    failure: Arc<Mutex<Option<StoreError>>>,
    telemetry: Telemetry,
}

impl Health {
    pub(super) fn new(telemetry: Telemetry) -> Self {
        Self { failure: Arc::default(), telemetry }
    }

    /// Notes how the last transaction ended.
    pub(super) fn note(&self, failure: Option<&StoreError>) {
        let mut last = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let sentence = |error: &StoreError| error.to_string();
        match (last.as_ref().map(sentence), failure.map(sentence)) {
            (Some(_), None) => self.telemetry.notice("the ledger can be used again"),
            (before, Some(now)) if before.as_ref() != Some(&now) => {
                self.telemetry.notice(&format!("warning: the ledger cannot be used: {now}"));
            }
            _ => {}
        }
        *last = failure.cloned();
    }

    /// Notes why the ledger could not be read. Reading says nothing about writing.
    pub(super) fn note_failure(&self, failure: Option<&StoreError>) {
        if failure.is_some() {
            self.note(failure);
        }
    }

    pub(super) fn get(&self) -> StoreResult<()> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }
}
