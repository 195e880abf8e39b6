//! The store itself: what it refuses, in which order it writes, and how it opens.

use std::path::Path;
use std::sync::Arc;

use tongban_runtime::seams::{Pair, StateStore, StoreError, Write, WriteSet};
use tongban_types::{Code, GroupId};

use crate::bounds::Bounds;
use crate::engine::{Engine, Unopened};
use crate::error::{OpenError, SledStoreError};
use crate::failure::{Failure, attempt, chain};
use crate::flusher::Flusher;
use crate::folder::Folder;
use crate::limits::{
    COMMIT_BYTES_MAX, KEY_BYTES_MAX, LOCK_TRIES_MAX, POSITION_BYTES_MAX, VALUE_BYTES_MAX,
};
use crate::renewal::{Ground, RenewedEngine};
use crate::tiers::Tiers;
use crate::work::{Bounded, EngineWork};

/// What a store held when it opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing was there.
    Fresh,
    /// The state of an earlier run.
    Existing,
    /// What was there could not be used and was wiped: every group is filled again.
    Refilled {
        /// What was wrong with it.
        reason: String,
    },
}

/// Applied state of all groups of a node: what was committed lately in memory, the rest in pages, of which one
/// sled tree knows where they stand in files, and of which some are at hand. `clear` waits for a sync of the device,
/// `flush` lets a thread of its own wait for one. What is not in memory is read from the device, and a commit waits for
/// that where it comes beside a scan, or where it sinks what has gathered. Once in a long while reads of what was not
/// committed lately wait some tenths of a second for the engine to be opened anew.
#[derive(Debug)]
pub struct SledStore {
    // Dropped in this order: nothing writes any more when the tiers close engine and folder.
    flusher: Flusher,
    tiers: Arc<Tiers>,
    failure: Arc<Failure>,
}

impl SledStore {
    /// Opens the store in a folder of its own. What does not open, is not ours, was condemned by an earlier failure
    /// or may have been torn by a power cut is wiped; a folder in use or a machine that refuses is an error and
    /// leaves everything as it is.
    pub fn open(path: &Path, bounds: Bounds) -> Result<(Self, Opened), OpenError> {
        let folder = Folder::take(path)?;
        let (engine, opened) = open_or_refill(&folder, bounds)?;
        if let Opened::Refilled { reason } = &opened {
            tracing::warn!(
                code = %Code::STORE_REFILLED,
                reason,
                "applied state was wiped and is filled again from snapshot and log"
            );
        }
        let failure = Arc::new(Failure::none_yet(folder.path().to_owned()));
        make_durable(&folder, &engine, &failure)?;
        let unmarked = folder.unmark_unsynced();
        unmarked.map_err(|cause| unusable(&folder, cause))?;
        let path = folder.path().to_owned();
        let ground = Ground { folder, bounds };
        let engine = RenewedEngine::new(engine, ground, Arc::clone(&failure));
        let tiers = Arc::new(Tiers::new(engine, Arc::clone(&failure)));
        let flusher = Flusher::start(Arc::clone(&tiers), Arc::clone(&failure))
            .map_err(|cause| OpenError::Folder { path, cause })?;
        let store = Self {
            flusher,
            tiers,
            failure,
        };
        Ok((store, opened))
    }
}

impl StateStore for SledStore {
    fn get(&self, group: GroupId, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tiers.get(group, key)?)
    }

    fn scan(
        &self,
        group: GroupId,
        from: &[u8],
        until: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        Ok(self.tiers.scan(group, from, until, limit)?)
    }

    /// Refuses what is too large before anything is taken in; the store goes on after that.
    fn commit(&self, group: GroupId, writes: &WriteSet, position: &[u8]) -> Result<(), StoreError> {
        self.failure.check()?;
        check_sizes(writes, position)?;
        let waiting = self.tiers.commit(group, writes, position);
        Ok(self.flusher.on_commit(waiting)?)
    }

    fn position(&self, group: GroupId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tiers.position(group)?)
    }

    fn clear(&self, group: GroupId) -> Result<(), StoreError> {
        self.tiers.clear(group)?;
        self.flusher.on_clear();
        Ok(())
    }

    async fn flush(&self) -> Result<(), StoreError> {
        Ok(self.flusher.flush().await?)
    }
}

fn check_sizes(writes: &WriteSet, position: &[u8]) -> Result<(), SledStoreError> {
    let within = |what, bytes, bytes_max| {
        if bytes <= bytes_max {
            Ok(())
        } else {
            Err(SledStoreError::TooLarge {
                what,
                bytes,
                bytes_max,
            })
        }
    };
    within(Bounded::Position, position.len(), POSITION_BYTES_MAX)?;
    let mut commit_bytes = position.len();
    for (key, write) in writes {
        within(Bounded::Key, key.len(), KEY_BYTES_MAX)?;
        commit_bytes += key.len();
        if let Write::Put(value) = write {
            within(Bounded::Value, value.len(), VALUE_BYTES_MAX)?;
            commit_bytes += value.len();
        }
    }
    within(Bounded::Commit, commit_bytes, COMMIT_BYTES_MAX)
}

fn open_or_refill(folder: &Folder, bounds: Bounds) -> Result<(Engine, Opened), OpenError> {
    let mut condemned = folder
        .condemned()
        .map_err(|cause| unusable(folder, cause))?;
    if condemned.is_none() {
        condemned = folder.torn().map_err(|cause| unusable(folder, cause))?;
    }
    let used = folder
        .has_engine_files()
        .map_err(|cause| unusable(folder, cause))?;
    folder.ready().map_err(|cause| unusable(folder, cause))?;
    let reason = match condemned {
        Some(reason) => reason,
        None if !used => return Ok((open_empty(folder, bounds)?, Opened::Fresh)),
        None => match open_existing(folder, bounds)? {
            Ok(engine) => return Ok((engine, Opened::Existing)),
            Err(reason) => reason,
        },
    };
    folder.wipe().map_err(|cause| unusable(folder, cause))?;
    Ok((open_empty(folder, bounds)?, Opened::Refilled { reason }))
}

/// The engine on what is there, or what is wrong with that.
fn open_existing(folder: &Folder, bounds: Bounds) -> Result<Result<Engine, String>, OpenError> {
    match Engine::open(folder, bounds, LOCK_TRIES_MAX) {
        Ok(engine) => Ok(match engine.find_fault() {
            None => attempt(EngineWork::FinishingForgetting, || {
                engine.finish_forgetting(folder)
            })
            .map(|()| engine)
            .map_err(|error| chain(&error)),
            Some(reason) => Err(reason),
        }),
        Err(Unopened::Content(error)) => Ok(Err(chain(&error))),
        Err(Unopened::Machine(cause)) => Err(unusable(folder, cause)),
        Err(Unopened::Locked) => Err(OpenError::InUse {
            path: folder.path().to_owned(),
        }),
    }
}

fn open_empty(folder: &Folder, bounds: Bounds) -> Result<Engine, OpenError> {
    let opened = Engine::open(folder, bounds, LOCK_TRIES_MAX);
    let engine = opened.map_err(|unopened| match unopened {
        Unopened::Content(error) => failed(folder, error),
        Unopened::Machine(cause) => unusable(folder, cause),
        Unopened::Locked => OpenError::InUse {
            path: folder.path().to_owned(),
        },
    })?;
    attempt(EngineWork::WritingFormat, || engine.mark()).map_err(|error| failed(folder, error))?;
    Ok(engine)
}

/// Content first, then the names that lead to it. Done at every start, since an earlier one may
/// have been killed before it came to it.
fn make_durable(folder: &Folder, engine: &Engine, failure: &Failure) -> Result<(), OpenError> {
    engine
        .sync(failure)
        .map_err(|error| failed(folder, error))?;
    folder.sync_names().map_err(|cause| unusable(folder, cause))
}

fn unusable(folder: &Folder, cause: std::io::Error) -> OpenError {
    OpenError::Folder {
        path: folder.path().to_owned(),
        cause,
    }
}

fn failed(folder: &Folder, error: SledStoreError) -> OpenError {
    OpenError::Engine {
        path: folder.path().to_owned(),
        cause: Box::new(error),
    }
}
