//! Why a node does not start.

use thiserror::Error;
use tongban_runtime::ports::{LogFailed, StateFailed};
use tongban_types::{Code, GroupId};

/// Why a node does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Its log does not open.
    #[error("the log of this node does not open")]
    Log(#[from] tongban_wal::OpenError),
    /// Its log fails at once.
    #[error(transparent)]
    LogFailed(#[from] LogFailed),
    /// A group's state does not open.
    #[error("the state of group {group} does not open")]
    State {
        /// The group.
        group: GroupId,
        /// Why.
        #[source]
        source: StateFailed,
    },
    /// A group does not start.
    #[error("group {group} does not start")]
    Group {
        /// The group.
        group: GroupId,
        /// Why.
        #[source]
        source: tongban_consensus::StartError,
    },
}

impl StartError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::LogFailed(_) | Self::State { .. } => Code::NODE_FAILED,
            Self::Group { source, .. } => source.code(),
        }
    }
}
