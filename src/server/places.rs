//! The places among the answers that are being made. A request without one waits shortly, and is then told to come
//! again.

use crate::error::{Error, Kind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    max: usize,
    waiting: AtomicUsize,
    patience: Duration,
}

/// A place among the answers. Dropping it makes room.
pub(super) type Place = OwnedSemaphorePermit;

impl Places {
    /// As many requests as there are places may wait for one, for at most `patience`.
    pub(super) fn new(max: usize, patience: Duration) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(max)), max, waiting: AtomicUsize::new(0), patience }
    }

    /// # Errors
    /// `Overloaded`.
    pub(super) async fn take(&self) -> Result<Place> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Waiting(&self.waiting);
        if waiting.0.fetch_add(1, Ordering::SeqCst) >= self.max {
            return Err(self.full());
        }
        let place = tokio::time::timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or_else(|| self.full())
    }

    /// How many answers are being made.
    pub(super) fn taken(&self) -> usize {
        self.max - self.free.available_permits()
    }

    fn full(&self) -> Error {
        let message = format!("this server already makes {} answers, which is its limit", self.max);
        Error { retry_after: Some(self.patience), ..Error::new(Kind::Overloaded, message) }
    }
}

/// A request that waits. It counts until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_waits_for_each_place_and_the_next_is_refused() {
        let places = Places::new(1, Duration::from_secs(5));
        let place = places.take().await.unwrap();
        assert_eq!(places.taken(), 1);
        let refusal = async {
            tokio::task::yield_now().await;
            assert_eq!(places.take().await.unwrap_err().kind, Kind::Overloaded, "at once");
            drop(place);
        };
        let (waited, ()) = tokio::join!(places.take(), refusal);
        let _place = waited.unwrap();
        let error = places.take().await.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (Kind::Overloaded, Some(Duration::from_secs(5))));
        assert_eq!(places.waiting.load(Ordering::SeqCst), 0);
    }
}
