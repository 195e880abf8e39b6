//! Why the store refused or failed. Causes carry places and sizes, never keys or values.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tongban_runtime::seams::StoreError;
use tongban_types::Code;

use crate::work::{Bounded, EngineWork};

/// Why a call on an open store failed; the source inside [`StoreError::Engine`].
#[derive(Clone, Debug, Error)]
pub enum SledStoreError {
    /// Larger than the store takes. Nothing was written and the store goes on: split it.
    #[error("a {what} of {bytes} bytes is larger than {bytes_max}")]
    TooLarge {
        /// What.
        what: Bounded,
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The engine reported a failure; the store has stopped.
    #[error("{during} failed")]
    Engine {
        /// What was being done.
        during: EngineWork,
        /// What the engine said.
        #[source]
        cause: sled::Error,
    },
    /// The engine panicked; the store has stopped.
    #[error("the engine panicked during {during}")]
    Panicked {
        /// What was being done.
        during: EngineWork,
    },
    /// The engine moved a value to a file that it does not sync; the store has stopped.
    #[error("the engine wrote a file beside its log, which a power cut would lose")]
    Unsynced,
    /// The store stopped after an earlier failure.
    #[error("stopped after: {first}")]
    Stopped {
        /// The first failure.
        first: String,
    },
}

impl SledStoreError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } => Code::STORE_TOO_LARGE,
            Self::Engine { .. } | Self::Panicked { .. } | Self::Unsynced => {
                Code::STORE_ENGINE_FAILED
            }
            Self::Stopped { .. } => Code::STORE_STOPPED,
        }
    }
}

impl From<SledStoreError> for StoreError {
    fn from(error: SledStoreError) -> Self {
        Self::Engine(Box::new(error))
    }
}

/// Why a store could not be opened at all. What is wrong with its content is never among these:
/// that is wiped.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process, or this one, already has it open. Nothing was touched.
    #[error("{} is in use by another store", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot be used: permissions, space, open files. Nothing was wiped.
    #[error("{} cannot be used", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Even an empty store does not open.
    #[error("an empty store does not open in {}", path.display())]
    Engine {
        /// The folder.
        path: PathBuf,
        /// What the engine said.
        #[source]
        cause: Box<SledStoreError>,
    },
}

impl OpenError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } => Code::STORE_IN_USE,
            Self::Folder { .. } => Code::STORE_FOLDER_UNUSABLE,
            Self::Engine { .. } => Code::STORE_ENGINE_FAILED,
        }
    }
}

/// Whether a cause is the machine's and says nothing of what stands on it: wiping would not help, so that it must not
/// be done.
pub(crate) fn is_of_the_machine(cause: &io::Error) -> bool {
    use io::ErrorKind::{
        OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    const TOO_MANY_OPEN_FILES: [i32; 2] = [23, 24]; // ENFILE, EMFILE
    matches!(
        cause.kind(),
        OutOfMemory | PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
    ) || cause
        .raw_os_error()
        .is_some_and(|code| TOO_MANY_OPEN_FILES.contains(&code))
}
