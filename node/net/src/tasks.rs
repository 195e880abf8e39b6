//! Every task of one transport, libp2p's own included, in one set, so that shutting down ends all of
//! them and frees the port, and a panic in any of them is told.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// The tasks of one transport. Empty for ever once it was shut down.
#[derive(Debug)]
pub(crate) struct Tasks {
    runtime: Handle,
    running: Mutex<Option<JoinSet<()>>>,
    panicked: watch::Sender<bool>,
}

/// Says so when the task it goes with panics; not when the task ends or is aborted.
struct Watched(watch::Sender<bool>);

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a task of the transport panicked");
            self.0.send_replace(true);
        }
    }
}

impl Tasks {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            running: Mutex::new(Some(JoinSet::new())),
            panicked: watch::Sender::new(false),
        }
    }

    /// Starts a task; `None` after shutdown.
    pub(crate) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<AbortHandle> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_mut()?;
        while running.try_join_next().is_some() {}
        let watched = Watched(self.panicked.clone());
        let task = async move {
            let _watched = watched;
            task.await;
        };
        Some(running.spawn_on(task, &self.runtime))
    }

    /// Tasks that have not ended, or whose end was not looked at yet.
    pub(crate) fn count(&self) -> usize {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_mut().map_or(0, |running| {
            while running.try_join_next().is_some() {}
            running.len()
        })
    }

    /// Returns once a task has panicked.
    pub(crate) async fn until_panic(&self) {
        // An error means that the sender is gone, and `self` holds it.
        let _ = self
            .panicked
            .subscribe()
            .wait_for(|panicked| *panicked)
            .await;
    }

    /// Ends all tasks and waits until they are gone.
    pub(crate) async fn end(&self) {
        if let Some(mut running) = self.take() {
            running.shutdown().await;
        }
    }

    /// Ends all tasks without waiting.
    pub(crate) fn abort(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<JoinSet<()>> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_an_end_is_not() {
        let tasks = Tasks::new(Handle::current());
        tasks.spawn(async {});
        tasks.spawn(std::future::pending());
        while tasks.count() > 1 {
            tokio::task::yield_now().await;
        }
        assert!(tasks.until_panic().now_or_never().is_none());
        tasks.spawn(async { panic!("on purpose") });
        tasks.until_panic().await;
        tasks.end().await;
        assert_eq!(tasks.count(), 0);
    }
}
