//! Taking a node out of service for maintenance: it hands its leads away and takes none, takes no new case,
//! and says what still speaks against stopping it. A restart ends it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tongban_types::{Code, GroupId, NodeId, encode};

use crate::core::{Core, Hosted};
use crate::handle::{GroupReport, NodeReport};
use crate::seams::{Lane, Platform, Transport, TransportError};
use crate::wire::SubmitRequest;

/// Whoever is to lead is asked first and has this long to answer.
const ASK_PATIENCE: Duration = Duration::from_secs(2);

/// What speaks against stopping a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It is not being drained: it may take a lead or a case at any moment.
    NotDraining,
    /// It leads a group: stopping it costs an election.
    Leads(GroupId),
    /// It took applications in that no group has yet.
    DeskWaits(usize),
    /// A group of which it is a voter could not decide without it.
    Needed(GroupId),
}

/// All that speaks against stopping a node, by its own report.
pub fn hindrances(report: &NodeReport) -> Vec<Hindrance> {
    let mut found = Vec::new();
    if !report.draining {
        found.push(Hindrance::NotDraining);
    }
    let leads = |group: &&GroupReport| group.status.leader == Some(report.node);
    let led = report.groups.iter().filter(leads);
    found.extend(led.map(|group| Hindrance::Leads(group.group)));
    if report.desk_waiting > 0 {
        found.push(Hindrance::DeskWaits(report.desk_waiting));
    }
    // A replica that stopped, or whose group decides nothing now, is lost to it already.
    let needed = |group: &&GroupReport| {
        let votes = group.status.voters.contains(&report.node);
        votes && group.has_quorum && group.can_lose == 0
    };
    let needed = report.groups.iter().filter(needed);
    found.extend(needed.map(|group| Hindrance::Needed(group.group)));
    found
}

impl<P: Platform> Core<P> {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether another node would take a lead; asked before it is handed over, as a hand-over that comes to
    /// nothing costs the group an election.
    pub(crate) async fn would_lead(&self, group: GroupId, node: NodeId) -> bool {
        self.ask_to_lead(group, node).await.is_ok()
    }

    /// Whether another node says of itself that it is being drained.
    pub(crate) async fn is_drained_there(&self, group: GroupId, node: NodeId) -> bool {
        let asked = self.ask_to_lead(group, node).await;
        asked.is_err_and(|error| error.code() == Code::NODE_DRAINING)
    }

    /// Asks another node whether it would take a lead; any answer says that it is up.
    pub(crate) async fn ask_to_lead(
        &self,
        group: GroupId,
        node: NodeId,
    ) -> Result<Bytes, TransportError> {
        let request = Bytes::from(encode(&SubmitRequest::MayLead { group }));
        let sent = self
            .transport
            .request(node, Lane::Submit, request, ASK_PATIENCE);
        sent.await
    }

    /// Answers it.
    pub(crate) fn on_may_lead(&self, group: GroupId) -> Result<(), Code> {
        let hosted = self.group(group).ok_or(Code::NOT_HOSTED)?;
        if hosted.group.status().stopped {
            return Err(Code::GROUP_STOPPED);
        }
        if self.is_draining() {
            return Err(Code::NODE_DRAINING);
        }
        Ok(())
    }

    /// Hands the lead of a group to another voter: one of its own city before the others.
    pub(crate) async fn give_lead_away(self: &Arc<Self>, group: GroupId, hosted: &Hosted<P>) {
        let mut voters = self.placement(group).voters;
        voters.retain(|voter| *voter != self.me);
        voters.sort_by_key(|voter| voter.city() != group.city());
        for voter in voters {
            if !self.would_lead(group, voter).await {
                continue;
            }
            match hosted.group.transfer_leader(voter).await {
                Ok(()) => {
                    tracing::info!(%group, to = %voter, "handing the lead away: this node is drained");
                    return;
                }
                Err(error) => tracing::debug!(%group, %voter, %error, "it cannot take the lead"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::GroupStatus;
    use std::collections::BTreeMap;
    use tongban_types::Timestamp;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn group() -> GroupId {
        GroupId("350100".parse().unwrap())
    }

    /// Drained, with one group that another voter leads and that can lose one machine.
    fn drained() -> NodeReport {
        NodeReport {
            node: node(1),
            groups: vec![GroupReport {
                group: group(),
                status: GroupStatus {
                    leader: Some(node(2)),
                    voters: [1, 2, 3].map(node).to_vec(),
                    ..GroupStatus::default()
                },
                time: Timestamp::default(),
                cases: 0,
                unanswered: 0,
                refused: BTreeMap::new(),
                evidence: 0,
                in_touch: 3,
                has_quorum: true,
                can_lose: 1,
                diverged: false,
            }],
            connected: Vec::new(),
            desk_waiting: 0,
            desk_refused: 0,
            case_keys: 0,
            registry: 1,
            refused_to_peers: BTreeMap::new(),
            relayed: 0,
            draining: true,
            failed: false,
        }
    }

    #[test]
    fn a_node_that_leads_nothing_holds_nothing_back_and_is_not_needed_may_be_stopped() {
        assert_eq!(hindrances(&drained()), []);
    }

    #[test]
    fn each_thing_that_speaks_against_a_stop_is_named() {
        let mut report = drained();
        report.draining = false;
        assert_eq!(hindrances(&report), [Hindrance::NotDraining]);
        let mut report = drained();
        report.groups[0].status.leader = Some(node(1));
        assert_eq!(hindrances(&report), [Hindrance::Leads(group())]);
        let mut report = drained();
        report.desk_waiting = 4;
        assert_eq!(hindrances(&report), [Hindrance::DeskWaits(4)]);
        let mut report = drained();
        report.groups[0].can_lose = 0;
        assert_eq!(hindrances(&report), [Hindrance::Needed(group())]);
    }

    #[test]
    fn a_learner_and_a_group_that_decides_nothing_anyhow_do_not_hold_a_node_up() {
        let mut report = drained();
        report.groups[0].can_lose = 0;
        report.groups[0].has_quorum = false;
        assert_eq!(hindrances(&report), []);
        let mut report = drained();
        report.groups[0].can_lose = 0;
        report.groups[0].status.voters = [2, 3, 4].map(node).to_vec();
        assert_eq!(hindrances(&report), []);
    }
}
