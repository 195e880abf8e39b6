//! What an order of placement would do, before anybody signs it: whether it would be taken, by which
//! steps the group would get there, and how many machines it could lose on the way.

use std::collections::BTreeSet;

use tongban_trust::Registry;
use tongban_types::{NodeId, PlacementOrder};

use crate::handlers::{require_enrolled, require_next, require_shape};
use crate::placement::{Members, NextStep, Placement, placement_of};
use crate::refusal::Refusal;
use crate::view::View;

/// Steps of one order: learners in, a joint set, out of one that is under way, the new set, those not
/// placed out. The bound ends a loop that cannot be longer.
const STEPS_MAX: usize = 8;

/// What an order would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementPlan {
    /// The members after each step, one entry of the log each.
    pub steps: Vec<Members>,
    /// Replicas that come in.
    pub comes_in: BTreeSet<NodeId>,
    /// Replicas that go.
    pub goes: BTreeSet<NodeId>,
    /// Machines that may be lost now; none if the group cannot decide.
    pub tolerates_now: Option<usize>,
    /// The least of it at any step.
    pub tolerates_meanwhile: Option<usize>,
    /// Once it stands as ordered.
    pub tolerates_then: Option<usize>,
    /// Voters that come in and are out of reach now: the change waits for them, and goes back only by
    /// another order.
    pub waits_for: BTreeSet<NodeId>,
}

/// Judges an order as its group would, signature aside.
pub fn judge_order(
    view: &dyn View,
    registry: &Registry,
    order: &PlacementOrder,
) -> Result<(), Refusal> {
    let known = placement_of(view, registry, order.group).version;
    require_next(order, known)?;
    require_enrolled(registry, order)?;
    require_shape(order)
}

/// Follows an order from the members as they are; `is_up` says whether a node is in reach now.
pub fn plan_order(
    members: &Members,
    order: &PlacementOrder,
    is_up: impl Fn(NodeId) -> bool,
) -> PlacementPlan {
    let placement = Placement {
        version: order.version,
        voters: order.voters.clone(),
        learners: order.learners.clone(),
    };
    let mut steps = Vec::new();
    let mut now = members.clone();
    while let NextStep::To(next) = placement.next_step(&now, |_| true) {
        steps.push(next.clone());
        now = next;
        if steps.len() == STEPS_MAX {
            break;
        }
    }
    let placed = placement.replicas();
    let votes_now = |node: &NodeId| members.voter_sets.iter().any(|set| set.contains(node));
    let meanwhile = std::iter::once(members).chain(&steps);
    PlacementPlan {
        comes_in: placed.difference(&members.replicas).copied().collect(),
        goes: members.replicas.difference(&placed).copied().collect(),
        tolerates_now: tolerance(members, &is_up),
        tolerates_meanwhile: meanwhile
            .map(|step| tolerance(step, &is_up))
            .min()
            .flatten(),
        tolerates_then: tolerance(&now, &is_up),
        waits_for: order
            .voters
            .iter()
            .filter(|node| !votes_now(node) && !is_up(**node))
            .copied()
            .collect(),
        steps,
    }
}

/// How many of the machines that are up may still be lost, whichever they are, before one of the sets of
/// voters has no majority; `None` if one has none already.
pub fn tolerance(members: &Members, is_up: impl Fn(NodeId) -> bool) -> Option<usize> {
    let of_set = |set: &BTreeSet<NodeId>| {
        let up = set.iter().filter(|node| is_up(**node)).count();
        up.checked_sub(set.len() / 2 + 1)
    };
    members.voter_sets.iter().map(of_set).min().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongban_types::GroupId;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn nodes(numbers: &[u8]) -> BTreeSet<NodeId> {
        numbers.iter().map(|number| node(*number)).collect()
    }

    fn founding() -> Members {
        Members {
            voter_sets: vec![nodes(&[1, 2, 3])],
            replicas: nodes(&[1, 2, 3]),
        }
    }

    fn order(voters: &[u8], learners: &[u8]) -> PlacementOrder {
        PlacementOrder {
            group: GroupId("350100".parse().unwrap()),
            version: 1,
            voters: nodes(voters).into_iter().collect(),
            learners: nodes(learners).into_iter().collect(),
            reason: String::new(),
        }
    }

    #[test]
    fn a_plan_says_who_comes_who_goes_and_ends_as_ordered() {
        let plan = plan_order(&founding(), &order(&[1, 2, 4], &[5]), |_| true);
        assert_eq!(plan.comes_in, nodes(&[4, 5]));
        assert_eq!(plan.goes, nodes(&[3]));
        let last = plan.steps.last().unwrap();
        assert_eq!(last.replicas, nodes(&[1, 2, 4, 5]));
        assert_eq!(plan.tolerates_now, Some(1));
        assert_eq!(plan.tolerates_meanwhile, Some(1));
        assert_eq!(plan.tolerates_then, Some(1));
        assert!(plan.waits_for.is_empty());
    }

    #[test]
    fn a_lost_voter_costs_tolerance_until_its_successor_votes() {
        let plan = plan_order(&founding(), &order(&[1, 2, 4], &[]), |up| up != node(3));
        assert_eq!(plan.tolerates_now, Some(0));
        assert_eq!(plan.tolerates_meanwhile, Some(0));
        assert_eq!(plan.tolerates_then, Some(1));
    }

    #[test]
    fn a_newcomer_out_of_reach_is_named_as_what_the_change_waits_for() {
        let plan = plan_order(&founding(), &order(&[1, 2, 4], &[]), |up| up != node(4));
        assert_eq!(plan.waits_for, nodes(&[4]));
        assert_eq!(plan.tolerates_then, Some(0));
    }

    #[test]
    fn a_group_without_a_majority_tolerates_nothing_not_even_none() {
        let plan = plan_order(&founding(), &order(&[1, 4, 5], &[]), |up| {
            ![node(2), node(3)].contains(&up)
        });
        assert_eq!(plan.tolerates_now, None);
        assert_eq!(plan.tolerates_meanwhile, None);
        assert_eq!(plan.tolerates_then, Some(1));
    }

    #[test]
    fn more_voters_tolerate_more() {
        let plan = plan_order(&founding(), &order(&[1, 2, 3, 4, 5], &[]), |_| true);
        assert_eq!(plan.tolerates_then, Some(2));
    }
}
