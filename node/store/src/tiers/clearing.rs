//! A group is forgotten: its position first, then its pages, some at a time.

use std::sync::PoisonError;

use super::Tiers;
use crate::error::SledStoreError;
use crate::keys;
use crate::limits::SUNK_AT_BYTES;
use crate::paged_batch::PagedBatch;
use crate::work::EngineWork;

use tongban_types::GroupId;

impl Tiers {
    /// Forgets everything of a group, its position first and durably. Nobody commits to it meanwhile.
    pub(crate) fn clear(&self, group: GroupId) -> Result<(), SledStoreError> {
        let _clearing = self.clearing.lock().unwrap_or_else(PoisonError::into_inner);
        self.sink()?;
        let prefix = keys::group_prefix(group);
        self.forget_position(prefix)?;
        self.sync()?;
        while self.forget_some(prefix)? {
            // Whoever waits to write may not get the lock between two turns: it is not a fair one.
            if self.layers().waiting_bytes() >= SUNK_AT_BYTES {
                self.sink()?;
            }
        }
        Ok(())
    }

    fn forget_position(&self, prefix: [u8; keys::GROUP_BYTES]) -> Result<(), SledStoreError> {
        let _writing = self.writing();
        let mut batch = PagedBatch::default();
        batch.forget_position(prefix);
        self.apply(EngineWork::ForgettingPosition, batch)
    }

    fn forget_some(&self, prefix: [u8; keys::GROUP_BYTES]) -> Result<bool, SledStoreError> {
        let _writing = self.writing();
        let next = self.engine.with(EngineWork::ForgettingGroup, |engine| {
            engine.pages().forgetting(prefix)
        });
        match next? {
            None => Ok(false),
            Some(batch) => self
                .apply(EngineWork::ForgettingGroup, batch)
                .map(|()| true),
        }
    }
}
