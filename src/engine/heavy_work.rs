//! Work on large requests. Parsing, checking and encoding many megabytes takes long, and an async worker that does it
//! leaves every other answer waiting. So the worker hands its tasks on first, and only few do such work at once.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::ready;
use std::thread::available_parallelism;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::block_in_place;

/// The size from which the work on a request is heavy (bytes).
const HEAVY: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub struct HeavyWork(Arc<Semaphore>);

impl Default for HeavyWork {
    /// Half of the processor's cores do heavy work.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

impl HeavyWork {
    /// Does some work on a request of this size (bytes).
    pub async fn run<T>(&self, size: usize, work: impl FnOnce() -> T) -> T {
        if size < HEAVY {
            return work();
        }
        let _permit = self.permit().await;
        off_worker(work)
    }

    /// Runs a future that works on a request of this size (bytes). Between its steps others may work.
    pub async fn steps<F: Future>(&self, size: usize, future: F) -> F::Output {
        if size < HEAVY {
            return future.await;
        }
        let mut future = std::pin::pin!(future);
        let mut permit = std::pin::pin!(self.permit());
        poll_fn(|context| {
            let turn = ready!(permit.as_mut().poll(context));
            let step = off_worker(|| future.as_mut().poll(context));
            drop(turn);
            permit.set(self.permit());
            step
        })
        .await
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// Does work in the place of an async worker, whose other tasks go to another thread meanwhile. Where there is but one
/// thread for all tasks, as in unit tests, they wait.
fn off_worker<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn other_tasks_go_on_while_heavy_work_is_done() {
        let heavy = HeavyWork::default();
        let (sender, receiver) = mpsc::channel();
        let worked = tokio::spawn(async move {
            heavy
                .run(HEAVY, move || {
                    // Only another task of the one worker can send this.
                    tokio::spawn(async move { sender.send("sent").unwrap() });
                    receiver.recv().unwrap()
                })
                .await
        });
        assert_eq!(worked.await.unwrap(), "sent");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn steps_take_turns() {
        let heavy = HeavyWork(Arc::new(Semaphore::new(1)));
        let at_once = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (heavy, at_once) = (heavy.clone(), Arc::clone(&at_once));
                tokio::spawn(async move {
                    let work = async {
                        for _ in 0..50 {
                            assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0);
                            at_once.fetch_sub(1, Ordering::SeqCst);
                            tokio::task::yield_now().await;
                        }
                    };
                    heavy.steps(HEAVY, work).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
}
