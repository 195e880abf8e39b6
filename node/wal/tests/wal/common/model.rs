//! What a log should hold after each step of its history.

use std::collections::BTreeMap;

use bytes::Bytes;
use tongban_runtime::ports::{LocalLog, LocalTable, LocalWrite};
use tongban_types::GroupId;
use tongban_wal::LogEntry;

use super::TestWal;

/// The tables the tests write to.
pub const TABLES: [LocalTable; 2] = [LocalTable::Desk, LocalTable::Vault];

/// One record of the log, in the order in which it was queued.
#[derive(Clone, Debug)]
pub enum Step {
    Entry(GroupId, LogEntry),
    Truncate(GroupId, Option<u64>),
    Purge(GroupId, u64, Bytes),
    Vote(GroupId, Bytes),
    Local(Vec<LocalWrite>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupModel {
    pub vote: Option<Bytes>,
    pub purged: Option<(u64, Vec<u8>)>,
    pub entries: BTreeMap<u64, (u64, Bytes)>,
}

impl GroupModel {
    /// The index of the next entry.
    pub fn next(&self) -> u64 {
        let purged = self.purged.as_ref().map_or(1, |(upto, _)| upto + 1);
        self.entries
            .keys()
            .next_back()
            .map_or(purged, |last| last + 1)
    }
}

/// Everything a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub groups: BTreeMap<GroupId, GroupModel>,
    pub local: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
}

impl Model {
    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Entry(group, entry) => {
                let entries = &mut self.groups.entry(*group).or_default().entries;
                entries.insert(entry.index, (entry.term, entry.bytes.clone()));
            }
            Step::Truncate(group, last) => {
                let entries = &mut self.groups.entry(*group).or_default().entries;
                entries.retain(|index, _| last.is_some_and(|last| *index <= last));
            }
            Step::Purge(group, upto, meta) => {
                let group = self.groups.entry(*group).or_default();
                group.entries.retain(|index, _| index > upto);
                group.purged = Some((*upto, meta.to_vec()));
            }
            Step::Vote(group, bytes) => {
                self.groups.entry(*group).or_default().vote = Some(bytes.clone());
            }
            Step::Local(writes) => {
                for write in writes {
                    let key = (write.table as u8, write.key.clone());
                    match &write.value {
                        Some(value) => drop(self.local.insert(key, value.clone())),
                        None => drop(self.local.remove(&key)),
                    }
                }
            }
        }
    }

    /// Reads a log whole.
    pub fn of(wal: &TestWal) -> Result<Self, String> {
        let mut model = Self::default();
        for id in wal.groups() {
            let read = wal
                .entries(id, .., u64::MAX)
                .map_err(|error| error.to_string())?;
            let entries = read
                .into_iter()
                .map(|one| (one.index, (one.term, one.bytes)));
            let group = GroupModel {
                vote: wal.vote(id),
                purged: wal.purged(id),
                entries: entries.collect(),
            };
            if group != GroupModel::default() {
                model.groups.insert(id, group);
            }
        }
        for table in TABLES {
            for (key, value) in wal.scan(table, &[], usize::MAX) {
                model.local.insert((table as u8, key), value);
            }
        }
        Ok(model)
    }

    /// Without groups of which nothing is known, which a log need not remember.
    pub fn trimmed(mut self) -> Self {
        self.groups
            .retain(|_, group| *group != GroupModel::default());
        self
    }
}
