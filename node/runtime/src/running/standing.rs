//! How a group stands as this node sees it: who is in touch, whether it decides, and how many may still be
//! lost.

use tongban_machine::{ground, tolerance, unanswered};
use tongban_types::{GroupId, NodeId};

use super::RunningNode;
use crate::core::Hosted;
use crate::handle::GroupReport;
use crate::ports::GroupStatus;
use crate::seams::{Platform, Transport};

/// Unanswered packets that are counted; beyond it the report says this many.
const UNANSWERED_COUNT_MAX: usize = 10_000;

impl<P: Platform> RunningNode<P> {
    pub(super) fn report_group(&self, id: GroupId, hosted: &Hosted<P>) -> GroupReport {
        let status = hosted.group.status();
        let here = hosted.replica.read(ground).unwrap_or_default();
        let waiting = hosted
            .replica
            .read(|view| unanswered(view, None, UNANSWERED_COUNT_MAX).len())
            .unwrap_or(0);
        let connected = self.core.transport.connected();
        GroupReport {
            group: id,
            time: here.time,
            cases: here.cases,
            unanswered: waiting,
            refused: hosted.replica.refused(),
            evidence: here.evidence,
            in_touch: in_touch(self.core.me, &status, &connected),
            has_quorum: has_quorum(self.core.me, &status),
            can_lose: can_lose(self.core.me, &status, &connected),
            diverged: hosted.replica.has_diverged(),
            status,
        }
    }
}

/// Voters of a group in touch with its leader, or as this replica sees them.
fn in_touch(me: NodeId, status: &GroupStatus, connected: &[NodeId]) -> usize {
    if status.leader == Some(me) && !status.stopped {
        return status.voters_in_touch;
    }
    let is_up = |voter: &&NodeId| {
        if **voter == me {
            !status.stopped
        } else {
            connected.contains(voter)
        }
    };
    status.voters.iter().filter(is_up).count()
}

/// The leader goes by who acknowledges it, another replica by whom it is connected to.
fn is_up(me: NodeId, status: &GroupStatus, connected: &[NodeId], node: NodeId) -> bool {
    let leads = status.leader == Some(me) && !status.stopped;
    match (leads, node == me) {
        // Until it keeps count of who answers, it knows of nobody.
        (true, true) => status.voters_in_touch > 0,
        (true, false) => {
            let mut known = status.progress.iter();
            known.any(|replica| replica.node == node && replica.is_heard)
        }
        (false, true) => !status.stopped,
        (false, false) => connected.contains(&node),
    }
}

/// How many voters that are up may be lost, `None` without a majority. While the voters change each of both
/// sets decides for itself, and the one with the least reserve counts.
fn reserve(me: NodeId, status: &GroupStatus, connected: &[NodeId]) -> Option<usize> {
    tolerance(&status.members, |node| is_up(me, status, connected, node))
}

fn can_lose(me: NodeId, status: &GroupStatus, connected: &[NodeId]) -> usize {
    if !has_quorum(me, status) {
        return 0;
    }
    reserve(me, status, connected).unwrap_or(0)
}

/// A follower goes by its leader's word, while it hears it: it need not be connected to the other followers.
pub(super) fn has_quorum(me: NodeId, status: &GroupStatus) -> bool {
    match status.leader {
        _ if status.stopped => false,
        None => false,
        // Whom a leader is connected to says nothing.
        Some(leader) if leader == me => reserve(me, status, &[]).is_some(),
        Some(_) => status.hears_leader,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ports::{Members, ReplicaProgress};

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn nodes() -> Vec<NodeId> {
        (1..=3).map(node).collect()
    }

    fn members() -> Members {
        Members {
            voter_sets: vec![nodes().into_iter().collect()],
            replicas: nodes().into_iter().collect(),
        }
    }

    /// What the first node knows of the others, as their leader.
    fn heard(others: &[NodeId]) -> Vec<ReplicaProgress> {
        let heard = |node: &NodeId| ReplicaProgress {
            node: *node,
            is_heard: true,
            matching: 1,
        };
        others.iter().map(heard).collect()
    }

    fn led_by(leader: Option<usize>) -> GroupStatus {
        GroupStatus {
            leader: leader.map(|place| nodes()[place]),
            hears_leader: matches!(leader, Some(1..)),
            voters: nodes(),
            members: members(),
            progress: if leader == Some(0) {
                heard(&nodes()[1..])
            } else {
                Vec::new()
            },
            voters_in_touch: if leader == Some(0) { 3 } else { 0 },
            ..GroupStatus::default()
        }
    }

    fn figures(status: &GroupStatus, connected: &[NodeId]) -> (usize, bool) {
        let me = nodes()[0];
        (in_touch(me, status, connected), has_quorum(me, status))
    }

    #[test]
    fn a_leader_counts_who_answers_it_and_a_follower_whom_it_is_connected_to() {
        assert_eq!(figures(&led_by(Some(0)), &[]), (3, true));
        assert_eq!(figures(&led_by(Some(1)), &nodes()[1..]), (3, true));
        assert_eq!(figures(&led_by(Some(1)), &nodes()[1..2]), (2, true));
    }

    #[test]
    fn a_leader_alone_a_leader_not_heard_and_none_are_no_quorum() {
        let alone = GroupStatus {
            progress: Vec::new(),
            voters_in_touch: 1,
            ..led_by(Some(0))
        };
        assert_eq!(figures(&alone, &nodes()[1..]), (1, false));
        let silent = GroupStatus {
            hears_leader: false,
            ..led_by(Some(1))
        };
        assert_eq!(figures(&silent, &nodes()[1..]), (3, false));
        assert_eq!(figures(&led_by(None), &nodes()[1..]), (3, false));
    }

    #[test]
    fn a_stopped_replica_is_not_in_touch_and_knows_of_no_quorum() {
        for leader in [Some(0), Some(1)] {
            let stopped = GroupStatus {
                stopped: true,
                ..led_by(leader)
            };
            assert_eq!(figures(&stopped, &nodes()[1..]), (2, false));
        }
    }

    /// Led by node 1 while the voters {1, 2, 3} become others; these replicas answer it.
    fn changing_to(voters: &[u8], answer: &[u8]) -> GroupStatus {
        let named = |numbers: &[u8]| numbers.iter().copied().map(node).collect::<BTreeSet<_>>();
        let answering: Vec<NodeId> = answer.iter().copied().map(node).collect();
        let (old, new) = (named(&[1, 2, 3]), named(voters));
        let replicas: BTreeSet<NodeId> = old.union(&new).copied().collect();
        GroupStatus {
            leader: Some(node(1)),
            voters: replicas.iter().copied().collect(),
            members: Members {
                voter_sets: vec![old, new],
                replicas,
            },
            progress: heard(&answering),
            voters_in_touch: answering.len() + 1,
            ..GroupStatus::default()
        }
    }

    #[test]
    fn while_the_voters_change_the_weaker_of_both_sets_says_what_may_be_lost() {
        let me = node(1);
        let on_leader = |status: &GroupStatus| can_lose(me, status, &[]);
        assert_eq!(on_leader(&led_by(Some(0))), 1);
        assert_eq!(on_leader(&changing_to(&[1, 4, 5], &[2, 3, 4, 5])), 1);
        let others = [2, 3, 4, 5, 6];
        assert_eq!(on_leader(&changing_to(&[4, 5, 6], &others)), 1);
        assert_eq!(on_leader(&changing_to(&[1, 4, 5], &[2, 4, 5])), 0);
        let follower = GroupStatus {
            leader: Some(node(2)),
            hears_leader: true,
            progress: Vec::new(),
            voters_in_touch: 0,
            ..changing_to(&[1, 4, 5], &[])
        };
        let connected = [2, 3, 4, 5].map(node);
        assert_eq!(can_lose(me, &follower, &connected), 1);
        assert_eq!(can_lose(me, &follower, &connected[..3]), 0);
    }

    #[test]
    fn a_leader_needs_a_majority_of_either_set_while_the_voters_change() {
        let me = node(1);
        assert!(has_quorum(me, &changing_to(&[1, 4, 5], &[2, 4])));
        // Three of five, and one of the three that vote so far.
        assert!(!has_quorum(me, &changing_to(&[1, 4, 5], &[4, 5])));
        assert!(!has_quorum(me, &changing_to(&[1, 4, 5], &[2, 3])));
    }
}
