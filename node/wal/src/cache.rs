//! Which written entries still have their bytes in memory, oldest first. The bytes themselves are
//! in the slots of the groups.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tongban_types::GroupId;

use crate::index::GroupLog;

/// Below this many, entries that went by themselves are left in the queue until they are met.
const STALE_MIN: usize = 1024;

#[derive(Debug)]
struct Cached {
    group: GroupId,
    index: u64,
    id: u64,
}

/// The order in which written entries are let go of.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    order: VecDeque<Cached>,
    entries: usize,
    bytes: usize,
}

impl Cache {
    /// An entry was written and keeps its bytes for now.
    pub(crate) fn add(&mut self, group: GroupId, index: u64, id: u64, bytes: usize) {
        self.order.push_back(Cached { group, index, id });
        self.entries += 1;
        self.bytes += bytes;
    }

    /// A written entry is gone; `bytes` if it still had them.
    pub(crate) fn forget(&mut self, bytes: Option<&Bytes>) {
        if let Some(bytes) = bytes {
            self.entries -= 1;
            self.bytes -= bytes.len();
        }
    }

    /// Lets go of the oldest bytes until at most `bytes_max` remain.
    pub(crate) fn shrink(&mut self, groups: &mut BTreeMap<GroupId, GroupLog>, bytes_max: usize) {
        while self.bytes > bytes_max {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            let slot = groups
                .get_mut(&oldest.group)
                .and_then(|log| log.slot_mut(oldest.index))
                .filter(|slot| slot.id == oldest.id);
            if let Some(bytes) = slot.and_then(|slot| slot.bytes.take()) {
                self.forget(Some(&bytes));
            }
        }
        // Purged entries leave their place in the order behind; without this it would grow as long
        // as purging keeps the cache small.
        if self.order.len() > STALE_MIN + 2 * self.entries {
            self.order.retain(|one| {
                let slot = groups.get(&one.group).and_then(|log| log.slot(one.index));
                slot.is_some_and(|slot| slot.id == one.id && slot.bytes.is_some())
            });
        }
    }
}
