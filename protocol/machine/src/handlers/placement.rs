//! Orders of placement: the next one of this group, or the newest of another.

use std::collections::BTreeSet;

use tongban_trust::Registry;
use tongban_types::{KeyRole, NodeId, PlacementOrder, Signed, limits};

use crate::context::Context;
use crate::keyspace;
use crate::placement::{Placement, placement_orders};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Takes an order in whose signature holds. One of this group must be the next, so that of two made at
/// the same time only one is carried out. Of another group the newest counts, whatever was missed.
pub(crate) fn on_placement(
    context: &mut Context<'_>,
    signed: &Signed,
    order: &PlacementOrder,
) -> Result<Reply, Refusal> {
    let group = order.group;
    let governance = context.registry()?.governance_key(group.city());
    if governance != Some(signed.signer) {
        return Err(Refusal::KeyWithoutRight);
    }
    let kept = keyspace::placement_order(group, order.version);
    if context.draft.load::<Signed>(&kept).as_ref() == Some(signed) {
        return Ok(Reply::Done);
    }
    let known = context.placement(group)?.version;
    if group == context.group {
        require_next(order, known)?;
        require_enrolled(context.registry()?, order)?;
    } else if order.version <= known {
        return Err(Refusal::Superseded);
    }
    require_shape(order)?;
    context.draft.store(kept, signed);
    // Of another group versions may be missing, so that they are counted, not reckoned.
    let orders = placement_orders(&context.draft, group);
    let too_many = orders.len().saturating_sub(limits::PLACEMENTS_KEPT_MAX);
    for old in orders.iter().take(too_many) {
        context
            .draft
            .delete(keyspace::placement_order(group, old.version));
    }
    let placement = Placement {
        version: order.version,
        voters: order.voters.clone(),
        learners: order.learners.clone(),
    };
    context.draft.store(keyspace::placement(group), &placement);
    Ok(Reply::Done)
}

/// In the group's own log one order follows on another.
pub(crate) fn require_next(order: &PlacementOrder, known: u64) -> Result<(), Refusal> {
    let expected = known.saturating_add(1);
    if order.version == expected {
        return Ok(());
    }
    Err(Refusal::PlacementOutOfTurn {
        expected,
        got: order.version,
    })
}

/// 3 or 5 voters; one at least the city's own, so that there is somebody whose desk and effects go by
/// the group at first hand; and something outside the city, so that the state outlives it.
pub(crate) fn require_shape(order: &PlacementOrder) -> Result<(), Refusal> {
    let own = |node: &NodeId| node.city() == order.group.city();
    let ascends = |nodes: &[NodeId]| nodes.is_sorted_by(|left, right| left < right);
    let voters: BTreeSet<&NodeId> = order.voters.iter().collect();
    let has_right_number = [3, limits::VOTERS_MAX].contains(&order.voters.len());
    let is_sound = has_right_number
        && order.learners.len() <= limits::LEARNERS_MAX
        && ascends(&order.voters)
        && ascends(&order.learners)
        && order.learners.iter().all(|node| !voters.contains(node))
        && order.voters.iter().any(own)
        && !order.voters.iter().chain(&order.learners).all(own)
        && order.reason.len() <= limits::PLACEMENT_REASON_BYTES_MAX;
    if is_sound {
        Ok(())
    } else {
        Err(Refusal::PlacementRuleBroken)
    }
}

pub(crate) fn require_enrolled(registry: &Registry, order: &PlacementOrder) -> Result<(), Refusal> {
    let mut replicas = order.voters.iter().chain(&order.learners);
    if replicas.all(|node| registry.key_of(KeyRole::Voter, *node).is_some()) {
        Ok(())
    } else {
        Err(Refusal::PlacementRuleBroken)
    }
}
