//! The handle to the log: what Raft groups ask of it. Answers come from memory where they can; an
//! append answers as soon as its entries can be read and tells later when they are durable.

use std::io;
use std::marker::PhantomData;
use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::Bytes;
use openraft_rt::{AsyncRuntime, Oneshot, OneshotSender as _};
use tongban_runtime::ports::LogFailed;
use tongban_runtime::seams::Disk;
use tongban_types::GroupId;

use crate::config::{ENTRY_BYTES_MAX, WalConfig};
use crate::error::OpenError;
use crate::format::Record;
use crate::housekeeping;
use crate::index::LogEntry;
use crate::metrics::WalMetrics;
use crate::reading::{Source, read_stored};
use crate::recovery::{Recovered, recover};
use crate::shared::Shared;
use crate::state::{Completion, State};
use crate::writer::Writer;

/// The one ordered log of a node. Clones share it; when the last is dropped, what is queued is
/// still written and the log is closed.
pub struct Wal<R, D: Disk> {
    handle: Arc<Handle<D>>,
    runtime: PhantomData<fn() -> R>,
}

/// Closes the log with the last clone.
struct Handle<D: Disk> {
    shared: Arc<Shared<D>>,
}

impl<D: Disk> Drop for Handle<D> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<R, D: Disk> Clone for Wal<R, D> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            runtime: PhantomData,
        }
    }
}

impl<R, D: Disk> std::fmt::Debug for Wal<R, D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wal")
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}

impl<R, D: Disk> Wal<R, D> {
    pub(crate) fn shared(&self) -> &Shared<D> {
        &self.handle.shared
    }

    /// Why the log takes no more writes, if so.
    pub fn failed(&self) -> Option<LogFailed> {
        self.shared().lock().failed().cloned()
    }

    /// Counters since the log was opened; takes no lock.
    pub fn metrics(&self) -> WalMetrics {
        self.shared().counters.snapshot()
    }

    /// The groups the log knows anything of, sorted.
    pub fn groups(&self) -> Vec<GroupId> {
        self.shared().lock().groups.keys().copied().collect()
    }

    /// The last vote of a group that is durable.
    pub fn vote(&self, group: GroupId) -> Option<Bytes> {
        let state = self.shared().lock();
        state.groups.get(&group)?.durable.vote.clone()
    }

    /// How far a group was last said to be committed. After a restart it may be older than what was
    /// saved, never newer than the entries that are there.
    pub fn committed(&self, group: GroupId) -> Option<Bytes> {
        self.shared().lock().groups.get(&group)?.committed.clone()
    }

    /// Up to which index a group's entries are purged, and what was to be remembered of that.
    pub fn purged(&self, group: GroupId) -> Option<(u64, Vec<u8>)> {
        let state = self.shared().lock();
        let purged = state.groups.get(&group)?.purged.as_ref()?;
        Some((purged.upto, purged.meta.to_vec()))
    }

    /// Index and term of the last entry that is there; `None` when all are purged or none ever was.
    pub fn last(&self, group: GroupId) -> Option<(u64, u64)> {
        self.shared().lock().groups.get(&group)?.last()
    }

    /// The term of an entry that is there.
    pub fn term_of(&self, group: GroupId, index: u64) -> Option<u64> {
        let state = self.shared().lock();
        Some(state.groups.get(&group)?.slot(index)?.term)
    }

    /// The entries of `range` that are there, in order, durable or not: at least one, then as many
    /// as fit in `bytes_max`. An entry that is damaged on disk is an error `InvalidData`.
    pub fn entries(
        &self,
        group: GroupId,
        range: impl RangeBounds<u64>,
        bytes_max: u64,
    ) -> io::Result<Vec<LogEntry>> {
        let found = self.shared().lock().find(group, &range, bytes_max);
        let counters = &self.shared().counters;
        let mut entries = Vec::with_capacity(found.len());
        for (index, term, source) in found {
            let bytes = match source {
                Source::Memory(bytes) => {
                    counters.cache_hits.add(1);
                    bytes
                }
                Source::Disk(stored) => {
                    counters.cache_misses.add(1);
                    read_stored(&stored, group, index, term)?
                }
            };
            entries.push(LogEntry { index, term, bytes });
        }
        Ok(entries)
    }
}

impl<R: AsyncRuntime + Send + Sync, D: Disk> Wal<R, D> {
    /// Opens the log in the folder `wal` of `disk`, or begins one, and starts its writer. To be
    /// called within the runtime.
    pub async fn open(disk: D, config: WalConfig) -> Result<Self, OpenError> {
        let Recovered {
            state,
            tables,
            active,
        } = recover::<R, D>(&disk, &config).await?;
        let shared = Arc::new(Shared::new(disk, config, state, tables));
        let tidy = housekeeping::claim(&mut shared.lock(), &shared.tables);
        if tidy {
            drop(R::spawn(housekeeping::run::<R, D>(Arc::clone(&shared))));
        }
        drop(R::spawn(
            Writer::<R, D>::new(Arc::clone(&shared), active).run(),
        ));
        Ok(Self {
            handle: Arc::new(Handle { shared }),
            runtime: PhantomData,
        })
    }

    /// Saves a vote; once this returns it is durable, and so is everything queued before it.
    pub async fn save_vote(&self, group: GroupId, bytes: Bytes) -> Result<(), LogFailed> {
        may_hold(&bytes)?;
        self.write_durably(Record::Vote { group, bytes }).await
    }

    /// Adds entries behind the last one of their group (behind the purged ones in an empty group,
    /// anywhere in a new one). They can be read when this returns; `done` is called once they are
    /// durable, after everything queued before them, or with an error. Waits while too much is
    /// queued; a call that is dropped while it waits adds nothing and drops `done`.
    pub async fn append(
        &self,
        group: GroupId,
        entries: Vec<LogEntry>,
        done: Completion,
    ) -> Result<(), LogFailed> {
        if let Err(failed) = self.shared().room().await {
            done(Err(failed.clone()));
            return Err(failed);
        }
        let appended = self.shared().lock().append(group, entries, done);
        appended.map_err(|(failed, done)| {
            done(Err(failed.clone()));
            failed
        })
    }

    /// Removes the entries behind index `last`, all for `None`; durable when this returns. They
    /// cannot be read any more from the moment it is called.
    pub async fn truncate_after(&self, group: GroupId, last: Option<u64>) -> Result<(), LogFailed> {
        self.durably(|state, done| state.truncate(group, last, done))
            .await
    }

    /// Removes the entries up to and with `upto`, which may be beyond the last one; the group then
    /// goes on at `upto + 1`. Returns when they cannot be read any more: if the power goes before
    /// it is durable they are back, which does no harm.
    pub async fn purge(&self, group: GroupId, upto: u64, meta: Bytes) -> Result<(), LogFailed> {
        may_hold(&meta)?;
        self.shared().room().await?;
        let mut state = self.shared().lock();
        state.usable()?;
        state.purge(group, upto, meta);
        Ok(())
    }

    /// Notes how far a group is committed; it is written with whatever is written next.
    pub fn save_committed(&self, group: GroupId, bytes: Bytes) -> Result<(), LogFailed> {
        may_hold(&bytes)?;
        let mut state = self.shared().lock();
        state.usable()?;
        state.save_committed(group, bytes);
        Ok(())
    }

    /// Writes what is queued and the closing mark, and takes no more writes from then on. A log that
    /// had failed before says why.
    pub async fn close(&self) -> Result<(), LogFailed> {
        self.shared().close();
        self.shared().ended().await
    }

    /// Returns once everything queued before this call is durable.
    pub async fn flush(&self) -> Result<(), LogFailed> {
        self.durably(|state, done| {
            state.enqueue(None, 0, Some(done));
        })
        .await
    }

    pub(crate) async fn write_durably(&self, record: Record) -> Result<(), LogFailed> {
        self.durably(|state, done| {
            state.enqueue(Some(record), 0, Some(done));
        })
        .await
    }

    async fn durably(
        &self,
        queue: impl FnOnce(&mut State<D::File>, Completion) + Send,
    ) -> Result<(), LogFailed> {
        self.shared().room().await?;
        let (sender, durable) = R::Oneshot::channel();
        let done = Box::new(move |outcome| {
            // A caller that no longer waits does not want to know.
            let _gone = sender.send(outcome);
        });
        {
            let mut state = self.shared().lock();
            state.usable()?;
            state.queue_newest_committed();
            queue(&mut state, done);
        }
        durable.await.unwrap_or_else(|error| {
            Err(LogFailed {
                reason: error.to_string(),
            })
        })
    }
}

fn may_hold(bytes: &Bytes) -> Result<(), LogFailed> {
    if bytes.len() <= ENTRY_BYTES_MAX {
        return Ok(());
    }
    Err(LogFailed {
        reason: format!(
            "a mark of {} bytes is beyond {ENTRY_BYTES_MAX}",
            bytes.len()
        ),
    })
}
