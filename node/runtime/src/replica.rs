//! One group's replicated state on this node: opened, read, and told to whoever waits for it. How it is
//! applied to, compared and kept in snapshots is in the rooms below.

mod applying;
mod aside;
mod checking;
mod comparing;
mod dissent;
mod files;
mod freezing;
mod position;
mod registry;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use openraft_rt::{AsyncRuntime, Mutex as _};
use tongban_machine::{Alarm, Machine, View};
use tongban_types::{Code, GroupId, Hash};

use crate::feed::{ChangePlace, Changes, Feed};
use crate::gauges::{AppliedCounters, AppliedCounts};
use crate::ports::{CommittedEntry, Placement, ReplicatedState, SnapshotFile, StateFailed};
use crate::seams::{Disk, DiskFile, Platform};
use crate::signal::Signal;
use crate::snapshot;
use crate::store_view::StoreView;

use dissent::Dissent;
use registry::Shown;

/// What is told of each applied entry, for whoever watches a group: the simulator's oracle, the
/// event stream.
pub trait Witness: Send + Sync + 'static {
    /// An entry was applied at this index; `hash` is the state hash after it.
    fn applied(&self, group: GroupId, index: u64, hash: Hash);

    /// Another replica reported another state than this one holds, whether or not this one stops for it.
    fn diverged(&self, group: GroupId, alarm: Alarm);
}

/// Values as they were when a snapshot was begun, of keys changed since.
type Before = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The replicated state of one group.
pub struct Replica<P: Platform> {
    group: GroupId,
    machine: Arc<Machine>,
    store: Arc<P::Store>,
    disk: P::Disk,
    witness: Option<Arc<dyn Witness>>,
    /// Held while a batch is committed or a page is read: one sees all of a batch or nothing.
    frozen: Mutex<Option<Before>>,
    /// Held while a snapshot is cut or installed: neither sees half of the other.
    alone: <P::Runtime as AsyncRuntime>::Mutex<()>,
    newest: Mutex<Option<SnapshotFile>>,
    applied: AtomicU64,
    /// Grows when the state begins to be filled from a snapshot, and again when it is whole: odd in
    /// between.
    fillings: AtomicU64,
    parts: AtomicU64,
    changed: Signal<P::Runtime>,
    counters: AppliedCounters,
    dissent: Mutex<Dissent>,
    /// Why it was stopped for good.
    set_aside: OnceLock<String>,
    feed: Mutex<Feed>,
    registry: Mutex<Option<Shown>>,
}

impl<P: Platform> std::fmt::Debug for Replica<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

fn broken(error: &dyn std::error::Error) -> StateFailed {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    StateFailed::Broken { reason }
}

impl<P: Platform> Replica<P> {
    /// Opens the state of a group: what the store holds, or, where that is older than the newest
    /// snapshot or gone, that snapshot. The log brings it up to date.
    pub async fn open(
        machine: Arc<Machine>,
        store: Arc<P::Store>,
        disk: P::Disk,
        witness: Option<Arc<dyn Witness>>,
    ) -> Result<Self, StateFailed> {
        let group = machine.group();
        let replica = Self {
            group,
            machine,
            store,
            disk,
            witness,
            frozen: Mutex::new(None),
            alone: <P::Runtime as AsyncRuntime>::Mutex::new(()),
            newest: Mutex::new(None),
            applied: AtomicU64::new(0),
            fillings: AtomicU64::new(0),
            parts: AtomicU64::new(0),
            changed: Signal::new(),
            counters: AppliedCounters::default(),
            dissent: Mutex::default(),
            set_aside: OnceLock::new(),
            feed: Mutex::default(),
            registry: Mutex::default(),
        };
        replica.clear_parts()?;
        let held = replica.stored_position()?.map_or(0, |(index, _)| index);
        if let Some(newest) = replica.find_newest(held).await? {
            if newest.index > held {
                tracing::info!(%group, index = newest.index, "filling the state from its snapshot");
                replica.fill_from(&newest).await?;
            }
            replica.keep(newest);
        }
        let index = replica.stored_position()?.map_or(0, |(index, _)| index);
        replica.applied.store(index, Ordering::Release);
        replica.open_feed()?;
        replica.read_mark()?;
        Ok(replica)
    }

    /// Which group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// The machine of the group.
    pub fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// Reads from the state as of the last applied entry; an error while it is being filled from a
    /// snapshot, because a half of it shows no case that is in the other half.
    pub fn read<T>(&self, question: impl FnOnce(&dyn View) -> T) -> Result<T, StateFailed> {
        self.while_whole(|| {
            let view = StoreView::new(self.store.clone(), self.group);
            let answer = question(&view);
            match view.take_failure() {
                None => Ok(answer),
                Some(error) => Err(broken(&error)),
            }
        })
    }

    /// What `look` saw, if the state was whole from before it until after it.
    fn while_whole<T>(
        &self,
        look: impl FnOnce() -> Result<T, StateFailed>,
    ) -> Result<T, StateFailed> {
        let before = self.fillings.load(Ordering::Acquire);
        if !before.is_multiple_of(2) {
            return Err(StateFailed::Filling);
        }
        let seen = look();
        // What was looked at must not be looked at behind this.
        fence(Ordering::Acquire);
        if self.fillings.load(Ordering::Relaxed) != before {
            return Err(StateFailed::Filling);
        }
        seen
    }

    /// Whether it is being filled from a snapshot, so that nothing of it can be read.
    pub fn is_filling(&self) -> bool {
        !self.fillings.load(Ordering::Acquire).is_multiple_of(2)
    }

    /// The index of the last applied entry.
    pub fn applied_index(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// What changed behind a place, at most `limit`.
    pub fn changes(&self, after: ChangePlace, limit: usize) -> Result<Changes, StateFailed> {
        let now = || *self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.while_whole(|| {
            let read = now().read(&*self.store, self.group, after, limit);
            read.map_err(|e| broken(&e))
        })?;
        // What was forgotten while it was read may be missing in it.
        Ok(if now().holds(after) {
            read
        } else {
            Changes::Gone
        })
    }

    /// Rings after each applied batch.
    pub fn changed(&self) -> &Signal<P::Runtime> {
        &self.changed
    }

    /// Commands and parcels refused since start, by code, for metrics.
    pub fn refused(&self) -> BTreeMap<Code, u64> {
        self.counters.read().refused
    }

    /// What was applied since start, for metrics.
    pub(crate) fn applied_counts(&self) -> AppliedCounts {
        self.counters.read()
    }

    fn open_feed(&self) -> Result<(), StateFailed> {
        let opened = Feed::open(&*self.store, self.group).map_err(|e| broken(&e))?;
        *self.feed.lock().unwrap_or_else(PoisonError::into_inner) = opened;
        Ok(())
    }

    fn frozen(&self) -> MutexGuard<'_, Option<Before>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, file: SnapshotFile) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    }
}

#[async_trait]
impl<P: Platform> ReplicatedState for Replica<P> {
    fn position(&self) -> Result<Option<Vec<u8>>, StateFailed> {
        Ok(self.stored_position()?.map(|(_, position)| position))
    }

    fn placement_behind(&self, entries: &[Bytes]) -> Result<Option<Placement>, StateFailed> {
        let entries = entries.iter().map(|entry| &entry[..]);
        self.read(|view| self.machine.foresee_placement(view, entries))
    }

    async fn apply(&self, entries: Vec<CommittedEntry>) -> Result<Vec<Bytes>, StateFailed> {
        let replies = self.apply_all(entries).await;
        if self.has_diverged() {
            self.flush_mark().await;
        }
        self.changed.ring();
        replies
    }

    async fn cut_snapshot(&self) -> Result<SnapshotFile, StateFailed> {
        let _alone = self.alone.lock().await;
        // Nobody is to be filled from it, and its mark is to stay here.
        if let Some(reason) = self.set_aside_reason() {
            let reason = reason.to_owned();
            return Err(StateFailed::Rejected { reason });
        }
        let frozen = self.freeze()?;
        let file = self.write_snapshot(frozen.head.clone()).await?;
        drop(frozen);
        self.keep(file.clone());
        Ok(file)
    }

    fn current_snapshot(&self) -> Option<SnapshotFile> {
        self.newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn check_room(&self, length: u64, left: u64) -> Result<(), StateFailed> {
        self.find_room(length, left)
    }

    fn begin_receive(&self) -> Result<String, StateFailed> {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let name = snapshot::part_name(self.group, number);
        self.disk.create(&name).map_err(|e| broken(&e))?;
        Ok(name)
    }

    fn receive(&self, name: &str, offset: u64, piece: &[u8]) -> Result<(), StateFailed> {
        let file = self.disk.open(name).map_err(|e| broken(&e))?;
        file.write_at(offset, piece).map_err(|e| broken(&e))
    }

    async fn check_received(&self, name: &str) -> Result<SnapshotFile, StateFailed> {
        let checked = self.check(name).await?;
        let file = self.disk.open(name).map_err(|e| broken(&e))?;
        file.sync().await.map_err(|e| broken(&e))?;
        Ok(checked)
    }

    fn discard(&self, name: &str) {
        match self.disk.remove(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(group = %self.group, %name, %error, "a received file stays behind");
            }
            _ => {}
        }
    }

    async fn install(&self, file: &SnapshotFile) -> Result<(), StateFailed> {
        let _alone = self.alone.lock().await;
        let name = snapshot::final_name(self.group, file.index);
        let installed = SnapshotFile {
            name: name.clone(),
            ..file.clone()
        };
        if file.name != name {
            self.name_and_tidy(&file.name, &name).await?;
        }
        self.fill_from(&installed).await?;
        // What was said of another state says nothing of this one.
        *self.dissent() = Dissent::default();
        self.keep(installed);
        self.applied.store(file.index, Ordering::Release);
        self.changed.ring();
        Ok(())
    }
}
