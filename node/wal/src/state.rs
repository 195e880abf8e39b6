//! What is behind the lock of a log: the groups in memory, the segments, and the queue to the
//! writer.

mod committed;

use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

use bytes::Bytes;
use tongban_runtime::ports::LogFailed;
use tongban_types::GroupId;

use crate::cache::Cache;
use crate::config::{ENTRY_BYTES_MAX, WalConfig};
use crate::format::Record;
use crate::index::{GroupLog, LogEntry, Place, Purged, Slot};

/// Called once with the outcome, in the order of the log.
pub type Completion = Box<dyn FnOnce(Result<(), LogFailed>) + Send>;

/// A segment file and how much of it is still needed.
#[derive(Debug)]
pub(crate) struct Segment<F> {
    pub(crate) file: F,
    pub(crate) salt: u64,
    /// Its length on disk.
    pub(crate) capacity: u64,
    /// Where its batches end.
    pub(crate) end: u64,
    /// Bytes of entries in it that are neither purged, truncated nor moved.
    pub(crate) live_bytes: u64,
    /// The record that last took an entry from it: the segment may go once that is durable.
    pub(crate) last_death: u64,
}

/// A record on its way to the writer.
pub(crate) struct Pending {
    /// Its number: records are written, become durable and complete in this order.
    pub(crate) id: u64,
    /// `None` for a caller that only waits for what came before it.
    pub(crate) record: Option<Record>,
    /// For a moved entry, the slot it belongs to.
    pub(crate) slot: u64,
    pub(crate) done: Option<Completion>,
}

/// Behind the lock.
pub(crate) struct State<F> {
    pub(crate) groups: BTreeMap<GroupId, GroupLog>,
    pub(crate) segments: BTreeMap<u64, Segment<F>>,
    pub(crate) cache: Cache,
    pub(crate) queue: VecDeque<Pending>,
    pub(crate) queue_bytes: usize,
    /// The newest committed mark in the queue, of each group that has one there: in the queue, so
    /// that it never gets before the entries it speaks of, and a newer one only when somebody waits
    /// for a record behind it, so that marks need no room of their own.
    committed_queued: BTreeMap<GroupId, Bytes>,
    /// Records in the queue that are not worth a sync by themselves.
    pub(crate) quiet: usize,
    next_id: u64,
    /// Every record up to this one is durable.
    pub(crate) durable_id: u64,
    /// A checkpoint holds every local change of the segments before this one.
    pub(crate) checkpoint_base: u64,
    /// A task is removing, moving or checkpointing.
    pub(crate) housekeeping: bool,
    pub(crate) failed: Option<LogFailed>,
    pub(crate) closing: bool,
    /// The closing mark is durable.
    pub(crate) closed: bool,
    pub(crate) writer: Option<Waker>,
    pub(crate) waiting_for_room: Vec<Waker>,
}

/// What the writer takes at a time.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) waiting: Vec<Pending>,
    /// Bytes of all records.
    pub(crate) bytes: usize,
}

impl Taken {
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.waiting.iter().filter_map(|one| one.record.as_ref())
    }
}

impl<F> State<F> {
    pub(crate) fn new(
        groups: BTreeMap<GroupId, GroupLog>,
        segments: BTreeMap<u64, Segment<F>>,
        checkpoint_base: u64,
    ) -> Self {
        Self {
            groups,
            segments,
            cache: Cache::default(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            committed_queued: BTreeMap::new(),
            quiet: 0,
            next_id: 1,
            durable_id: 0,
            checkpoint_base,
            housekeeping: false,
            failed: None,
            closing: false,
            closed: false,
            writer: None,
            waiting_for_room: Vec::new(),
        }
    }

    /// Wakes the waker when there may be room, or the log ended.
    pub(crate) fn wake_later(&mut self, waker: &Waker) {
        if !self.waiting_for_room.iter().any(|one| one.will_wake(waker)) {
            self.waiting_for_room.push(waker.clone());
        }
    }

    pub(crate) fn failed(&self) -> Option<&LogFailed> {
        self.failed.as_ref()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Fails if the log has failed.
    pub(crate) fn usable(&self) -> Result<(), LogFailed> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// The number of the record that was queued last.
    pub(crate) fn newest_id(&self) -> u64 {
        self.next_id - 1
    }

    /// Queues a record and returns its number.
    pub(crate) fn enqueue(
        &mut self,
        record: Option<Record>,
        slot: u64,
        done: Option<Completion>,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.queue_bytes += record.as_ref().map_or(0, Record::encoded_len);
        self.queue.push_back(Pending {
            id,
            record,
            slot,
            done,
        });
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        id
    }

    /// Adds entries to a group, in memory and to the queue; `done` is handed back if they do not
    /// continue the group or one is too large.
    pub(crate) fn append(
        &mut self,
        group: GroupId,
        entries: Vec<LogEntry>,
        done: Completion,
    ) -> Result<(), (LogFailed, Completion)> {
        if let Err(failed) = self.may_append(group, &entries) {
            return Err((failed, done));
        }
        let mut done = Some(done);
        let count = entries.len();
        if count == 0 {
            self.enqueue(None, 0, done.take());
        }
        for (position, entry) in entries.into_iter().enumerate() {
            let LogEntry { index, term, bytes } = entry;
            let record = Record::Entry {
                group,
                index,
                term,
                bytes: bytes.clone(),
            };
            let last = position + 1 == count;
            let id = self.enqueue(Some(record), 0, if last { done.take() } else { None });
            let slot = Slot {
                term,
                id,
                place: None,
                bytes: Some(bytes),
            };
            self.groups.entry(group).or_default().push(index, slot);
        }
        Ok(())
    }

    fn may_append(&self, group: GroupId, entries: &[LogEntry]) -> Result<(), LogFailed> {
        self.usable()?;
        let mut next = self.groups.get(&group).and_then(GroupLog::next_index);
        for entry in entries {
            let expected = next.unwrap_or(entry.index);
            if entry.index != expected {
                let index = entry.index;
                return Err(LogFailed {
                    reason: format!("entry {index} of {group} does not follow: {expected} does"),
                });
            }
            if entry.bytes.len() > ENTRY_BYTES_MAX {
                let length = entry.bytes.len();
                return Err(LogFailed {
                    reason: format!("an entry of {length} bytes is beyond {ENTRY_BYTES_MAX}"),
                });
            }
            // No log reaches the last index: its end would not be a number.
            next = entry.index.checked_add(1);
            if next.is_none() {
                let reason = format!("entry {} of {group} is beyond any log", entry.index);
                return Err(LogFailed { reason });
            }
        }
        Ok(())
    }

    /// Removes the entries behind `last` and queues that.
    pub(crate) fn truncate(&mut self, group: GroupId, last: Option<u64>, done: Completion) {
        let record = Record::Truncate { group, last };
        let id = self.enqueue(Some(record), 0, Some(done));
        if let Some(log) = self.groups.get_mut(&group) {
            let gone = log.truncate_after(last);
            self.bury(gone, id);
        }
    }

    /// Removes the entries up to `upto` and queues that. A mark that is there already stays.
    pub(crate) fn purge(&mut self, group: GroupId, upto: u64, meta: Bytes) {
        let log = self.groups.entry(group).or_default();
        if log
            .purged
            .as_ref()
            .is_some_and(|purged| purged.upto >= upto)
        {
            return;
        }
        let gone = log.purge(Purged {
            upto,
            meta: meta.clone(),
        });
        let id = self.enqueue(Some(Record::Purge { group, upto, meta }), 0, None);
        self.bury(gone, id);
    }

    /// Empties the queue of a log that has failed, and returns who waited in it.
    pub(crate) fn give_up(&mut self) -> VecDeque<Pending> {
        self.queue_bytes = 0;
        self.quiet = 0;
        self.committed_queued.clear();
        std::mem::take(&mut self.queue)
    }

    /// The entries that lay in `gone` slots are no longer needed, by the word of record `id`.
    fn bury(&mut self, gone: VecDeque<Slot>, id: u64) {
        for slot in gone {
            if let Some(place) = slot.place {
                self.cache.forget(slot.bytes.as_ref());
                self.unplace(place, id);
            }
        }
    }

    /// An entry is no longer needed where it lies, by the word of record `id`.
    pub(crate) fn unplace(&mut self, place: Place, id: u64) {
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.live_bytes -= u64::from(place.extent.length);
            segment.last_death = segment.last_death.max(id);
        }
    }

    /// Takes the front of the queue: at least one record, then as many as a batch holds.
    pub(crate) fn take(&mut self, config: &WalConfig) -> Taken {
        let mut taken = Taken::default();
        while taken.waiting.len() < config.batch_records {
            let Some(next) = self.queue.front() else {
                break;
            };
            let bytes = next.record.as_ref().map_or(0, Record::encoded_len);
            if !taken.waiting.is_empty() && taken.bytes + bytes > config.batch_bytes {
                break;
            }
            taken.bytes += bytes;
            self.queue_bytes -= bytes;
            self.quiet -= usize::from(matches!(next.record, Some(Record::Committed { .. })));
            taken.waiting.extend(self.queue.pop_front());
        }
        taken
    }
}
