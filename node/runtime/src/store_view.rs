//! The store as the machine's view. Reading for the machine does not fail: a failure is kept, and
//! whoever asked must look for it before believing anything computed from the view.

use std::sync::{Arc, Mutex, PoisonError};

use tongban_machine::View;
use tongban_types::GroupId;

use crate::seams::{StateStore, StoreError};

/// One group's part of the store.
pub struct StoreView<S> {
    store: Arc<S>,
    group: GroupId,
    failed: Mutex<Option<StoreError>>,
}

impl<S> std::fmt::Debug for StoreView<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreView")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl<S: StateStore> StoreView<S> {
    /// A view of a group.
    pub fn new(store: Arc<S>, group: GroupId) -> Self {
        Self {
            store,
            group,
            failed: Mutex::new(None),
        }
    }

    /// The failure since the last call, if there was one.
    pub fn take_failure(&self) -> Option<StoreError> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn keep<T>(&self, result: Result<T, StoreError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                None
            }
        }
    }
}

impl<S: StateStore> View for StoreView<S> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.keep(self.store.get(self.group, key)).flatten()
    }

    fn scan(&self, from: &[u8], until: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.keep(self.store.scan(self.group, from, until, limit))
            .unwrap_or_default()
    }
}
