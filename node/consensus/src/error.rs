//! Why a group does not start, with the code that `explain` describes.

use std::io;

use thiserror::Error;
use tongban_runtime::ports::LogFailed;
use tongban_types::{Code, NodeId};

/// Why a group does not start on this node.
#[derive(Debug, Error)]
pub enum StartError {
    /// The times or sizes it is to run with contradict each other, as openraft says.
    #[error("group settings contradict each other: {0}")]
    Settings(String),
    /// One append is to be larger than half a frame.
    #[error("group settings contradict each other: appends of {bytes} bytes")]
    AppendBytes {
        /// What it is set to.
        bytes: u64,
    },
    /// The voters it is to begin with are no group, as openraft says.
    #[error("these voters are no group: {0}")]
    Voters(String),
    /// The group is to begin with others than this node.
    #[error("these voters are no group: {me} is not among them")]
    NotAmong {
        /// This node.
        me: NodeId,
    },
    /// The group's log is gone and its state is not: the votes it gave are forgotten, and it could
    /// give them again.
    #[error("the group's log is not on this disk, though its state is")]
    LogLost,
    /// The log takes no writes.
    #[error("the group's first entry cannot be written")]
    Log(#[from] LogFailed),
    /// What the group left on this disk cannot be read, or log and state do not fit together.
    #[error("the group's log or state on this disk cannot be used: {0}")]
    Storage(String),
    /// The state cannot be read.
    #[error("the group's state on this disk cannot be read")]
    State(#[from] io::Error),
}

impl StartError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::Settings(_)
            | Self::AppendBytes { .. }
            | Self::Voters(_)
            | Self::NotAmong { .. } => Code::GROUP_SETTINGS,
            Self::LogLost => Code::GROUP_LOG_LOST,
            Self::Log(_) | Self::Storage(_) | Self::State(_) => Code::GROUP_UNREADABLE,
        }
    }
}
