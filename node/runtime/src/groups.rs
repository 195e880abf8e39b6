//! The groups of a node as its operators see and move them.

use async_trait::async_trait;
use tongban_machine::{
    CheckedEntry, PlacementPlan, Refusal, judge_order, placement_of, plan_order,
};
use tongban_types::{Entry, GroupId, NodeId, PlacementOrder, Signed, decode, encode};

use crate::handle::NodeError;
use crate::ports::{HandOverError, Placement};
use crate::running::RunningNode;
use crate::seams::{Platform, Transport};
use crate::submit::SubmitError;

/// What an operator may ask of the groups.
#[async_trait]
pub trait Groups: Send + Sync {
    /// Where a group that this node keeps a replica of is placed by the order in force; version 0 is where
    /// it began.
    fn placement(&self, group: GroupId) -> Result<Placement, NodeError>;

    /// What an order would do to a group that this node keeps a replica of; refused as the group would
    /// refuse it, its signature aside. Changes nothing.
    fn plan(&self, order: &PlacementOrder) -> Result<PlacementPlan, NodeError>;

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

    fn plan(&self, order: &PlacementOrder) -> Result<PlacementPlan, NodeError> {
        let core = self.core();
        let group = order.group;
        let hosted = core.group(group).ok_or(NodeError::NotHosted(group))?;
        let registry = core.registry();
        let judged = hosted
            .replica
            .read(|view| judge_order(view, &registry, order));
        judged??;
        let connected = core.transport.connected();
        let is_up = |node: NodeId| node == core.me || connected.contains(&node);
        Ok(plan_order(&hosted.group.status().members, order, is_up))
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
        let leads = hosted.group.status().leader == Some(core.me);
        if leads && to != core.me && core.is_drained_there(group, to).await {
            return Err(HandOverError::Drained { to }.into());
        }
        Ok(hosted.group.transfer_leader(to).await?)
    }
}
