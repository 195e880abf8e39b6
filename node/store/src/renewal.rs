//! The engine behind a lock, and how it is closed and opened anew once its log has grown. The engine writes
//! its index, which spares a start the reading of the log before it, only when it is opened. What
//! is done with an open engine stands in `engine.rs`, who may write to it in `tiers.rs`.

use std::io;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use crate::engine::{Engine, Unopened};
use crate::error::SledStoreError;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::limits::RENEWAL_LOCK_TRIES_MAX;

const DURING: &str = "opening anew";

/// Where an engine is opened and how large it becomes.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) folder: Folder,
    pub(crate) cache_bytes: u64,
    /// Bytes the log grows by before the engine is opened anew.
    pub(crate) log_bytes_max: u64,
}

/// An engine that is another one from time to time.
#[derive(Debug)]
pub(crate) struct RenewedEngine {
    // Dropped in this order: the folder is given back when the engine is closed.
    /// `None` once an opening has failed, which stops the store.
    engine: RwLock<Option<Engine>>,
    ground: Ground,
    failure: Arc<Failure>,
}

impl RenewedEngine {
    pub(crate) fn new(engine: Engine, ground: Ground, failure: Arc<Failure>) -> Self {
        Self {
            engine: RwLock::new(Some(engine)),
            ground,
            failure,
        }
    }

    /// Does work on the engine unless the store has stopped; any failure of it stops the store. Work
    /// must not come back for the engine: it would wait behind a renewal that waits for it.
    pub(crate) fn with<T>(
        &self,
        during: &'static str,
        work: impl FnOnce(&Engine) -> Result<T, sled::Error>,
    ) -> Result<T, SledStoreError> {
        let engine = self.shared();
        self.failure.guard(during, || {
            let engine = engine.as_ref();
            work(engine.expect("an opening that failed has stopped the store"))
        })
    }

    /// Makes everything applied so far durable.
    pub(crate) fn sync(&self) -> Result<(), SledStoreError> {
        self.failure.check()?;
        match self.shared().as_ref() {
            Some(engine) => engine.sync(&self.failure),
            // It stopped since it was asked.
            None => self.failure.check(),
        }
    }

    /// Whether the log has grown by so much that the engine is to be opened anew.
    pub(crate) fn is_due(&self) -> Result<bool, SledStoreError> {
        let grown = self.with("a look at the log", |engine| Ok(engine.log_bytes()))?;
        Ok(grown > self.ground.log_bytes_max)
    }

    /// Closes the engine and opens it again. Readers wait for it; nobody may write until it is done.
    pub(crate) fn renew(&self) -> Result<(), SledStoreError> {
        // Here, so that readers do not wait for the device.
        self.sync()?;
        let pause = self.replace()?;
        // As after every opening: what it freed, and the names that are new.
        self.sync()?;
        self.failure
            .guard("a sync of names", || Ok(self.ground.folder.sync_names()?))?;
        tracing::info!(
            ?pause,
            "applied state was opened anew, to be opened soon after a stop"
        );
        Ok(())
    }

    /// Puts a new engine in the place of the old one and says how long readers were kept waiting.
    fn replace(&self) -> Result<Duration, SledStoreError> {
        let mut place = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let old = place.take();
        self.failure.guard("closing", || {
            drop(old);
            Ok(())
        })?;
        let new = self.open().inspect_err(|error| self.failure.stop(error))?;
        *place = Some(new);
        Ok(began.elapsed())
    }

    fn open(&self) -> Result<Engine, SledStoreError> {
        let Ground {
            folder,
            cache_bytes,
            ..
        } = &self.ground;
        folder.ready().map_err(failed)?;
        let engine = Engine::open(folder, *cache_bytes, RENEWAL_LOCK_TRIES_MAX).map_err(refused)?;
        match engine.find_fault() {
            None => Ok(engine),
            Some(fault) => Err(failed(sled::Error::ReportableBug(fault))),
        }
    }

    fn shared(&self) -> RwLockReadGuard<'_, Option<Engine>> {
        // A panic of the engine is caught under this lock.
        self.engine.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(unopened: Unopened) -> SledStoreError {
    match unopened {
        Unopened::Content(error) => error,
        Unopened::Machine(cause) => failed(cause),
        Unopened::Locked => failed(io::Error::new(
            io::ErrorKind::WouldBlock,
            "the engine did not give its lock back",
        )),
    }
}

fn failed(cause: impl Into<sled::Error>) -> SledStoreError {
    SledStoreError::Engine {
        during: DURING,
        cause: cause.into(),
    }
}
