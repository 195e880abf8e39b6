//! What openraft's metrics say of a group, in the words of the runtime.

use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::type_config::TypeConfigExt;
use openraft::type_config::alias::WatchReceiverOf;
use openraft::{AsyncRuntime, Instant, RaftMetrics};
use tongban_runtime::ports::{GroupStatus, HandOverError, ProposeError, ReplicaProgress};
use tongban_types::NodeId;

use crate::members::members_of;
use crate::raft_types::{LogId, Types};

/// Entries a replica may lack that is to lead or to vote: what a leader sends in one request. A leader
/// takes no proposals until the successor it named stands, and a voter that lacks more would hold
/// the group up where it is needed for a majority.
const LACKED_MAX: u64 = 64;

/// The latest metrics of a group.
pub(crate) type Metrics<R> = WatchReceiverOf<Types<R>, RaftMetrics<Types<R>>>;

/// Reads metrics; a leader counts a voter as in touch that acknowledged within `in_touch`. Metrics do not
/// say whether a follower hears its leader.
pub(crate) fn status_of<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    in_touch: Duration,
    hears_leader: bool,
) -> GroupStatus {
    let membership = metrics.membership_config.membership();
    GroupStatus {
        leader: metrics.current_leader.and_then(node),
        hears_leader,
        term: metrics.current_term,
        last_index: metrics.last_log_index.unwrap_or(0),
        applied_index: index(metrics.last_applied.as_ref()),
        purged_index: index(metrics.purged.as_ref()),
        snapshot_index: index(metrics.snapshot.as_ref()),
        voters: membership.voter_ids().filter_map(node).collect(),
        learners: membership.learner_ids().filter_map(node).collect(),
        members: members_of(membership),
        progress: progress(metrics, in_touch),
        voters_in_touch: voters_in_touch(metrics, in_touch),
        stopped: metrics.running_state.is_err(),
    }
}

fn progress<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    in_touch: Duration,
) -> Vec<ReplicaProgress> {
    let replicas = metrics.replication.iter().flatten();
    let others = replicas.filter(|(replica, _)| **replica != metrics.id);
    let of_one = |(replica, matching): (&u64, &Option<LogId>)| {
        Some(ReplicaProgress {
            node: node(*replica)?,
            is_heard: is_heard(metrics, *replica, in_touch),
            matching: index(matching.as_ref()),
        })
    };
    others.filter_map(of_one).collect()
}

/// On the leader: whether a replica lacks so little that it could vote at once.
pub(crate) fn may_vote<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    replica: NodeId,
    in_touch: Duration,
) -> bool {
    lacks(metrics, replica, in_touch).is_some_and(|entries| entries <= LACKED_MAX)
}

/// On the leader: how many entries a replica lacks, `None` of one that is not heard.
fn lacks<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    replica: NodeId,
    in_touch: Duration,
) -> Option<u64> {
    let replica = replica.as_u64();
    if replica == metrics.id {
        return Some(0);
    }
    if !is_heard(metrics, replica, in_touch) {
        return None;
    }
    let matching = metrics.replication.as_ref()?.get(&replica)?;
    let end = metrics.last_log_index.map_or(0, |last| last + 1);
    Some(end.saturating_sub(matching.map_or(0, |id| id.index() + 1)))
}

fn voters_in_touch<R: AsyncRuntime>(metrics: &RaftMetrics<Types<R>>, in_touch: Duration) -> usize {
    if metrics.heartbeat.is_none() {
        return 0;
    }
    let voters = metrics.membership_config.membership().voter_ids();
    voters
        .filter(|voter| *voter == metrics.id || is_heard(metrics, *voter, in_touch))
        .count()
}

/// On the leader: whether a replica acknowledged a heartbeat of the last `in_touch`.
fn is_heard<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    replica: u64,
    in_touch: Duration,
) -> bool {
    let heard = metrics.heartbeat.as_ref();
    let last = heard.and_then(|heard| heard.get(&replica).copied().flatten());
    last.is_some_and(|at| at.elapsed() <= in_touch)
}

/// Whether `to` could take over at once. openraft does not ask: it names any successor, and then
/// serves nobody until an election.
pub(crate) fn may_lead<R: AsyncRuntime>(
    metrics: &RaftMetrics<Types<R>>,
    to: NodeId,
    in_touch: Duration,
) -> Result<(), HandOverError> {
    if metrics.running_state.is_err() {
        return Err(HandOverError::Stopped);
    }
    if metrics.replication.is_none() {
        let leader = metrics.current_leader.and_then(node);
        return Err(HandOverError::NotLeader { leader });
    }
    let mut voters = metrics.membership_config.membership().voter_ids();
    if !voters.any(|voter| voter == to.as_u64()) {
        return Err(HandOverError::NoVoter { to });
    }
    match lacks(metrics, to, in_touch) {
        None => Err(HandOverError::Silent { to }),
        Some(entries) if entries > LACKED_MAX => Err(HandOverError::Behind { to, entries }),
        Some(_) => Ok(()),
    }
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
