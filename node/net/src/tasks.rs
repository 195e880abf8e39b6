//! Every task of one transport, libp2p's own included, in one set, so that shutting down ends all of
//! them and frees the port.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};

/// The tasks of one transport. Empty for ever once it was shut down.
#[derive(Debug)]
pub(crate) struct Tasks {
    runtime: Handle,
    running: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            running: Mutex::new(Some(JoinSet::new())),
        }
    }

    /// Starts a task; `None` after shutdown.
    pub(crate) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Option<AbortHandle> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_mut()?;
        while let Some(ended) = running.try_join_next() {
            if let Err(failure) = ended
                && failure.is_panic()
            {
                tracing::error!(%failure, "a task of the transport panicked");
            }
        }
        Some(running.spawn_on(task, &self.runtime))
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
