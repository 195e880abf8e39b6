//! Carrying orders of placement out: whoever leads a group brings it where it is ordered, and tells the
//! nodes concerned.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tongban_machine::{Placement, ordered_placement, placement_order, placement_orders};
use tongban_types::{Code, GroupId, NodeId, PlacementOrder, Signed, encode, limits};

use crate::core::{Core, Hosted};
use crate::ports::{Arranged, GroupStatus};
use crate::seams::{Lane, Platform, Transport, TransportError};
use crate::told::Told;
use crate::wire::{SubmitAnswer, SubmitRequest};

/// A step may wait this long for a majority; then it is looked at anew.
const STEP_PATIENCE: Duration = Duration::from_secs(5);

/// Whoever is told or asked has this long to answer.
pub(crate) const TELL_PATIENCE: Duration = Duration::from_secs(2);

/// Between two steps, so that the newcomers' answers to the last one are in.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);

/// Nodes that are asked how a group stands: the voters of two orders, and some they name for the leader.
const ASKED_MAX: usize = 2 * limits::VOTERS_MAX + 4;

/// The order in force at a group, as this node knows it.
pub(crate) struct InForce {
    pub(crate) placement: Placement,
    pub(crate) signed: Signed,
    /// The newest order before it that names this node, if it does not itself.
    naming: Option<Signed>,
    /// Whoever kept a replica by an order before.
    former: BTreeSet<NodeId>,
}

impl InForce {
    fn request(&self, group: GroupId) -> Bytes {
        Bytes::from(encode(&SubmitRequest::Placed {
            group,
            order: self.signed.clone(),
            naming: self.naming.clone().map(Box::new),
        }))
    }
}

/// What a leader remembers of the nodes it told of a version; another one tells again, which does no harm.
#[derive(Default)]
struct Spread {
    version: u64,
    nodes: BTreeSet<NodeId>,
}

/// Runs for one hosted group until the node stops.
pub(crate) async fn run_placing<P: Platform>(core: Arc<Core<P>>, group: GroupId) {
    let mut spread = Spread::default();
    while !core.is_stopping() {
        let mut rest = core.tempo().look_every;
        if let Some(hosted) = core.group(group) {
            match hosted.group.status().leader {
                Some(leader) if leader == core.me => {
                    if lead(&core, group, &hosted, &mut spread).await {
                        rest = BETWEEN_STEPS;
                    }
                }
                // Those who are to elect may not know of each other yet.
                None => tell_silent(&core, group, &hosted).await,
                Some(_) => {}
            }
        }
        core.rest(rest).await;
    }
}

/// One round of a leader; whether there may be another step at once.
async fn lead<P: Platform>(
    core: &Arc<Core<P>>,
    group: GroupId,
    hosted: &Hosted<P>,
    spread: &mut Spread,
) -> bool {
    let Some(order) = in_force(core, group, hosted) else {
        return false;
    };
    if spread.version != order.placement.version {
        *spread = Spread {
            version: order.placement.version,
            nodes: BTreeSet::new(),
        };
    }
    tell_silent(core, group, hosted).await;
    match hosted.group.arrange(STEP_PATIENCE).await {
        Ok(Arranged::Stands) => {}
        Ok(Arranged::Stepped) => return true,
        Ok(Arranged::Waits) => return false,
        Err(error) => {
            tracing::debug!(%group, %error, "no step toward the placement now");
            return false;
        }
    }
    let placed = order.placement.replicas();
    let left = order.former.difference(&placed).copied();
    let left: Vec<NodeId> = left.filter(|node| !spread.nodes.contains(node)).collect();
    let heard = tell_nodes(core, group, &order.request(group), left).await;
    spread.nodes.extend(heard);
    false
}

pub(crate) fn in_force<P: Platform>(
    core: &Core<P>,
    group: GroupId,
    hosted: &Hosted<P>,
) -> Option<InForce> {
    let read = hosted.replica.read(|view| {
        let placement = ordered_placement(view, group)?;
        let signed = placement_order(view, group, placement.version)?;
        let orders = placement_orders(view, group);
        let naming = naming_before(core.me, &placement, &orders)
            .and_then(|version| placement_order(view, group, version));
        Some((placement, signed, orders, naming))
    });
    let (placement, signed, orders, naming) = read.ok().flatten()?;
    let former = orders
        .iter()
        .flat_map(|order| order.voters.iter().chain(&order.learners));
    let registry = core.registry();
    let former = former.chain(registry.voters(group)).copied().collect();
    Some(InForce {
        placement,
        signed,
        naming,
        former,
    })
}

/// The version of the last order before a placement that names a node, if the placement does not.
fn naming_before(me: NodeId, placement: &Placement, orders: &[PlacementOrder]) -> Option<u64> {
    if placement.replicas().contains(&me) {
        return None;
    }
    let mut newest_first = orders.iter().rev();
    let naming =
        newest_first.find(|order| order.voters.contains(&me) || order.learners.contains(&me));
    naming.map(|order| order.version)
}

/// Tells replicas that are placed and do not answer this node: they may not know that they are, or who
/// may speak to them now. Of what the log here says and what this node was told the newer counts.
async fn tell_silent<P: Platform>(core: &Arc<Core<P>>, group: GroupId, hosted: &Hosted<P>) {
    let here = in_force(core, group, hosted);
    let told = Told::read(&*core.local, group);
    let version = here.as_ref().map_or(0, |order| order.placement.version);
    let told = told.filter(|told| told.placement.version > version);
    let (placement, request) = match (told, here) {
        (Some(told), _) => {
            let request = SubmitRequest::Placed {
                group,
                order: told.order().clone(),
                naming: None,
            };
            (told.placement, Bytes::from(encode(&request)))
        }
        (None, Some(here)) => {
            let request = here.request(group);
            (here.placement, request)
        }
        (None, None) => return,
    };
    let silent = silent_replicas(core.me, &placement, &hosted.group.status());
    tell_nodes(core, group, &request, silent).await;
}

fn silent_replicas(me: NodeId, placement: &Placement, status: &GroupStatus) -> Vec<NodeId> {
    let is_heard = |node: &NodeId| {
        let mut known = status.progress.iter();
        known.any(|replica| replica.node == *node && replica.is_heard)
    };
    let placed = placement.replicas();
    let others = placed.into_iter().filter(|node| *node != me);
    others.filter(|node| !is_heard(node)).collect()
}

/// Tells nodes of an order; says who took note of it.
async fn tell_nodes<P: Platform>(
    core: &Arc<Core<P>>,
    group: GroupId,
    request: &Bytes,
    nodes: Vec<NodeId>,
) -> Vec<NodeId> {
    let told = nodes.into_iter().map(|node| async move {
        let sent = core
            .transport
            .request(node, Lane::Submit, request.clone(), TELL_PATIENCE);
        let heard = sent.await.is_ok();
        tracing::debug!(%group, %node, heard, "told of the placement");
        heard.then_some(node)
    });
    join_all(told).await.into_iter().flatten().collect()
}

impl<P: Platform> Core<P> {
    /// Says how a group that this node leads stands.
    pub(crate) async fn on_standing(&self, group: GroupId) -> Result<SubmitAnswer, Code> {
        let hosted = self.group(group).ok_or(Code::NOT_HOSTED)?;
        let order = || in_force(self, group, &hosted).map(|order| order.signed);
        let before = order();
        let status = hosted.group.status();
        if status.leader != Some(self.me) {
            return Ok(SubmitAnswer::NotLeader(status.leader));
        }
        let arranged = hosted.group.arrange(TELL_PATIENCE).await;
        // Of an order that came in meanwhile it is not known.
        let stands = arranged == Ok(Arranged::Stands) && order() == before;
        Ok(SubmitAnswer::Standing {
            order: before,
            stands,
        })
    }

    /// Asks whoever leads a group how it stands.
    pub(crate) async fn ask_standing(&self, group: GroupId) -> Option<(Signed, bool)> {
        let request = Bytes::from(encode(&SubmitRequest::Standing { group }));
        let leader = self.group(group).and_then(|own| own.group.status().leader);
        // The last one is asked first.
        let mut to_ask = self.voters_to_ask(group);
        to_ask.extend(leader);
        let mut asked = BTreeSet::from([self.me]);
        while let Some(node) = to_ask.pop() {
            if !asked.insert(node) {
                continue;
            }
            if asked.len() > ASKED_MAX {
                break;
            }
            let sent = self
                .transport
                .request(node, Lane::Submit, request.clone(), TELL_PATIENCE);
            match answer_of(sent.await) {
                Some(SubmitAnswer::Standing { order, stands }) => {
                    return order.map(|order| (order, stands));
                }
                Some(SubmitAnswer::NotLeader(Some(leader))) => to_ask.push(leader),
                _ => {}
            }
        }
        None
    }
}

fn answer_of(answered: Result<Bytes, TransportError>) -> Option<SubmitAnswer> {
    tongban_types::decode(&answered.ok()?).ok()
}
