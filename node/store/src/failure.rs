//! Fail-stop: the first failure of the engine stops the store for good and condemns its folder, so
//! that the next start fills it again instead of meeting the same failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::OnceLock;

use tongban_types::Code;

use crate::error::SledStoreError;
use crate::folder;
use crate::work::EngineWork;

/// The first failure of a store, shared by callers and flusher.
#[derive(Debug)]
pub(crate) struct Failure {
    folder: PathBuf,
    first: OnceLock<String>,
}

impl Failure {
    pub(crate) fn none_yet(folder: PathBuf) -> Self {
        Self {
            folder,
            first: OnceLock::new(),
        }
    }

    /// An error once the store has stopped.
    pub(crate) fn check(&self) -> Result<(), SledStoreError> {
        match self.first.get() {
            None => Ok(()),
            Some(first) => Err(SledStoreError::Stopped {
                first: first.clone(),
            }),
        }
    }

    /// Does work on the engine unless the store has stopped; any failure of it stops the store. What was
    /// seen while another failed may be half of a batch, and is not given out.
    pub(crate) fn guard<T>(
        &self,
        during: EngineWork,
        work: impl FnOnce() -> Result<T, sled::Error>,
    ) -> Result<T, SledStoreError> {
        self.check()?;
        let done = attempt(during, work).inspect_err(|error| self.stop(error))?;
        self.check()?;
        Ok(done)
    }

    /// Stops the store while its folder is closed and whole: the next start opens it as it is.
    pub(crate) fn stop_with_all_kept(&self, error: &SledStoreError) {
        let _told_before = self.note(&chain(error));
    }

    /// Whether this is the first failure; only that is told.
    fn note(&self, reason: &str) -> bool {
        let is_first = self.first.set(reason.to_owned()).is_ok();
        if is_first {
            tracing::error!(code = %Code::STORE_ENGINE_FAILED, reason, "applied state has stopped");
        }
        is_first
    }

    /// Stops the store; only the first failure is told.
    pub(crate) fn stop(&self, error: &SledStoreError) {
        let reason = chain(error);
        if !self.note(&reason) {
            return;
        }
        // When not even this file can be written, the next start finds out by opening.
        if let Err(cause) = folder::condemn(&self.folder, &reason) {
            tracing::warn!(%cause, "the folder of applied state could not be condemned");
        }
    }
}

/// Does work on the engine and turns its panic into an error: the engine asserts where it should
/// refuse, also on what it reads from disk.
pub(crate) fn attempt<T>(
    during: EngineWork,
    work: impl FnOnce() -> Result<T, sled::Error>,
) -> Result<T, SledStoreError> {
    // Nothing is used again after a panic: the store stops, or its folder is wiped.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(cause)) => Err(SledStoreError::Engine { during, cause }),
        Err(_) => Err(SledStoreError::Panicked { during }),
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        line.push_str(": ");
        line.push_str(&inner.to_string());
        cause = inner.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_while_the_store_stopped_is_not_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let failure = Failure::none_yet(folder.path().to_owned());
        let seen = failure.guard(EngineWork::Read, || {
            failure.stop(&SledStoreError::Unsynced);
            Ok(7)
        });
        assert!(matches!(seen, Err(SledStoreError::Stopped { .. })));
    }
}
