//! The one thread that sinks what was committed into the engine, makes it durable and opens the engine
//! anew when its log has grown. Callers that arrive while it works join the next round, so that any
//! number of them costs at most two syncs; a caller whose commits are durable already costs none.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::oneshot;

use crate::error::SledStoreError;
use crate::failure::Failure;
use crate::limits::{LAYER_BYTES_MAX, QUIET_MS, SUNK_AT_BYTES};
use crate::tiers::Tiers;

type Outcome = Result<(), SledStoreError>;

/// Hands flushes to its thread and stops it when dropped.
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    tiers: Arc<Tiers>,
    failure: Arc<Failure>,
    /// A layer is to sink that was not taken up yet.
    full: AtomicBool,
    /// Commits taken in so far.
    committed: AtomicU64,
    rounds: Mutex<Rounds>,
    wake: Condvar,
}

#[derive(Default)]
struct Rounds {
    /// Commits known to be durable.
    durable: u64,
    /// One entry a caller now in `flush`, so bounded by the tasks of the node.
    waiting: Vec<Waiting>,
    closing: bool,
}

enum Work {
    Sink,
    Flush,
    /// Nothing but to go on making room.
    Compact,
}

struct Waiting {
    until: u64,
    answer: Box<dyn FnOnce(Outcome) + Send>,
}

impl Flusher {
    pub(crate) fn start(tiers: Arc<Tiers>, failure: Arc<Failure>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            tiers,
            failure,
            full: AtomicBool::new(false),
            committed: AtomicU64::new(0),
            rounds: Mutex::default(),
            wake: Condvar::new(),
        });
        let thread = thread::Builder::new()
            .name("store-flusher".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run()
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Counts a commit that was taken in; `waiting` bytes are yet to sink. Sinks them here where the
    /// thread does not keep up.
    pub(crate) fn on_commit(&self, waiting: usize) -> Outcome {
        self.shared.committed.fetch_add(1, Ordering::SeqCst);
        if waiting >= LAYER_BYTES_MAX {
            self.shared.tiers.sink()?;
            self.on_written();
        } else if waiting >= SUNK_AT_BYTES && !self.shared.full.swap(true, Ordering::SeqCst) {
            self.shared.call();
        }
        Ok(())
    }

    /// Has the thread wait for quiet where another one wrote so much that a power cut could tear it.
    fn on_written(&self) {
        if self.shared.tiers.may_tear() {
            self.shared.call();
        }
    }

    /// Counts that a group was cleared.
    pub(crate) fn on_clear(&self) {
        self.shared.committed.fetch_add(1, Ordering::SeqCst);
        self.on_written();
    }

    /// Returns once every commit counted before the call is durable.
    pub(crate) async fn flush(&self) -> Outcome {
        let (answer, answered) = oneshot::channel();
        self.shared.ask(Box::new(move |outcome| {
            // A caller that went away needs no answer.
            let _ = answer.send(outcome);
        }));
        answered.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.rounds().closing = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // It never panics; were it to, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Flusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flusher").finish_non_exhaustive()
    }
}

impl Shared {
    /// Wakes the thread.
    fn call(&self) {
        // With the lock it waits under, so that it cannot miss the call.
        drop(self.rounds());
        self.wake.notify_one();
    }

    fn ask(&self, answer: Box<dyn FnOnce(Outcome) + Send>) {
        let until = self.committed.load(Ordering::SeqCst);
        let mut rounds = self.rounds();
        if let Err(stopped) = self.failure.check() {
            drop(rounds);
            answer(Err(stopped));
        } else if until <= rounds.durable {
            drop(rounds);
            answer(Ok(()));
        } else {
            rounds.waiting.push(Waiting { until, answer });
            drop(rounds);
            self.wake.notify_one();
        }
    }

    fn run(&self) {
        let mut is_compacting = false;
        while let Some(work) = self.wait_for_work(is_compacting) {
            match work {
                // A failure is kept, and told to whoever comes next.
                Work::Sink => drop(self.tiers.sink()),
                Work::Flush => self.run_round(),
                Work::Compact => {}
            }
            // Whoever waited for the work has been answered. A step with each layer: files that grow are compacted
            // as well while there is no end of them.
            is_compacting = self.tiers.compact_some().unwrap_or(false);
            drop(self.tiers.renew_if_due());
            drop(self.tiers.note_durable());
        }
        // Not durable yet, but the engine is given the rest to keep.
        drop(self.tiers.sink());
        if self.tiers.may_tear() {
            // Or a start of the machine would look like a power cut to the next store.
            drop(self.tiers.sync());
            drop(self.tiers.note_durable());
        }
    }

    fn run_round(&self) {
        // Read before the sync: what is committed during it may not be covered.
        let covered = self.committed.load(Ordering::SeqCst);
        let outcome = self.tiers.sink().and_then(|()| self.tiers.sync());
        for waiting in self.end_round(covered, outcome.is_ok()) {
            (waiting.answer)(outcome.clone());
        }
    }

    /// What is to be done next; `None` when the store is closing.
    fn wait_for_work(&self, is_compacting: bool) -> Option<Work> {
        let mut rounds = self.rounds();
        loop {
            if rounds.closing {
                return None;
            }
            if !rounds.waiting.is_empty() {
                return Some(Work::Flush);
            }
            if self.full.swap(false, Ordering::SeqCst) {
                return Some(Work::Sink);
            }
            if is_compacting {
                return Some(Work::Compact);
            }
            if !self.tiers.may_tear() || self.failure.check().is_err() {
                let woken = self.wake.wait(rounds);
                rounds = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let quiet = Duration::from_millis(QUIET_MS);
            let woken = self.wake.wait_timeout(rounds, quiet);
            let (woken, waited) = woken.unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return Some(Work::Flush);
            }
            rounds = woken;
        }
    }

    /// Takes out the callers to answer: after a failure all, else those whose commits are covered.
    fn end_round(&self, covered: u64, worked: bool) -> Vec<Waiting> {
        let mut rounds = self.rounds();
        if !worked {
            return std::mem::take(&mut rounds.waiting);
        }
        rounds.durable = covered;
        let (answered, waiting) = std::mem::take(&mut rounds.waiting)
            .into_iter()
            .partition(|waiting| waiting.until <= covered);
        rounds.waiting = waiting;
        answered
    }

    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        // No code that can panic runs under this lock.
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> SledStoreError {
    SledStoreError::Stopped {
        first: "the store was closed".to_owned(),
    }
}
