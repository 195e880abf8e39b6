//! The registry in a group's log. Every request asks for it, and it changes once in months.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use tongban_trust::Registry;

use super::Replica;
use crate::seams::Platform;

/// What the state showed with so many entries applied.
pub(super) struct Shown {
    applied: u64,
    registry: Option<Arc<Registry>>,
}

impl<P: Platform> Replica<P> {
    /// The registry in the group's log, as far as it is applied; the state is asked again only where more is.
    pub(crate) fn registry(&self) -> Option<Arc<Registry>> {
        // Read before the state, which may be ahead of it, so that it is asked again in time.
        let applied = self.applied.load(Ordering::Acquire);
        let mut shown = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = &*shown
            && shown.applied == applied
        {
            return shown.registry.clone();
        }
        let registry = self.read(|view| self.machine.registry(view)).ok()?;
        *shown = Some(Shown {
            applied,
            registry: registry.clone(),
        });
        registry
    }
}
