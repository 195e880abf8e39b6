//! openraft's errors as the runtime's refusals of a proposal.

use openraft::AsyncRuntime;
use openraft::errors::{
    ClientWriteError, ForwardReason, ForwardToLeader, LinearizableReadError, RaftError,
};
use tongban_runtime::ports::{Arranged, ProposeError};

use crate::raft_types::Types;
use crate::status::node;

/// Why an entry was not proposed, or is not known to be committed.
pub(crate) fn of_write<R: AsyncRuntime>(
    error: RaftError<Types<R>, ClientWriteError<Types<R>>>,
) -> ProposeError {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => not_leader(&forward),
        // Another leader's log took the entry's place here; elsewhere it may still be committed.
        RaftError::APIError(ClientWriteError::LogEntryDiscarded(_)) => ProposeError::TimedOut,
        RaftError::APIError(error) => {
            tracing::error!(%error, "a plain proposal was refused as a change of voters");
            ProposeError::TimedOut
        }
        RaftError::Fatal(_) => ProposeError::Stopped,
    }
}

/// What a refused change of members means: one that is not to be made just now is tried again.
pub(crate) fn of_change<R: AsyncRuntime>(
    error: RaftError<Types<R>, ClientWriteError<Types<R>>>,
) -> Result<Arranged, ProposeError> {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            Err(not_leader(&forward))
        }
        RaftError::APIError(error) => {
            tracing::debug!(%error, "the members do not change now");
            Ok(Arranged::Waits)
        }
        RaftError::Fatal(_) => Err(ProposeError::Stopped),
    }
}

/// Why leadership was not confirmed for a read.
pub(crate) fn of_read<R: AsyncRuntime>(
    error: RaftError<Types<R>, LinearizableReadError<Types<R>>>,
) -> ProposeError {
    match error {
        RaftError::APIError(LinearizableReadError::ForwardToLeader(forward)) => {
            not_leader(&forward)
        }
        RaftError::APIError(LinearizableReadError::QuorumNotEnough(_)) => {
            ProposeError::NotLeader { leader: None }
        }
        RaftError::Fatal(_) => ProposeError::Stopped,
    }
}

/// A leader whose lease lapsed names itself; that would send the caller in a circle.
fn not_leader<R: AsyncRuntime>(forward: &ForwardToLeader<Types<R>>) -> ProposeError {
    let leader = match forward.reason {
        ForwardReason::LeaseExpired => None,
        ForwardReason::NotLeader | ForwardReason::LeadershipTransfer => forward.leader_id,
    };
    ProposeError::NotLeader {
        leader: leader.and_then(node),
    }
}
