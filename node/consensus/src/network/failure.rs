//! What a failed request means to openraft: silence is a timeout and is tried again at once, anything
//! else is an unreachable peer and is tried again after a pause.

use std::time::Duration;

use openraft::AsyncRuntime;
use openraft::RPCTypes;
use openraft::errors::{RPCError, Timeout, Unreachable};
use tongban_runtime::seams::TransportError;

use crate::formats::Malformed;
use crate::raft_types::Types;

/// Why a request brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("this node is silent for now, so that another is elected")]
    Muted,
    #[error("{0} is not the number of a node")]
    NoSuchNode(u64),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the answer cannot be read")]
    Answer(#[from] Malformed),
    #[error("the answer makes no sense: {0}")]
    Senseless(&'static str),
}

impl Failure {
    /// As openraft's error for a request of `action` from `id` to `target`.
    pub(super) fn into_rpc<R: AsyncRuntime>(
        self,
        action: RPCTypes,
        id: u64,
        target: u64,
    ) -> RPCError<Types<R>> {
        match self {
            Self::Transport(TransportError::TimedOut { after_ms, .. }) => {
                RPCError::Timeout(Timeout {
                    action,
                    id,
                    target,
                    timeout: Duration::from_millis(after_ms),
                })
            }
            other => RPCError::Unreachable(Unreachable::new(&other)),
        }
    }
}
