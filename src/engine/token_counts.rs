//! Input tokens as Bedrock counts them. A count is free of charge but takes a request, so it is kept by what was counted,
//! requests for the same count share one, and only a few are under way at a time. Whoever cannot have one does without.

use crate::bedrock::{Client, CountRequest};
use crate::policy::Admitted;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

/// The most counts that are kept. Each takes less than 200 bytes.
const MAX_COUNTS: usize = 4096;
/// The most counts that are under way at a time, over the whole process.
const AT_ONCE: usize = 4;
/// How long a caller waits for a count, with the time until it is its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// The hash of a model and a body.
type Key = [u8; 32];
/// A count that is known or under way; `None` where it has failed.
type Cell = Arc<OnceCell<Option<u64>>>;

/// The counts of this process. Only hashes of what was counted are held.
#[derive(Debug)]
pub(super) struct TokenCounts {
    counts: Mutex<Counts>,
    turns: Semaphore,
}

#[derive(Debug, Default)]
struct Counts {
    cells: HashMap<Key, Cell>,
    /// The keys, the oldest first.
    by_age: VecDeque<Key>,
}

impl Default for TokenCounts {
    fn default() -> Self {
        Self { counts: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }
}

impl TokenCounts {
    /// The input tokens of a call. `None` when they cannot be counted, now or at all.
    pub(super) async fn of(&self, client: &Client, admitted: &Admitted) -> Option<u64> {
        // Bedrock cannot count an image that is yet to be fetched.
        if !admitted.image_urls().is_empty() {
            return None;
        }
        self.get(Client::count_request(admitted)?, |request| client.count(request)).await
    }

    /// The tokens of a request: those of an earlier count, or what `count` returns. `None` when that fails, and when it
    /// takes too long.
    pub(super) async fn get<F>(&self, request: CountRequest, count: impl FnOnce(CountRequest) -> F) -> Option<u64>
    where
        F: Future<Output = Option<u64>>,
    {
        let key = key(&request);
        let cell = self.counts().cell(key);
        if let Some(known) = cell.get() {
            return *known;
        }
        let counted = cell.get_or_init(|| async {
            let _turn = self.turns.acquire().await.ok()?;
            count(request).await
        });
        let counted = timeout(PATIENCE, counted).await.ok().copied().flatten();
        if counted.is_none() {
            // Those who wait for it now have no count either; the next one tries again.
            self.counts().remove(key, &cell);
        }
        counted
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn cell(&mut self, key: Key) -> Cell {
        if let Some(cell) = self.cells.get(&key) {
            return Arc::clone(cell);
        }
        while self.by_age.len() >= MAX_COUNTS {
            if let Some(oldest) = self.by_age.pop_front() {
                self.cells.remove(&oldest);
            }
        }
        let cell = Cell::default();
        self.cells.insert(key, Arc::clone(&cell));
        self.by_age.push_back(key);
        cell
    }

    /// Removes a count that has failed, unless it has been begun anew.
    fn remove(&mut self, key: Key, cell: &Cell) {
        let is_failed = cell.get().is_none_or(Option::is_none);
        if is_failed && self.cells.get(&key).is_some_and(|known| Arc::ptr_eq(known, cell)) {
            self.cells.remove(&key);
            self.by_age.retain(|known| *known != key);
        }
    }
}

fn key(request: &CountRequest) -> Key {
    let CountRequest { model, body } = request;
    let mut hash = Sha256::new();
    // The length keeps the end of the one from being taken for the beginning of the other.
    hash.update(model.len().to_le_bytes());
    hash.update(model);
    hash.update(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    fn request(model: &str, body: &str) -> CountRequest {
        CountRequest { model: model.to_owned(), body: body.to_owned().into() }
    }

    /// What counts, and how often and at most how often at once it did.
    #[derive(Default)]
    struct Service {
        calls: AtomicUsize,
        running: AtomicUsize,
        most: AtomicUsize,
    }

    impl Service {
        async fn count(&self, request: CountRequest) -> Option<u64> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.running.fetch_sub(1, Ordering::SeqCst);
            match &*request.body {
                b"refused" => None,
                b"hangs" => std::future::pending().await,
                body => u64::try_from(body.len()).ok(),
            }
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::SeqCst)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_counted_is_not_counted_again() {
        let (counts, service) = (TokenCounts::default(), Service::default());
        let get = |model, body| counts.get(request(model, body), |request| service.count(request));
        for (model, body, tokens, calls) in [
            ("a", "word", Some(4), 1),
            ("a", "word", Some(4), 1),
            ("b", "word", Some(4), 2),
            ("aw", "ord", Some(3), 3),
            ("a", "words", Some(5), 4),
            // A failure is not kept.
            ("a", "refused", None, 5),
            ("a", "refused", None, 6),
        ] {
            assert_eq!((get(model, body).await, service.calls()), (tokens, calls), "{model} {body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_a_count_and_few_are_under_way() {
        let (counts, service) = (Arc::new(TokenCounts::default()), Arc::new(Service::default()));
        let bodies = (0..30).map(|n| format!("body {}", n % 10));
        let callers: Vec<_> = bodies
            .map(|body| {
                let (counts, service) = (Arc::clone(&counts), Arc::clone(&service));
                tokio::spawn(async move { counts.get(request("a", &body), |request| service.count(request)).await })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.ok().flatten(), Some(6));
        }
        assert_eq!((service.calls(), service.most.load(Ordering::SeqCst)), (10, AT_ONCE));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_a_count() {
        let (counts, service) = (Arc::new(TokenCounts::default()), Arc::new(Service::default()));
        let began = tokio::time::Instant::now();
        let callers: Vec<_> = (0..30)
            .map(|n| {
                let (counts, service) = (Arc::clone(&counts), Arc::clone(&service));
                let model = format!("model {}", n % 15);
                tokio::spawn(
                    async move { counts.get(request(&model, "hangs"), |request| service.count(request)).await },
                )
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.ok().flatten(), None);
        }
        assert!(began.elapsed() <= PATIENCE + Duration::from_millis(10), "{:?}", began.elapsed());
        // They have left their turns to others, and one who hangs up leaves his count to those who wait for it.
        let first =
            timeout(Duration::from_millis(10), counts.get(request("a", "word"), |request| service.count(request)));
        assert!(first.await.is_err());
        assert_eq!(counts.get(request("a", "word"), |request| service.count(request)).await, Some(4));
    }

    #[tokio::test]
    async fn only_so_many_are_kept() {
        let counts = TokenCounts::default();
        let began = Instant::now();
        for n in 0..MAX_COUNTS + 10 {
            assert_eq!(counts.get(request("a", &n.to_string()), async |_| Some(7)).await, Some(7));
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        let kept = counts.counts().cells.len();
        assert_eq!((kept, counts.counts().by_age.len()), (MAX_COUNTS, MAX_COUNTS));
        assert_eq!(counts.get(request("a", "0"), async |_| Some(8)).await, Some(8), "the oldest was forgotten");
    }
}
