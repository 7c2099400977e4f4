//! Whether the ledger can be written, as its thread last found it. Asking never waits for a disk.

use super::store::{StoreError, StoreResult};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<Mutex<Option<StoreError>>>);

impl Health {
    /// Notes how the last transaction ended.
    pub(super) fn note(&self, failure: Option<&StoreError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure.cloned();
    }

    /// Notes why the ledger could not be read. Reading says nothing about writing.
    pub(super) fn note_failure(&self, failure: Option<&StoreError>) {
        if failure.is_some() {
            self.note(failure);
        }
    }

    pub(super) fn get(&self) -> StoreResult<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }
}
