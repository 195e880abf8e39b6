//! The layers in memory over the engine, as one map a group: what is read, how a commit enters, and
//! how a layer sinks: all of its commits and the positions they come to in one batch of the engine, so
//! that what is there after a crash is always the state as of some commit.

mod clearing;
mod compaction;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
};

use tongban_runtime::seams::{Pair, Write, WriteSet};
use tongban_types::GroupId;

use crate::error::SledStoreError;
use crate::failure::Failure;
use crate::keys;
use crate::layers::{Known, Layer, Layers};
use crate::paged_batch::PagedBatch;
use crate::pages::{Pages, value_on};
use crate::renewal::RenewedEngine;
use crate::work::EngineWork;

use compaction::Pass;

/// Layers and engine. A scan holds the engine, the layers and the turn shared, in this order, and a read of
/// what is not at hand the engine and the turn; whoever sinks holds the turn alone only while it holds no
/// layers, and whoever opens the engine anew holds neither. What may not be durable is counted by whoever has
/// `writing`, and the mark of that is left and taken back only then.
///
/// No page at hand is older than what readers saw of it: it follows a batch while that has the turn, so
/// before the layer goes that hides from them what the batch changes.
#[derive(Debug)]
pub(crate) struct Tiers {
    engine: RenewedEngine,
    failure: Arc<Failure>,
    layers: RwLock<Layers>,
    /// Held shared by a scan and alone by a batch, so that a scan never sees half of one; and shared by
    /// a reader that takes a page to hand, so that a batch does not make it an old one in between.
    turn: RwLock<()>,
    /// Held by whoever writes to the engine: pages are read, taken to hand and written again. Held too while
    /// the engine is opened anew, so that nobody waits for the engine with the turn in hand. In it stands how far
    /// the files are compacted.
    writing: Mutex<Option<Pass>>,
    /// Held while a group is cleared, before `writing`, which others get in between. An engine that was
    /// opened anew meanwhile would forget all the rest of the group at once, with readers waiting.
    clearing: Mutex<()>,
}

impl Tiers {
    pub(crate) fn new(engine: RenewedEngine, failure: Arc<Failure>) -> Self {
        Self {
            engine,
            failure,
            layers: RwLock::default(),
            turn: RwLock::new(()),
            writing: Mutex::default(),
            clearing: Mutex::new(()),
        }
    }

    /// Takes a commit in and returns how many bytes wait to sink.
    pub(crate) fn commit(&self, group: GroupId, writes: &WriteSet, position: &[u8]) -> usize {
        let changes: Vec<_> = writes
            .iter()
            .map(|(key, write)| {
                let value = match write {
                    Write::Put(value) => Some(value.clone()),
                    Write::Delete => None,
                };
                (keys::pair_key(group, key), value)
            })
            .collect();
        let mut layers = self.layers_mut();
        for (place, value) in changes {
            layers.newest.change(place, value);
        }
        layers.newest.move_to(keys::group_prefix(group), position);
        layers.part_when_full();
        layers.waiting_bytes()
    }

    pub(crate) fn get(
        &self,
        group: GroupId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, SledStoreError> {
        self.failure.check()?;
        let place = keys::pair_key(group, key);
        let above = self.layers().get(&place);
        match above {
            Known::Value(value) => Ok(Some(value)),
            Known::Gone => Ok(None),
            Known::Nothing => self
                .engine
                .with(EngineWork::Read, |engine| self.read(engine.pages(), &place)),
        }
    }

    /// The value of a place below the layers. Only for what is not at hand it waits for a batch.
    fn read(&self, pages: Pages<'_>, place: &[u8]) -> Result<Option<Vec<u8>>, sled::Error> {
        if let Some(page) = pages.at_hand(place) {
            return value_on(&page, place);
        }
        let _shared = self.turn.read().unwrap_or_else(PoisonError::into_inner);
        match pages.find(place)? {
            Some(page) => value_on(&page.bytes, place),
            None => Ok(None),
        }
    }

    pub(crate) fn position(&self, group: GroupId) -> Result<Option<Vec<u8>>, SledStoreError> {
        self.failure.check()?;
        let prefix = keys::group_prefix(group);
        let above = self.layers().position(prefix);
        match above {
            Some(position) => Ok(Some(position)),
            None => self
                .engine
                .with(EngineWork::Read, |engine| engine.position(prefix)),
        }
    }

    pub(crate) fn scan(
        &self,
        group: GroupId,
        from: &[u8],
        until: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, SledStoreError> {
        self.failure.check()?;
        if from >= until || limit == 0 {
            return Ok(Vec::new());
        }
        let (from, until) = (keys::pair_key(group, from), keys::pair_key(group, until));
        // The engine first: while it is opened anew, commits must not wait for the layers.
        self.engine.with(EngineWork::Scan, |engine| {
            let layers = self.layers();
            let _shared = self.turn.read().unwrap_or_else(PoisonError::into_inner);
            Self::merge(engine.pages(), &layers, &from, &until, limit)
        })
    }

    fn merge(
        pages: Pages<'_>,
        layers: &Layers,
        from: &[u8],
        until: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, sled::Error> {
        let mut above = layers
            .range(from, until)
            .map(|(place, value)| (keys::bare(place), value))
            .peekable();
        let mut below = pages.pairs(from, until)?;
        let mut under = below.next()?;
        let mut found = Vec::new();
        while found.len() < limit {
            match (above.peek(), &under) {
                (None, None) => break,
                (Some((key, _)), Some((old, _))) if old.as_slice() < *key => {
                    found.extend(under.take());
                    under = below.next()?;
                }
                (None, Some(_)) => {
                    found.extend(under.take());
                    under = below.next()?;
                }
                (Some((key, value)), _) => {
                    if under.as_ref().is_some_and(|(old, _)| old == key) {
                        under = below.next()?;
                    }
                    found.extend(value.map(|value| (key.to_vec(), value.to_vec())));
                    above.next();
                }
            }
        }
        Ok(found)
    }

    /// Puts everything committed before the call into the engine.
    pub(crate) fn sink(&self) -> Result<(), SledStoreError> {
        let _writing = self.writing();
        self.failure.check()?;
        // What is committed from here on comes behind these.
        let parts = self.layers_mut().begin_sinking();
        parts.into_iter().try_for_each(|part| self.sink_part(part))
    }

    /// Puts the oldest layer that sinks into the engine. Nobody else writes meanwhile.
    fn sink_part(&self, part: Arc<Layer>) -> Result<(), SledStoreError> {
        let batch = self
            .engine
            .with(EngineWork::Packing, |engine| engine.pages().batch_of(&part))?;
        self.apply(EngineWork::Commit, batch)?;
        // Dropped when nobody waits for the layers any more: it is many small pieces.
        let sunk = self.layers_mut().end_sinking();
        drop((part, sunk));
        Ok(())
    }

    /// Makes everything that has sunk durable.
    pub(crate) fn sync(&self) -> Result<(), SledStoreError> {
        self.engine.sync()
    }

    /// Whether a power cut could tear what has sunk.
    pub(crate) fn may_tear(&self) -> bool {
        self.engine.is_marked()
    }

    /// Notes it where a power cut could not tear it any more.
    pub(crate) fn note_durable(&self) -> Result<(), SledStoreError> {
        if !self.may_tear() {
            return Ok(());
        }
        let _writing = self.writing();
        self.engine.unmark_if_durable()
    }

    /// Opens the engine anew when its log has grown by so much that a start would take long to read it;
    /// while a group is cleared, another time.
    pub(crate) fn renew_if_due(&self) -> Result<(), SledStoreError> {
        if !self.engine.is_due()? {
            return Ok(());
        }
        let _clearing = match self.clearing.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(nobody_clears) => nobody_clears,
        };
        let _writing = self.writing();
        self.engine.renew()
    }

    /// Writes a batch. The bytes of its pages are in files before readers are kept out.
    fn apply(&self, during: EngineWork, batch: PagedBatch) -> Result<(), SledStoreError> {
        let batch = self.engine.put_down(during, batch)?;
        self.write(during, batch.log_bytes, |pages| pages.apply(batch))
    }

    /// Writes what may add so many bytes to the engine's log while readers are kept out. A failure leaves half of
    /// what was to be written, so that it has stopped the store when they get in: they are refused what they see then.
    fn write<T>(
        &self,
        during: EngineWork,
        log_bytes: usize,
        write: impl FnOnce(Pages<'_>) -> Result<T, sled::Error>,
    ) -> Result<T, SledStoreError> {
        self.engine.expect(log_bytes)?;
        let mut turn = None;
        let written = self.engine.with(during, |engine| {
            turn = Some(self.turn.write().unwrap_or_else(PoisonError::into_inner));
            write(engine.pages())
        });
        drop(turn);
        self.engine.wrote(log_bytes);
        written
    }

    fn writing(&self) -> MutexGuard<'_, Option<Pass>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn layers_mut(&self) -> RwLockWriteGuard<'_, Layers> {
        // Nothing under this lock can panic half-way through a commit but for want of memory.
        self.layers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
