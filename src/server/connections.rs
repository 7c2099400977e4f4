//! The open connections, of which there are only so many. Where all places are taken, a connection without a request
//! makes room for a new one.

use super::activity::Activity;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Connections {
    max: usize,
    open: Mutex<Open>,
    refused: AtomicU64,
    closed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// Those that count. One that was given up counts no more, although it takes a moment to close.
    counted: HashMap<u64, Arc<Activity>>,
    /// All of them.
    all: usize,
}

impl Open {
    /// Gives up the connection that can be spared most. `false` when none can be.
    fn give_up_one(&mut self) -> bool {
        let spare = self.counted.iter().filter_map(|(id, activity)| Some((activity.spare()?, *id))).min();
        let given_up = spare.and_then(|(_, id)| self.counted.remove(&id));
        given_up.inspect(|activity| activity.give_up()).is_some()
    }
}

impl Connections {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, open: Mutex::default(), refused: AtomicU64::new(0), closed: Notify::new() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection; `None` when every other one answers a request.
    pub(super) fn place(self: &Arc<Self>, activity: &Arc<Activity>) -> Option<Place> {
        let mut open = self.open();
        if open.counted.len() >= self.max && !open.give_up_one() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let id = open.next;
        open.next += 1;
        open.all += 1;
        open.counted.insert(id, Arc::clone(activity));
        Some(Place { connections: Arc::clone(self), id })
    }

    /// Gives a connection up, where one can be spared.
    pub(super) fn make_room(&self) {
        self.open().give_up_one();
    }

    /// How many are open.
    pub(super) fn count(&self) -> usize {
        self.open().all
    }

    /// How many were refused since the start.
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Waits until none is open.
    pub(super) async fn all_closed(&self) {
        loop {
            let closed = self.closed.notified();
            if self.count() == 0 {
                return;
            }
            closed.await;
        }
    }
}

/// The place of an open connection. Dropping it makes room.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.counted.remove(&self.id);
        open.all -= 1;
        drop(open);
        self.connections.closed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::server::limits::Timeouts;

    #[tokio::test(start_paused = true)]
    async fn idle_ones_make_room_and_busy_ones_do_not() {
        let connections = Connections::new(2);
        let busy = Activity::new(Timeouts::default());
        let _answering = busy.begin(hyper::Version::HTTP_11);
        let idle = Activity::new(Timeouts::default());
        drop(idle.begin(hyper::Version::HTTP_11));
        let _busy = connections.place(&busy).unwrap();
        let _idle = connections.place(&idle).unwrap();
        let third = Activity::new(Timeouts::default());
        let place = connections.place(&third).unwrap();
        idle.given_up().await;
        assert!(connections.place(&Activity::new(Timeouts::default())).is_none(), "the third is young");
        assert_eq!((connections.count(), connections.refused()), (3, 1));
        drop(place);
        assert!(connections.place(&Activity::new(Timeouts::default())).is_some());
    }
}
