//! The groups of a node as its operators see and move them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use tongban_machine::{
    CheckedEntry, PlacementPlan, Refusal, judge_order, placement_of, plan_order,
};
use tongban_types::{Entry, GroupId, NodeId, PlacementOrder, Signed, decode, encode};

use crate::core::Core;
use crate::handle::NodeError;
use crate::ports::{HandOverError, Placement};
use crate::running::RunningNode;
use crate::seams::{Platform, Transport, TransportError};
use crate::submit::SubmitError;

/// What an operator may ask of the groups.
#[async_trait]
pub trait Groups: Send + Sync {
    /// Where a group that this node keeps a replica of is placed by the order in force; version 0 is where
    /// it began.
    fn placement(&self, group: GroupId) -> Result<Placement, NodeError>;

    /// What an order would do to a group that this node keeps a replica of; refused as the group would
    /// refuse it, its signature aside. Voters that this node has no connection to are asked whether they are
    /// up. Changes nothing.
    async fn plan(&self, order: &PlacementOrder) -> Result<PlacementPlan, NodeError>;

    /// Enters a signed order of placement into the log of its group, wherever that is led; whoever leads
    /// it carries the order out from then on.
    async fn order(&self, order: Signed) -> Result<(), NodeError>;

    /// Hands the lead of a group that this node leads to another of its voters; one that is being drained is
    /// refused, as it would not keep it.
    async fn hand_over(&self, group: GroupId, to: NodeId) -> Result<(), NodeError>;
}

#[async_trait]
impl<P: Platform> Groups for RunningNode<P> {
    fn placement(&self, group: GroupId) -> Result<Placement, NodeError> {
        let core = self.core();
        let hosted = core.group(group).ok_or(NodeError::NotHosted(group))?;
        let registry = core.registry();
        let read = hosted
            .replica
            .read(|view| placement_of(view, &registry, group));
        Ok(read?)
    }

    async fn plan(&self, order: &PlacementOrder) -> Result<PlacementPlan, NodeError> {
        let core = self.core();
        let group = order.group;
        let hosted = core.group(group).ok_or(NodeError::NotHosted(group))?;
        let registry = core.registry();
        let judged = hosted
            .replica
            .read(|view| judge_order(view, &registry, order));
        judged??;
        let members = hosted.group.status().members;
        let voters = members.voter_sets.iter().flatten().chain(&order.voters);
        let up = core.up_among(group, voters.copied().collect()).await;
        Ok(plan_order(&members, order, |node| up.contains(&node)))
    }

    async fn order(&self, order: Signed) -> Result<(), NodeError> {
        let malformed = |_| NodeError::Refused(Refusal::Malformed);
        let group = decode::<PlacementOrder>(&order.bytes)
            .map_err(malformed)?
            .group;
        let entry = encode(&Entry::Placement(order));
        if let Some(refusal) = CheckedEntry::check(group, entry.clone()).refusal() {
            return Err(NodeError::Refused(refusal.clone()));
        }
        let core = self.core();
        let timeout = core.tempo().order_timeout;
        let reply = core.submit(group, entry.into(), timeout).await;
        let reply = reply.map_err(|error| match error {
            SubmitError::NoLeader => NodeError::NoQuorum,
            SubmitError::Refused(code) => NodeError::RefusedThere(code),
            SubmitError::TimedOut => NodeError::TimedOut,
        })?;
        match reply.results.into_iter().next() {
            Some(Ok(_)) => Ok(()),
            Some(Err(refusal)) => Err(NodeError::Refused(refusal)),
            None => Err(NodeError::TimedOut),
        }
    }

    async fn hand_over(&self, group: GroupId, to: NodeId) -> Result<(), NodeError> {
        let core = self.core();
        let hosted = core.group(group).ok_or(NodeError::NotHosted(group))?;
        let status = hosted.group.status();
        // What needs no asking is judged by the group below.
        let may = status.leader == Some(core.me) && status.voters.contains(&to);
        if may && to != core.me && core.is_drained_there(group, to).await {
            return Err(HandOverError::Drained { to }.into());
        }
        Ok(hosted.group.transfer_leader(to).await?)
    }
}

impl<P: Platform> Core<P> {
    /// Those of the voters of a group, as it is or is to be, that are up: this node, whoever it is connected
    /// to, and whoever answers. A link is made when somebody wants it, so that a newcomer nobody wanted
    /// anything of yet is up and not connected.
    async fn up_among(&self, group: GroupId, voters: BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let connected = self.transport.connected();
        let is_linked = |node: &NodeId| *node == self.me || connected.contains(node);
        let (mut up, others): (BTreeSet<NodeId>, BTreeSet<NodeId>) =
            voters.into_iter().partition(is_linked);
        let asked = others.into_iter().map(|node| async move {
            let answered = self.ask_to_lead(group, node).await;
            is_there(&answered).then_some(node)
        });
        up.extend(join_all(asked).await.into_iter().flatten());
        up
    }
}

/// Who refuses is there.
const fn is_there(answered: &Result<Bytes, TransportError>) -> bool {
    matches!(answered, Ok(_) | Err(TransportError::Refused { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_types::Code;

    #[test]
    fn a_newcomer_that_keeps_nothing_of_the_group_is_up_if_it_says_so() {
        let peer = NodeId::new("350100".parse().unwrap(), 4).unwrap();
        let code = Code::NOT_HOSTED;
        assert!(is_there(&Err(TransportError::Refused { peer, code })));
        assert!(is_there(&Ok(Bytes::new())));
        assert!(!is_there(&Err(TransportError::Unreachable { peer })));
        let late = TransportError::TimedOut { peer, after_ms: 2 };
        assert!(!is_there(&Err(late)));
    }
}
