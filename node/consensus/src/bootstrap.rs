//! The first entry of a new group: its membership, at index 0 of term 0. Every voter writes the same
//! one by itself, so that the group begins whichever of them start first; a learner is sent it.

use openraft::AsyncRuntime;
use openraft::async_runtime::Oneshot;
use openraft::async_runtime::OneshotSender;
use tongban_runtime::ports::LogFailed;
use tongban_runtime::seams::Disk;
use tongban_types::NodeId;

use crate::config::GroupConfig;
use crate::error::StartError;
use crate::raft_types::{Entry, Membership, Payload, log_id, membership};
use crate::storage::{LogStore, stored};

/// Writes the first entry, durably, if this node is a voter.
pub(crate) async fn write_first_entry<R, D>(
    config: &GroupConfig,
    log: &LogStore<R, D>,
) -> Result<(), StartError>
where
    R: AsyncRuntime + Send + Sync,
    D: Disk,
{
    let membership = first_membership(config)?;
    if config.joins || !config.voters.contains(&config.me) {
        return Ok(());
    }
    let entry = Entry {
        log_id: log_id(0, 0),
        payload: Payload::Membership(membership),
    };
    let (sender, durable) = R::Oneshot::channel();
    log.write(vec![stored(&entry)], move |outcome| {
        // A start that was given up does not want to know.
        let _gone = sender.send(outcome);
    })
    .await?;
    let outcome = durable.await;
    outcome.unwrap_or_else(|closed| {
        Err(LogFailed {
            reason: closed.to_string(),
        })
    })?;
    Ok(())
}

fn first_membership(config: &GroupConfig) -> Result<Membership, StartError> {
    let voters = config.voters.iter().map(|node| node.as_u64()).collect();
    let replicas = config.replicas().into_iter().map(NodeId::as_u64);
    membership(vec![voters], replicas).map_err(|error| StartError::Voters(error.to_string()))
}

/// The voter that stands first in a new group, so that it need not wait for a silence.
pub(crate) fn stands_first(config: &GroupConfig) -> bool {
    let lowest: Option<&NodeId> = config.voters.iter().min();
    !config.joins && lowest == Some(&config.me)
}
