//! What openraft's metrics say of a group, in the words of the runtime.

use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::type_config::TypeConfigExt;
use openraft::type_config::alias::WatchReceiverOf;
use openraft::{AsyncRuntime, Instant, RaftMetrics};
use tongban_runtime::ports::{GroupStatus, ProposeError};
use tongban_types::NodeId;

use crate::raft_types::{LogId, Types};

/// The latest metrics of a group.
pub(crate) type Metrics<R> = WatchReceiverOf<Types<R>, RaftMetrics<Types<R>>>;

/// Reads metrics; a leader counts a voter as in touch that acknowledged within `in_touch`.
pub(crate) fn status_of<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    in_touch: Duration,
) -> GroupStatus {
    let membership = metrics.membership_config.membership();
    GroupStatus {
        leader: metrics.current_leader.and_then(node),
        term: metrics.current_term,
        last_index: metrics.last_log_index.unwrap_or(0),
        applied_index: index(metrics.last_applied.as_ref()),
        purged_index: index(metrics.purged.as_ref()),
        snapshot_index: index(metrics.snapshot.as_ref()),
        voters: membership.voter_ids().filter_map(node).collect(),
        learners: membership.learner_ids().filter_map(node).collect(),
        voters_in_touch: voters_in_touch(metrics, in_touch),
        stopped: metrics.running_state.is_err(),
    }
}

fn voters_in_touch<R: AsyncRuntime>(metrics: &RaftMetrics<Types<R>>, in_touch: Duration) -> usize {
    let Some(heard) = &metrics.heartbeat else {
        return 0;
    };
    let voters = metrics.membership_config.membership().voter_ids();
    voters
        .filter(|voter| {
            let last = heard.get(voter).copied().flatten();
            *voter == metrics.id || last.is_some_and(|at| at.elapsed() <= in_touch)
        })
        .count()
}

/// Waits until `test` finds what it looks for; a group that stopped ends the wait.
pub(crate) async fn until<R: AsyncRuntime, V: Send>(
    mut metrics: Metrics<R>,
    timeout: Duration,
    mut test: impl FnMut(&RaftMetrics<Types<R>>) -> Option<V> + Send,
) -> Result<V, ProposeError> {
    let deadline = Types::<R>::now() + timeout;
    loop {
        let stopped = {
            let seen = metrics.borrow_and_update();
            if let Some(found) = test(&seen) {
                return Ok(found);
            }
            seen.running_state.is_err()
        };
        if stopped {
            return Err(ProposeError::Stopped);
        }
        match R::timeout_at(deadline, metrics.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_closed)) => return Err(ProposeError::Stopped),
            Err(_late) => return Err(ProposeError::TimedOut),
        }
    }
}

/// The node of a number of openraft's.
pub(crate) fn node(number: u64) -> Option<NodeId> {
    NodeId::from_u64(number).ok()
}

fn index(id: Option<&LogId>) -> u64 {
    id.map_or(0, LogId::index)
}
