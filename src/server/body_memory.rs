//! The bytes of request bodies in memory, counted over all requests.

use crate::error::{Error, Kind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(super) struct BodyMemory {
    max: usize,
    used: AtomicUsize,
}

impl BodyMemory {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, used: AtomicUsize::new(0) })
    }

    /// How many bytes are in memory.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    /// An account for one body, which has no bytes yet. `declared` are the bytes that are to come; they are not taken
    /// yet, because a client may declare more than it ever sends.
    ///
    /// # Errors
    /// `Overloaded` when they would not fit now.
    pub(super) fn account(self: &Arc<Self>, declared: usize) -> Result<HeldBytes> {
        if self.used().saturating_add(declared) > self.max {
            return Err(full());
        }
        Ok(HeldBytes { memory: Arc::clone(self), held: 0 })
    }
}

fn full() -> Error {
    Error::new(Kind::Overloaded, "this server holds as many request bodies in memory as it may")
}

/// The bytes of one body. Dropping it frees them.
#[derive(Debug)]
pub(super) struct HeldBytes {
    memory: Arc<BodyMemory>,
    held: usize,
}

impl HeldBytes {
    /// An account for what is made of this body.
    pub(super) fn sibling(&self) -> Self {
        Self { memory: Arc::clone(&self.memory), held: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.held
    }

    /// # Errors
    /// `Overloaded`.
    pub(super) fn add(&mut self, bytes: usize) -> Result<()> {
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.memory.max);
        self.memory.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).map_err(|_| full())?;
        self.held += bytes;
        Ok(())
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.held, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn bytes_count_while_they_are_held() {
        let memory = BodyMemory::new(100);
        let mut first = memory.account(100).unwrap();
        first.add(60).unwrap();
        assert_eq!(memory.account(41).unwrap_err().kind, Kind::Overloaded);
        let mut second = memory.account(40).unwrap();
        second.add(40).unwrap();
        assert_eq!(first.add(1).unwrap_err().kind, Kind::Overloaded);
        assert_eq!(memory.used(), 100);
        drop(first);
        assert_eq!(memory.used(), 40);
        drop(second);
        assert_eq!(memory.used(), 0);
    }
}
