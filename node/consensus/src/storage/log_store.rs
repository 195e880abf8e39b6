//! openraft's log over one group of the node's ordered log: votes and entries in one order, so that
//! a durable vote implies every entry written before it.

use std::fmt;
use std::io;
use std::ops::{Bound, Range, RangeBounds};

use futures_util::{Stream, StreamExt, stream};
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{AsyncRuntime, OptionalSend, RaftLogReader};
use tongban_runtime::ports::LogFailed;
use tongban_runtime::seams::Disk;
use tongban_types::GroupId;
use tongban_wal::{LogEntry, Wal};

use super::durable::DurableLog;
use crate::formats::{
    decode_entry, decode_log_id, decode_vote, encode_entry, encode_log_id, encode_vote,
};
use crate::raft_types::{Entry, LogId, Types, Vote, log_id, term_of};

/// Entries are read from the log in runs of about this many bytes, so that a long range never
/// stands in memory whole.
const RUN_BYTES_MAX: u64 = 4 << 20;

/// The log of one group; clones share it.
pub(crate) struct LogStore<R: AsyncRuntime, D: Disk> {
    wal: Wal<R, D>,
    group: GroupId,
    durable: DurableLog<R>,
    append_bytes_max: u64,
}

impl<R: AsyncRuntime, D: Disk> Clone for LogStore<R, D> {
    fn clone(&self) -> Self {
        Self {
            wal: self.wal.clone(),
            group: self.group,
            durable: self.durable.clone(),
            append_bytes_max: self.append_bytes_max,
        }
    }
}

impl<R: AsyncRuntime + Send + Sync, D: Disk> LogStore<R, D> {
    /// The log of `group`. What it holds now was recovered from the disk and is durable.
    pub(crate) fn new(wal: Wal<R, D>, group: GroupId, append_bytes_max: u64) -> Self {
        Self {
            wal,
            group,
            durable: DurableLog::new(),
            append_bytes_max,
        }
    }

    /// How far the log is durable.
    pub(crate) fn durable(&self) -> DurableLog<R> {
        self.durable.clone()
    }

    /// Nothing was ever written for the group on this node.
    pub(crate) fn is_fresh(&self) -> bool {
        self.wal.vote(self.group).is_none()
            && self.wal.last(self.group).is_none()
            && self.wal.purged(self.group).is_none()
    }

    /// Hands entries to the log; they can be read when this returns, and `done` is called once they
    /// are durable.
    pub(crate) async fn write(
        &self,
        entries: Vec<LogEntry>,
        done: impl FnOnce(Result<(), LogFailed>) + Send + 'static,
    ) -> Result<(), LogFailed> {
        let Some(first) = entries.first().map(|entry| entry.index) else {
            done(Ok(()));
            return Ok(());
        };
        let ticket = self.durable.begin(first);
        let durable = self.durable.clone();
        let done = move |result: Result<(), LogFailed>| {
            match result {
                Ok(()) => durable.complete(ticket),
                Err(_) => durable.fail(),
            }
            done(result);
        };
        self.wal.append(self.group, entries, Box::new(done)).await
    }

    fn purged(&self) -> io::Result<Option<LogId>> {
        match self.wal.purged(self.group) {
            Some((_, bytes)) => decode_log_id(&bytes).map_err(unreadable),
            None => Ok(None),
        }
    }

    /// The part of `range` that the log holds.
    fn held(&self, range: &impl RangeBounds<u64>) -> Range<u64> {
        let first = self
            .wal
            .purged(self.group)
            .map_or(0, |(index, _)| index + 1);
        let end = self
            .wal
            .last(self.group)
            .map_or(first, |(index, _)| index + 1);
        let from = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        from.max(first)..to.min(end)
    }

    /// The first entries of a range: at least one, if the log holds any of it.
    pub(crate) fn run(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<Entry>> {
        let run = self.wal.entries(self.group, range, bytes_max)?;
        run.iter().map(entry_of).collect()
    }

    /// The first entries of a range whose first entry must be there.
    fn run_from(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<Entry>> {
        let start = range.start;
        let run = self.run(range, bytes_max)?;
        match run.first() {
            Some(first) if first.log_id.index() == start => Ok(run),
            _ => Err(io::Error::other(format!(
                "the log does not hold entry {start}"
            ))),
        }
    }
}

impl<R: AsyncRuntime + Send + Sync, D: Disk> RaftLogReader<Types<R>> for LogStore<R, D> {
    async fn try_get_log_entries<B>(&mut self, range: B) -> io::Result<Vec<Entry>>
    where
        B: RangeBounds<u64> + Clone + fmt::Debug + OptionalSend,
    {
        let mut held = self.held(&range);
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut entries = self.run(held.clone(), RUN_BYTES_MAX)?;
        loop {
            held.start = entries
                .last()
                .map_or(held.end, |entry| entry.log_id.index() + 1);
            if held.is_empty() {
                return Ok(entries);
            }
            entries.extend(self.run_from(held.clone(), RUN_BYTES_MAX)?);
        }
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        let vote = self.wal.vote(self.group);
        vote.map(|bytes| decode_vote(&bytes).map_err(unreadable))
            .transpose()
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        if start >= end {
            return Ok(Vec::new());
        }
        self.run_from(start..end, self.append_bytes_max)
    }

    async fn entries_stream<B>(
        &mut self,
        range: B,
    ) -> impl Stream<Item = io::Result<Entry>> + OptionalSend
    where
        B: RangeBounds<u64> + Clone + fmt::Debug + OptionalSend,
    {
        let log = self.clone();
        let runs = stream::unfold(Some(self.held(&range)), move |held| {
            let log = log.clone();
            async move {
                let held = held.filter(|held| !held.is_empty())?;
                Some(match log.run_from(held.clone(), RUN_BYTES_MAX) {
                    Ok(run) => {
                        let next = held.start + run.len() as u64;
                        let run = run.into_iter().map(Ok).collect();
                        (run, Some(next..held.end))
                    }
                    Err(error) => (vec![Err(error)], None),
                })
            }
        });
        runs.flat_map(stream::iter).boxed()
    }
}

impl<R: AsyncRuntime + Send + Sync, D: Disk> RaftLogStorage<Types<R>> for LogStore<R, D> {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<Types<R>>> {
        let purged = self.purged()?;
        let last = self.wal.last(self.group);
        Ok(LogState {
            last_purged_log_id: purged,
            last_log_id: last.map(|(index, term)| log_id(term, index)).or(purged),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let saved = self.wal.save_vote(self.group, encode_vote(vote)).await;
        saved.map_err(io::Error::other)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        let bytes = encode_log_id(committed.as_ref());
        let saved = self.wal.save_committed(self.group, bytes);
        saved.map_err(io::Error::other)
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        match self.wal.committed(self.group) {
            Some(bytes) => decode_log_id(&bytes).map_err(unreadable),
            None => Ok(None),
        }
    }

    async fn append<I>(&mut self, entries: I, flushed: IOFlushed<Types<R>>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().map(|entry| stored(&entry)).collect();
        let done = move |result: Result<(), LogFailed>| {
            flushed.io_completed(result.map_err(io::Error::other));
        };
        self.write(entries, done).await.map_err(io::Error::other)
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        let last = last.map(|id| id.index());
        self.durable.cut(last.map_or(0, |index| index + 1));
        let cut = self.wal.truncate_after(self.group, last).await;
        cut.map_err(io::Error::other)
    }

    async fn purge(&mut self, upto: LogId) -> io::Result<()> {
        let bytes = encode_log_id(Some(&upto));
        let purged = self.wal.purge(self.group, upto.index(), bytes).await;
        purged.map_err(io::Error::other)
    }
}

/// An entry as the log stores it; a proposal's bytes are shared.
pub(crate) fn stored(entry: &Entry) -> LogEntry {
    LogEntry {
        index: entry.log_id.index(),
        term: term_of(&entry.log_id),
        bytes: encode_entry(&entry.payload),
    }
}

fn entry_of(stored: &LogEntry) -> io::Result<Entry> {
    Ok(Entry {
        log_id: log_id(stored.term, stored.index),
        payload: decode_entry(&stored.bytes).map_err(unreadable)?,
    })
}

fn unreadable(reason: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
