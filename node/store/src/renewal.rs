//! The engine behind a lock, and how it is closed and opened anew once its log has grown. The engine writes
//! its index, which spares a start the reading of the log before it, only when it is opened. And what is done before
//! so much is written that a power cut could tear it. What is done with an open engine stands in `engine.rs`, who may
//! write to it in `tiers.rs`.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use crate::bounds::Bounds;
use crate::engine::{Engine, Unopened};
use crate::error::{SledStoreError, is_of_the_machine};
use crate::failure::{Failure, attempt};
use crate::folder::Folder;
use crate::limits::RENEWAL_LOCK_TRIES_MAX;
use crate::paged_batch::{PagedBatch, PlacedBatch};
use crate::unsynced::Unsynced;
use crate::work::EngineWork;

const DURING: EngineWork = EngineWork::OpeningAnew;

/// Where an engine is opened and how large it becomes.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) folder: Folder,
    pub(crate) bounds: Bounds,
}

/// An engine that is another one from time to time.
#[derive(Debug)]
pub(crate) struct RenewedEngine {
    // Dropped in this order: the folder is given back when the engine is closed.
    /// `None` once an opening has failed, which stops the store.
    engine: RwLock<Option<Engine>>,
    ground: Ground,
    failure: Arc<Failure>,
    unsynced: Mutex<Unsynced>,
    /// The folder says that a power cut could tear what is not durable.
    is_marked: AtomicBool,
}

impl RenewedEngine {
    /// Around an engine that was made durable as it is.
    pub(crate) fn new(engine: Engine, ground: Ground, failure: Arc<Failure>) -> Self {
        Self {
            engine: RwLock::new(Some(engine)),
            ground,
            failure,
            unsynced: Mutex::default(),
            is_marked: AtomicBool::new(false),
        }
    }

    /// Does work on the engine unless the store has stopped; any failure of it stops the store. Work
    /// must not come back for the engine: it would wait behind a renewal that waits for it.
    pub(crate) fn with<T>(
        &self,
        during: EngineWork,
        work: impl FnOnce(&Engine) -> Result<T, sled::Error>,
    ) -> Result<T, SledStoreError> {
        let engine = self.shared();
        self.failure.guard(during, || {
            let engine = engine.as_ref();
            work(engine.expect("an opening that failed has stopped the store"))
        })
    }

    /// Puts the bytes of a batch into files, durably. Nothing refers to them yet: a machine that refuses them stops the
    /// store with all it has.
    pub(crate) fn put_down(
        &self,
        during: EngineWork,
        batch: PagedBatch,
    ) -> Result<PlacedBatch, SledStoreError> {
        self.failure.check()?;
        let engine = self.shared();
        let engine = engine.as_ref();
        let engine = engine.expect("an opening that failed has stopped the store");
        let placed = attempt(during, || Ok(batch.put_down(engine.files())?));
        placed.inspect_err(|error| match error {
            SledStoreError::Engine {
                cause: sled::Error::Io(cause),
                ..
            } if is_of_the_machine(cause) => self.failure.stop_with_all_kept(error),
            _ => self.failure.stop(error),
        })
    }

    /// Makes everything applied so far durable.
    pub(crate) fn sync(&self) -> Result<(), SledStoreError> {
        self.failure.check()?;
        let engine = self.shared();
        let Some(engine) = engine.as_ref() else {
            // It stopped since it was asked.
            return self.failure.check();
        };
        // Read before the sync: what is written during it may not be covered. Another one may end meanwhile.
        let covered = self.unsynced().written;
        engine.sync(&self.failure)?;
        self.unsynced().cover(covered);
        Ok(())
    }

    /// Before what may add so many bytes to the log is written: where a power cut could tear what is then not
    /// durable yet, makes durable what was written before, and where that is not enough leaves the mark. Only for who
    /// may write.
    pub(crate) fn expect(&self, log_bytes: usize) -> Result<(), SledStoreError> {
        let may_tear = || self.unsynced().may_tear_with(log_bytes);
        if !may_tear() {
            return Ok(());
        }
        self.sync()?;
        let is_to_be_marked = may_tear();
        if is_to_be_marked == self.is_marked() {
            return Ok(());
        }
        self.note(is_to_be_marked)
    }

    /// Counts what was expected, now that it is written: a sync that began before may not have covered it.
    pub(crate) fn wrote(&self, log_bytes: usize) {
        let mut unsynced = self.unsynced();
        unsynced.written = unsynced.written.saturating_add(log_bytes as u64);
    }

    /// Whether the folder is marked.
    pub(crate) fn is_marked(&self) -> bool {
        self.is_marked.load(Ordering::SeqCst)
    }

    /// Takes the mark back if what it was for is durable. Only for who may write: a batch that is half written
    /// needs it.
    pub(crate) fn unmark_if_durable(&self) -> Result<(), SledStoreError> {
        if !self.is_marked() || self.unsynced().may_tear_with(0) {
            return Ok(());
        }
        self.note(false)
    }

    /// Leaves the mark or takes it back. Where the machine refuses, the store stops with all it has.
    fn note(&self, is_marked: bool) -> Result<(), SledStoreError> {
        self.failure.check()?;
        let folder = &self.ground.folder;
        let noted = if is_marked {
            folder.mark_unsynced()
        } else {
            folder.unmark_unsynced()
        };
        noted.map_err(|cause| {
            let (during, cause) = (EngineWork::MarkingUnsynced, cause.into());
            let error = SledStoreError::Engine { during, cause };
            self.failure.stop_with_all_kept(&error);
            error
        })?;
        self.is_marked.store(is_marked, Ordering::SeqCst);
        Ok(())
    }

    fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        // Nothing that can panic leaves it half changed.
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the log has grown by so much that the engine is to be opened anew.
    pub(crate) fn is_due(&self) -> Result<bool, SledStoreError> {
        let grown = self.with(EngineWork::LookAtLog, |engine| Ok(engine.log_bytes()))?;
        Ok(grown > self.ground.bounds.log_bytes_max)
    }

    /// Closes the engine and opens it again. Readers wait for it; nobody may write until it is done.
    pub(crate) fn renew(&self) -> Result<(), SledStoreError> {
        let mark = self.with(EngineWork::MarkingEnd, Engine::mark_renewal)?;
        // Here, so that readers do not wait for the device.
        self.sync()?;
        let pause = self.replace(mark)?;
        // As after every opening: what it freed, and the names that are new.
        self.sync()?;
        self.failure.guard(EngineWork::SyncOfNames, || {
            Ok(self.ground.folder.sync_names()?)
        })?;
        tracing::info!(
            ?pause,
            "applied state was opened anew, to be opened soon after a stop"
        );
        Ok(())
    }

    /// Puts a new engine in the place of the old one and says how long readers were kept waiting.
    fn replace(&self, mark: [u8; 8]) -> Result<Duration, SledStoreError> {
        let mut place = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        // Nobody works with the engine from here on, so that it is dropped where a panic is caught.
        self.failure.check()?;
        let began = Instant::now();
        let old = place.take();
        self.failure.guard(EngineWork::Closing, || {
            drop(old);
            Ok(())
        })?;
        let new = self
            .open(mark)
            .map_err(|unopened| self.stop_for(unopened))?;
        *place = Some(new);
        Ok(began.elapsed())
    }

    /// An engine that cannot read the end of its log takes it for torn, and goes on without. At a start the
    /// group's log makes up for that; here nobody would apply again what is lost.
    fn open(&self, mark: [u8; 8]) -> Result<Engine, Unopened> {
        let Ground { folder, bounds } = &self.ground;
        folder.ready().map_err(Unopened::Machine)?;
        let engine = Engine::open(folder, *bounds, RENEWAL_LOCK_TRIES_MAX)?;
        let looked = attempt(EngineWork::LookForMark, || engine.has_mark(mark));
        let fault = match (engine.find_fault(), looked.map_err(Unopened::Content)?) {
            (None, true) => return Ok(engine),
            (None, false) => "the end of its log is lost".to_owned(),
            (Some(fault), _) => fault,
        };
        let fault = sled::Error::ReportableBug(fault);
        Err(Unopened::Content(failed(fault)))
    }

    /// A full disk or a lock that is not given back say nothing of what was closed whole.
    fn stop_for(&self, unopened: Unopened) -> SledStoreError {
        let is_of_content = matches!(unopened, Unopened::Content(_));
        let error = refused(unopened);
        if is_of_content {
            self.failure.stop(&error);
        } else {
            self.failure.stop_with_all_kept(&error);
        }
        error
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LOCK_TRIES_MAX;

    #[test]
    fn an_engine_that_comes_back_without_what_was_written_last_stops_the_store() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::take(scratch.path()).unwrap();
        folder.ready().unwrap();
        let bounds = Bounds {
            log_bytes_max: 0,
            ..Bounds::with_cache(1 << 20)
        };
        let engine = Engine::open(&folder, bounds, LOCK_TRIES_MAX).unwrap();
        engine.mark().unwrap();
        let failure = Arc::new(Failure::none_yet(folder.path().to_owned()));
        let ground = Ground { folder, bounds };
        let engine = RenewedEngine::new(engine, ground, Arc::clone(&failure));
        engine.renew().unwrap();
        engine.renew().unwrap();
        engine.sync().unwrap();
        let never_left = [0xff; 8];
        let lost = engine.replace(never_left).unwrap_err();
        assert!(lost.to_string().contains(&DURING.to_string()), "{lost}");
        assert!(failure.check().is_err());
        assert!(engine.renew().is_err());
    }
}
