//! A state written down as it stood at one moment, while entries go on being applied to it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use tongban_types::Hash;

use super::files::snapshot_file;
use super::{Before, Replica, broken};
use crate::ports::{SnapshotFile, StateFailed};
use crate::seams::{Disk, Platform, StateStore};
use crate::signal::give_way;
use crate::snapshot::{self, Head, PAGE_PAIRS, Page, Pair, Writer};

/// A state that is being written as it stood, while others go on applying; whoever writes it may be stopped
/// at any time, and what changes is kept no longer.
pub(super) struct FrozenState<'a, P: Platform> {
    pub(super) replica: &'a Replica<P>,
    pub(super) head: Head,
    pub(super) state_hash: Hash,
}

impl<P: Platform> Drop for FrozenState<'_, P> {
    fn drop(&mut self) {
        *self.replica.frozen() = None;
    }
}

impl<P: Platform> Replica<P> {
    /// The next page of the state as it was when the snapshot was begun, and the key to go on from;
    /// `None` at the end. A page may be empty where every key of it is newer.
    pub(super) fn next_frozen(&self, from: &[u8]) -> Result<(Page, Option<Vec<u8>>), StateFailed> {
        let frozen = self.frozen();
        let stored = self
            .store
            .scan(self.group, from, &[u8::MAX], PAGE_PAIRS)
            .map_err(|e| broken(&e))?;
        // A full page reaches to its last key, a short one to the end of the state.
        let next = (stored.len() == PAGE_PAIRS).then(|| {
            let mut next = stored
                .last()
                .map(|(key, _)| key.clone())
                .unwrap_or_default();
            next.push(0);
            next
        });
        let mut page: BTreeMap<Vec<u8>, Vec<u8>> = stored.into_iter().collect();
        if let Some(before) = frozen.as_ref() {
            let changed = before
                .range(from.to_vec()..)
                .take_while(|(key, _)| next.as_ref().is_none_or(|next| *key < next));
            for (key, value) in changed {
                match value {
                    Some(value) => page.insert(key.clone(), value.clone()),
                    None => page.remove(key),
                };
            }
        }
        Ok((page.into_iter().collect(), next))
    }

    /// The state as it stands from now on, however it is changed until what this gives is let go.
    pub(super) fn freeze(&self) -> Result<FrozenState<'_, P>, StateFailed> {
        let mut frozen = self.frozen();
        let (index, position) = self.stored_position()?.ok_or(StateFailed::Rejected {
            reason: "there is no state yet".to_owned(),
        })?;
        let state_hash = self.read(tongban_machine::state_hash)?;
        *frozen = Some(Before::new());
        drop(frozen);
        Ok(FrozenState {
            replica: self,
            head: Head {
                group: self.group,
                index,
                position,
            },
            state_hash,
        })
    }

    /// Writes the frozen state into a file that is whole and synced, and has no name of its own yet.
    pub(super) async fn write_part(
        &self,
        head: &Head,
        mut each: impl FnMut(&[Pair]),
    ) -> Result<String, StateFailed> {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let part = snapshot::part_name(self.group, number);
        let file = self.disk.create(&part).map_err(|e| broken(&e))?;
        let mut writer = Writer::start(file, head).map_err(|e| broken(&e))?;
        let mut from = Vec::new();
        loop {
            let (page, next) = self.next_frozen(&from)?;
            each(&page);
            // What was deleted since the freeze comes back into the page: it may be many pairs more,
            // and a page larger than a reader takes would make the file worthless.
            for part in page.chunks(PAGE_PAIRS) {
                writer.page(part).map_err(|e| broken(&e))?;
            }
            match next {
                Some(next) => from = next,
                None => break,
            }
            give_way().await;
        }
        writer.finish().await.map_err(|e| broken(&e))?;
        Ok(part)
    }

    pub(super) async fn write_snapshot(&self, head: Head) -> Result<SnapshotFile, StateFailed> {
        let part = self.write_part(&head, |_| {}).await?;
        let name = snapshot::final_name(self.group, head.index);
        self.name_and_tidy(&part, &name).await?;
        let file = self.disk.open(&name).map_err(|e| broken(&e))?;
        snapshot_file::<P::Disk>(name, head, file)
    }
}
