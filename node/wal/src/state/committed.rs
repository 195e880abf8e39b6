//! How far groups are committed, on its way to the writer: not worth a sync by itself, and never behind
//! what rests on it.

use bytes::Bytes;
use tongban_types::GroupId;

use super::State;
use crate::format::Record;

impl<F> State<F> {
    /// Remembers how far a group is committed; it is written with what is written next.
    pub(crate) fn save_committed(&mut self, group: GroupId, bytes: Bytes) {
        self.groups.entry(group).or_default().committed = Some(bytes);
        if !self.committed_queued.contains_key(&group) {
            self.queue_committed(group);
        }
    }

    /// Queues the newest committed mark of every group, so that what is queued next does not become
    /// durable before them: a record that rests on an applied entry would outlive the knowledge
    /// that the entry may be applied.
    pub(crate) fn queue_newest_committed(&mut self) {
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        for group in groups {
            self.queue_committed(group);
        }
    }

    /// Queues the newest committed mark of a group unless it is queued or durable.
    fn queue_committed(&mut self, group: GroupId) {
        let Some(log) = self.groups.get(&group) else {
            return;
        };
        let queued = self.committed_queued.get(&group);
        let newest = queued.or(log.durable.committed.as_ref());
        if let Some(bytes) = log.committed.clone()
            && newest != Some(&bytes)
        {
            let writer = self.writer.take();
            self.committed_queued.insert(group, bytes.clone());
            self.enqueue(Some(Record::Committed { group, bytes }), 0, None);
            self.quiet += 1;
            self.writer = writer;
        }
    }

    /// A committed mark is durable.
    pub(crate) fn settle_committed(&mut self, group: GroupId, bytes: Bytes) {
        if self.committed_queued.get(&group) == Some(&bytes) {
            self.committed_queued.remove(&group);
        }
        self.groups.entry(group).or_default().durable.committed = Some(bytes);
        if !self.committed_queued.contains_key(&group) {
            self.queue_committed(group);
        }
    }
}
