//! One log as its handles and tasks share it, and how they wait for each other. The lock is never
//! held across a wait or a disk call.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Poll, Waker};

use tongban_runtime::ports::LogFailed;
use tongban_runtime::seams::Disk;

use crate::config::WalConfig;
use crate::metrics::Counters;
use crate::state::{Pending, State, Taken};
use crate::tables::Tables;

/// One log.
pub(crate) struct Shared<D: Disk> {
    pub(crate) disk: D,
    pub(crate) config: WalConfig,
    pub(crate) counters: Counters,
    pub(crate) tables: RwLock<Tables>,
    state: Mutex<State<D::File>>,
}

impl<D: Disk> Shared<D> {
    pub(crate) fn new(disk: D, config: WalConfig, state: State<D::File>, tables: Tables) -> Self {
        Self {
            disk,
            config,
            counters: Counters::default(),
            tables: RwLock::new(tables),
            state: Mutex::new(state),
        }
    }

    /// The lock. A panic elsewhere while it was held leaves a state that the writer's end will
    /// mark as failed; readers may still read it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<D::File>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The local records, to read.
    pub(crate) fn tables_ref(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The local records, to change.
    pub(crate) fn tables_mut(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the queue has room, or the log has failed.
    pub(crate) async fn room(&self) -> Result<(), LogFailed> {
        poll_fn(|context| {
            let mut state = self.lock();
            if let Some(failed) = &state.failed {
                return Poll::Ready(Err(failed.clone()));
            }
            let full = state.queue_bytes >= self.config.queue_bytes
                || state.queue.len() >= self.config.queue_records;
            if !full {
                return Poll::Ready(Ok(()));
            }
            state.wake_later(context.waker());
            Poll::Pending
        })
        .await
    }

    /// Waits for records and takes a batch of them; `None` when all handles are gone and nothing
    /// is left, or the log has failed.
    pub(crate) async fn take(&self) -> Option<Taken> {
        poll_fn(|context| {
            let mut state = self.lock();
            if state.failed.is_some() || state.queue.is_empty() && state.closing {
                return Poll::Ready(None);
            }
            if state.queue.len() == state.quiet && !state.closing {
                state.writer = Some(context.waker().clone());
                return Poll::Pending;
            }
            let taken = state.take(&self.config);
            let wakers = std::mem::take(&mut state.waiting_for_room);
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
            Poll::Ready(Some(taken))
        })
        .await
    }

    /// Whether so many wait that more soon will, and not so many already that a batch is full.
    pub(crate) fn is_crowded(&self) -> bool {
        let state = self.lock();
        let waiting = state.queue.len() - state.quiet;
        let is_full = state.queue_bytes >= self.config.batch_bytes;
        (self.config.crowd_records..self.config.batch_records).contains(&waiting) && !is_full
    }

    /// Stops the log for good: `in_flight`, then everything queued, then every later call gets
    /// `failed`.
    pub(crate) fn fail(&self, failed: LogFailed, in_flight: Vec<Pending>) {
        let mut state = self.lock();
        let failed = state.failed.get_or_insert(failed).clone();
        let queued = state.give_up();
        let wakers = std::mem::take(&mut state.waiting_for_room);
        let writer = state.writer.take();
        drop(state);
        for done in in_flight
            .into_iter()
            .chain(queued)
            .filter_map(|one| one.done)
        {
            done(Err(failed.clone()));
        }
        wakers.into_iter().chain(writer).for_each(Waker::wake);
    }

    /// Waits until the writer has ended; an error if it was not because the log was closed.
    pub(crate) async fn ended(&self) -> Result<(), LogFailed> {
        poll_fn(|context| {
            let mut state = self.lock();
            match state.failed.clone() {
                Some(_) if state.closed => Poll::Ready(Ok(())),
                Some(failed) => Poll::Ready(Err(failed)),
                None => {
                    state.wake_later(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Lets the writer finish what is queued and end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        let writer = state.writer.take();
        drop(state);
        writer.into_iter().for_each(Waker::wake);
    }
}
