//! How a group stands as this node sees it: who is in touch, whether it decides, and how many may still be
//! lost.

use tongban_machine::{ground, unanswered};
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
        let in_touch = in_touch(self.core.me, &status, &connected);
        let has_quorum = has_quorum(self.core.me, &status);
        GroupReport {
            group: id,
            time: here.time,
            cases: here.cases,
            unanswered: waiting,
            refused: hosted.replica.refused(),
            evidence: here.evidence,
            in_touch,
            has_quorum,
            can_lose: if has_quorum {
                in_touch.saturating_sub(majority(&status))
            } else {
                0
            },
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

fn majority(status: &GroupStatus) -> usize {
    status.voters.len() / 2 + 1
}

/// A follower goes by its leader's word, while it hears it: it need not be connected to the other followers.
pub(super) fn has_quorum(me: NodeId, status: &GroupStatus) -> bool {
    match status.leader {
        _ if status.stopped => false,
        None => false,
        Some(leader) if leader == me => status.voters_in_touch >= majority(status),
        Some(_) => status.hears_leader,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<NodeId> {
        let city = "350100".parse().unwrap();
        (1..=3)
            .map(|number| NodeId::new(city, number).unwrap())
            .collect()
    }

    fn led_by(leader: Option<usize>) -> GroupStatus {
        GroupStatus {
            leader: leader.map(|place| nodes()[place]),
            hears_leader: matches!(leader, Some(1..)),
            voters: nodes(),
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
}
