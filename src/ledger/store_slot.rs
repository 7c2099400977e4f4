//! The store, once it is open, and what this process remembers of it: under a budget no other ledger takes its place
//! unless the operator accepts that.

use super::continuity::{Continuity, Mark, Opening};
use super::store::{Store, StoreError, StoreResult, Upkeep};
use std::time::Duration;

/// How a store is opened: when it is first needed, and again when it has been removed or replaced.
pub(super) type OpenStore = Box<dyn Fn(Opening) -> StoreResult<Box<dyn Store>> + Send>;

pub(super) struct StoreSlot {
    open: OpenStore,
    store: Option<Box<dyn Store>>,
    /// `None` until the ledger was opened.
    mark: Option<Mark>,
    /// Whether a budget depends on the ledger.
    guards_budget: bool,
    /// Whether another ledger has taken the place of the one that running calls are booked in.
    was_replaced: bool,
}

impl StoreSlot {
    pub(super) fn new(open: OpenStore) -> Self {
        Self { open, store: None, mark: None, guards_budget: false, was_replaced: false }
    }

    /// Notes that a budget depends on the ledger.
    pub(super) fn guard_budget(&mut self) {
        self.guards_budget = true;
    }

    /// The store. Opening it also books the open reservations of ended processes.
    ///
    /// # Errors
    /// When it cannot be opened, or when a budget depends on it and it is not the one that was used before.
    pub(super) fn get(&mut self) -> StoreResult<&mut dyn Store> {
        let store = self.take_current()?;
        Ok(self.store.insert(store).as_mut())
    }

    /// The store if it is open and its file is the one that was opened. Whether it still holds the calls that this
    /// process has booked is left to its next transaction to find out.
    pub(super) fn get_open(&mut self) -> Option<&mut dyn Store> {
        self.store = self.take_open();
        Some(self.store.as_mut()?.as_mut())
    }

    fn take_open(&mut self) -> Option<Box<dyn Store>> {
        self.store.take().filter(|store| store.is_current())
    }

    /// Closes the store.
    pub(super) fn close(&mut self) {
        self.store = None;
    }

    /// The store as [`get`](Self::get) gives it, and whether another ledger has taken the place of the former one since
    /// this was last asked. With `is_known_to_differ` unset it is not asked whether an open store is still the right one:
    /// its transactions find that out.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) fn get_to_write(&mut self, is_known_to_differ: bool) -> StoreResult<(&mut dyn Store, bool)> {
        let known = if is_known_to_differ { None } else { self.take_open() };
        let store = match known {
            Some(store) => store,
            None => self.take_current()?,
        };
        let was_replaced = std::mem::take(&mut self.was_replaced);
        Ok((self.store.insert(store).as_mut(), was_replaced))
    }

    fn take_current(&mut self) -> StoreResult<Box<dyn Store>> {
        let (mut store, is_new) = match self.take_open() {
            Some(store) => (store, false),
            None => ((self.open)(self.opening())?, true),
        };
        match self.examine(store.as_mut(), is_new) {
            Ok(()) => Ok(store),
            Err(error) => {
                // It knows what this process has booked in it, also while it cannot be read.
                self.store = Some(store).filter(|_| !is_new);
                Err(error)
            }
        }
    }

    /// Finds out whether the store is the one that was used before.
    fn examine(&mut self, store: &mut dyn Store, is_new: bool) -> StoreResult<()> {
        if let Some(mark) = &self.mark {
            match store.continuity(mark)? {
                Continuity::Same => {}
                Continuity::Lost if self.guards_budget => return Err(StoreError::lost()),
                Continuity::Accepted | Continuity::Lost => self.was_replaced = true,
            }
        }
        if is_new {
            store.recover()?;
        }
        if is_new || self.was_replaced {
            self.mark = Some(store.mark()?);
        }
        Ok(())
    }

    fn opening(&self) -> Opening {
        if self.guards_budget && self.mark.is_some() { Opening::Existing } else { Opening::Create }
    }

    /// Remembers the ledger as it is after a transaction.
    pub(super) fn remember_posted(&mut self) {
        if let Some(mark) = self.store.as_ref().and_then(|store| store.remembered()) {
            self.mark = Some(mark);
        }
    }

    /// Remembers the ledger as it is now.
    pub(super) fn remember(&mut self) {
        // A mark that cannot be read leaves the older one, which is as true.
        if let Some(Ok(mark)) = self.store.as_mut().map(|store| store.mark()) {
            self.mark = Some(mark);
        }
    }

    /// See [`Store::process`].
    pub(super) fn process(&self) -> Option<&str> {
        self.store.as_ref()?.process()
    }

    /// See [`Store::renewal`].
    pub(super) fn renewal(&self) -> Option<Duration> {
        self.store.as_ref()?.renewal()
    }

    /// See [`Store::upkeep`].
    pub(super) fn upkeep(&self) -> Option<Upkeep> {
        self.store.as_ref()?.upkeep()
    }

    pub(super) fn has_changed(&mut self) -> bool {
        self.store.as_mut().is_none_or(|store| !store.is_current() || store.has_changed())
    }

    /// Books the open reservations of this process as uncertain, because it ends.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub(super) fn abandon_own(&mut self) -> StoreResult<()> {
        self.store.as_mut().map_or(Ok(()), |store| store.abandon_own())
    }
}
