//! Where a group's replicas stand: what the orders in the log say, and which change of a Raft group's
//! members an order authorises. Whoever leads carries an order out; this says whether others follow.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tongban_trust::Registry;
use tongban_types::{GroupId, NodeId, PlacementOrder, Signed, decode};

use crate::keyspace::{self, range_of};
use crate::view::{View, load};

/// Orders of one group that are read at once: all that are kept.
const ORDERS_READ_MAX: usize = tongban_types::limits::PLACEMENTS_KEPT_MAX + 1;

/// The voters and learners of a group, from an order on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Counts the orders; 0 is what the group began with.
    pub version: u64,
    /// Sorted.
    pub voters: Vec<NodeId>,
    /// Sorted.
    pub learners: Vec<NodeId>,
}

impl Placement {
    /// Every replica, sorted.
    pub fn replicas(&self) -> BTreeSet<NodeId> {
        self.voters.iter().chain(&self.learners).copied().collect()
    }

    /// How many voters make a majority.
    pub fn majority(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    /// Whether a Raft group with these members stands as ordered: nothing is left to do.
    pub fn is_reached(&self, members: &Members) -> bool {
        let voters: BTreeSet<NodeId> = self.voters.iter().copied().collect();
        members.voter_sets == [voters] && members.replicas == self.replicas()
    }

    /// What whoever leads does next to bring a Raft group from its members to this placement; of voters
    /// that come in, `is_ready` says whether they have caught up.
    pub fn next_step(&self, members: &Members, is_ready: impl Fn(NodeId) -> bool) -> NextStep {
        let placed = self.replicas();
        let voters: BTreeSet<NodeId> = self.voters.iter().copied().collect();
        let with_all: BTreeSet<NodeId> = members.replicas.union(&placed).copied().collect();
        let with_sets = |voter_sets: Vec<BTreeSet<NodeId>>| {
            NextStep::To(Members {
                voter_sets,
                replicas: members.replicas.clone(),
            })
        };
        if with_all != members.replicas {
            return NextStep::To(Members {
                voter_sets: members.voter_sets.clone(),
                replicas: with_all,
            });
        }
        match members.voter_sets.as_slice() {
            [only] if *only == voters => {
                if members.replicas == placed {
                    return NextStep::Nothing;
                }
                NextStep::To(Members {
                    voter_sets: vec![voters],
                    replicas: placed,
                })
            }
            [_, _] if members.voter_sets.contains(&voters) => with_sets(vec![voters]),
            sets => {
                let Some(last) = sets.last() else {
                    return NextStep::Nothing;
                };
                let late = voters.difference(last).find(|node| !is_ready(**node));
                match late {
                    Some(node) => NextStep::WaitFor(*node),
                    None => with_sets(vec![last.clone(), voters]),
                }
            }
        }
    }

    /// Whether this placement authorises a step of a Raft group from some members to others: learners
    /// that are placed come in, replicas that are not placed go, the voters stay or come closer to
    /// those placed by way of one joint set (Raft §6). Nothing else can be said by a leader.
    pub fn allows(&self, before: &Members, after: &Members) -> bool {
        let placed: BTreeSet<NodeId> = self.voters.iter().copied().collect();
        let is_target = |set: &BTreeSet<NodeId>| *set == placed;
        let votes = match after.voter_sets.as_slice() {
            same if same == before.voter_sets => true,
            [only] => is_target(only) && before.voter_sets.iter().any(is_target),
            [old, new] => is_target(new) && before.voter_sets.last() == Some(old),
            _ => false,
        };
        let all_placed = self.replicas();
        let mut added = after.replicas.difference(&before.replicas);
        let mut removed = before.replicas.difference(&after.replicas);
        let voters_are_replicas = after
            .voter_sets
            .iter()
            .all(|set| set.is_subset(&after.replicas));
        votes
            && voters_are_replicas
            && added.all(|node| all_placed.contains(node))
            && removed.all(|node| !all_placed.contains(node))
    }
}

/// What is to be done next toward a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The group stands as ordered.
    Nothing,
    /// A voter that comes in has not caught up.
    WaitFor(NodeId),
    /// The members are to become these.
    To(Members),
}

/// The members of a Raft group as an entry of its log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// One set of voters, or two while they change.
    pub voter_sets: Vec<BTreeSet<NodeId>>,
    /// Every replica, learners too.
    pub replicas: BTreeSet<NodeId>,
}

/// The placement of a group as this state knows it: of its own group what is in force, of another what
/// it was last told. Before any order it is what the registry says the group begins with.
pub fn placement_of(view: &dyn View, registry: &Registry, group: GroupId) -> Placement {
    ordered_placement(view, group).unwrap_or_else(|| Placement {
        version: 0,
        voters: registry.voters(group).to_vec(),
        learners: Vec::new(),
    })
}

/// The placement of a group by its newest order; `None` before any.
pub fn ordered_placement(view: &dyn View, group: GroupId) -> Option<Placement> {
    load(view, &keyspace::placement(group))
}

/// The signed order of a version, if it is among those kept.
pub fn placement_order(view: &dyn View, group: GroupId, version: u64) -> Option<Signed> {
    load(view, &keyspace::placement_order(group, version))
}

/// All orders of a group that are kept, oldest first.
pub fn placement_orders(view: &dyn View, group: GroupId) -> Vec<PlacementOrder> {
    let (from, until) = range_of(&keyspace::placement_orders(group));
    let orders = view.scan(&from, &until, ORDERS_READ_MAX);
    let signed = orders
        .iter()
        .filter_map(|(_, value)| postcard::from_bytes::<Signed>(value).ok());
    signed
        .filter_map(|signed| decode(&signed.bytes).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn nodes(numbers: &[u8]) -> BTreeSet<NodeId> {
        numbers.iter().map(|number| node(*number)).collect()
    }

    fn members(voter_sets: &[&[u8]], replicas: &[u8]) -> Members {
        Members {
            voter_sets: voter_sets.iter().map(|set| nodes(set)).collect(),
            replicas: nodes(replicas),
        }
    }

    /// 1, 2, 4 are to vote, 5 is to follow.
    fn order() -> Placement {
        Placement {
            version: 1,
            voters: nodes(&[1, 2, 4]).into_iter().collect(),
            learners: vec![node(5)],
        }
    }

    fn path() -> [Members; 6] {
        [
            members(&[&[1, 2, 3]], &[1, 2, 3]),
            members(&[&[1, 2, 3]], &[1, 2, 3, 4]),
            members(&[&[1, 2, 3]], &[1, 2, 3, 4, 5]),
            members(&[&[1, 2, 3], &[1, 2, 4]], &[1, 2, 3, 4, 5]),
            members(&[&[1, 2, 4]], &[1, 2, 3, 4, 5]),
            members(&[&[1, 2, 4]], &[1, 2, 4, 5]),
        ]
    }

    #[test]
    fn an_order_is_reached_by_learners_a_joint_set_and_removals() {
        let path = path();
        let (mut now, mut steps) = (path[0].clone(), 0);
        while let NextStep::To(next) = order().next_step(&now, |_| true) {
            assert!(order().allows(&now, &next), "{now:?} to {next:?}");
            (now, steps) = (next, steps + 1);
        }
        assert_eq!((steps, &now), (4, &path[5]));
        let waits = order().next_step(&path[2], |node| node != self::node(4));
        assert_eq!(waits, NextStep::WaitFor(node(4)));
        for step in path.windows(2) {
            assert!(order().allows(&step[0], &step[1]), "{step:?}");
            assert!(!order().is_reached(&step[0]));
            assert!(order().allows(&step[1], &step[1]), "said again");
        }
        assert!(order().is_reached(&path[5]));
    }

    #[test]
    fn a_leader_can_say_nothing_the_order_does_not() {
        let [before, .., joint, after, _] = &path();
        let lies = [
            (before, members(&[&[1, 2, 9]], &[1, 2, 3, 9])),
            (before, members(&[&[1, 2, 3], &[1, 2, 9]], &[1, 2, 3, 9])),
            (before, members(&[&[1, 2]], &[1, 2, 3])),
            (before, members(&[&[1]], &[1])),
            (before, members(&[&[1, 2, 3]], &[1, 2, 3, 9])),
            (before, members(&[&[1, 2, 3]], &[1, 2])),
            // Not in one step: a majority of one need not meet one of the other.
            (before, members(&[&[1, 2, 4]], &[1, 2, 3, 4, 5])),
            (joint, members(&[&[1, 2, 3]], &[1, 2, 3, 4, 5])),
            (joint, members(&[&[1, 2, 4]], &[1, 2, 3])),
            (after, members(&[&[1, 2, 3]], &[1, 2, 3, 4, 5])),
            (after, members(&[&[1, 2, 4]], &[1, 2, 4])),
            (after, members(&[], &[])),
        ];
        for (before, after) in lies {
            assert!(!order().allows(before, &after), "{before:?} to {after:?}");
        }
    }

    #[test]
    fn a_later_order_takes_over_in_the_middle_of_an_earlier_one() {
        let joint = &path()[3];
        let back = Placement {
            version: 2,
            voters: nodes(&[1, 2, 3]).into_iter().collect(),
            learners: Vec::new(),
        };
        let other = members(&[&[1, 2, 4], &[1, 2, 3]], &[1, 2, 3, 4, 5]);
        assert!(back.allows(joint, &other));
        let mut now = joint.clone();
        while let NextStep::To(next) = back.next_step(&now, |_| true) {
            assert!(back.allows(&now, &next), "{now:?} to {next:?}");
            now = next;
        }
        assert!(back.is_reached(&now));
        assert!(back.allows(&other, &members(&[&[1, 2, 3]], &[1, 2, 3, 4, 5])));
        assert!(
            back.allows(joint, &members(&[&[1, 2, 3]], &[1, 2, 3, 4, 5])),
            "the way back out of a joint set is as safe as the way on"
        );
    }
}
