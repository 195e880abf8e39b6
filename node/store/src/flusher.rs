//! The one thread that makes commits durable. Callers that arrive while it works join the next
//! round, so that any number of them costs at most two syncs; a caller whose commits are durable
//! already costs none.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use futures_channel::oneshot;

use crate::engine::Engine;
use crate::error::SledStoreError;
use crate::failure::Failure;

type Outcome = Result<(), SledStoreError>;

/// Hands flushes to its thread and stops it when dropped.
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    engine: Engine,
    failure: Arc<Failure>,
    /// Commits applied so far.
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

struct Waiting {
    until: u64,
    answer: Box<dyn FnOnce(Outcome) + Send>,
}

impl Flusher {
    pub(crate) fn start(engine: Engine, failure: Arc<Failure>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            engine,
            failure,
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

    /// Counts a commit; called once its batch is applied.
    pub(crate) fn on_commit(&self) {
        self.shared.committed.fetch_add(1, Ordering::SeqCst);
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

    /// As [`Self::flush`], for callers that may block.
    pub(crate) fn flush_blocking(&self) -> Outcome {
        let (answer, answered) = mpsc::sync_channel(1);
        self.shared.ask(Box::new(move |outcome| {
            let _ = answer.send(outcome);
        }));
        answered.recv().unwrap_or_else(|_| Err(closed()))
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
        while self.wait_for_work() {
            // Read before the sync: what is committed during it may not be covered.
            let covered = self.committed.load(Ordering::SeqCst);
            let outcome = self.engine.sync(&self.failure);
            for waiting in self.end_round(covered, outcome.is_ok()) {
                (waiting.answer)(outcome.clone());
            }
        }
    }

    fn wait_for_work(&self) -> bool {
        let mut rounds = self.rounds();
        while rounds.waiting.is_empty() && !rounds.closing {
            rounds = self
                .wake
                .wait(rounds)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !rounds.closing
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
