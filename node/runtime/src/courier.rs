//! Carries a group's packets to the groups they are for and brings the answers back. Runs on whoever
//! leads the group; what is on its way is replicated state, so the next leader goes on where the last
//! one stopped.

mod lanes;
mod pieces;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::{join, join_all};
use openraft_rt::{AsyncRuntime, Instant as _};
use tongban_machine::{Unanswered, unanswered};
use tongban_types::{
    CaseNumber, CertifiedParcels, Code, Entry, GroupId, PacketBody, Parcel, decode, encode, limits,
};

use crate::core::{Core, instant};
use crate::relay::is_judgement;
use crate::seams::{Lane, Platform, Transport};
use crate::vault::Vault;
use crate::wire::KeysRequest;

use lanes::{Delivered, DeliveryLane, Lanes};
pub(crate) use pieces::bounded;

/// Carries the packets of one hosted group.
pub(crate) struct Courier<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    group: GroupId,
    lanes: Mutex<Lanes>,
    /// What times here are counted from.
    started: <P::Runtime as AsyncRuntime>::Instant,
}

impl<P: Platform> Courier<P> {
    pub(crate) fn new(core: Arc<Core<P>>, vault: Arc<Vault<P>>, group: GroupId) -> Self {
        Self {
            core,
            vault,
            group,
            lanes: Mutex::default(),
            started: instant::<P::Runtime>(),
        }
    }

    /// Runs until the node stops.
    pub(crate) async fn run(self: Arc<Self>) {
        while !self.core.is_stopping() {
            // It may have been left, and taken up again since.
            let Some(hosted) = self.core.group(self.group) else {
                self.core.rest(self.core.tempo().look_every).await;
                continue;
            };
            let mut applied = hosted.replica.changed().listen();
            applied.mark();
            if hosted.group.status().leader == Some(self.core.me) {
                let destinations = destinations(&self.core, self.group);
                let begun = self.lanes().begin(&destinations);
                for (to, lane) in begun {
                    self.core
                        .spawn("delivery", self.clone().deliver_round(to, lane));
                }
            }
            applied.heard(self.core.tempo().look_every).await;
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // Every change under the lock is whole before anything can panic.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver_round(self: Arc<Self>, to: GroupId, lane: DeliveryLane) {
        let positions = positions_for(&self.core, self.group, to, lane.cursor);
        let delivered = deliver(&self.core, &self.vault, self.group, to, &positions).await;
        let now = self.started.elapsed();
        let mut lane = lane.after(delivered, positions.last().copied(), now);
        if let Delivered::Refused(code) = delivered
            && lane.tells(now)
        {
            let group = self.group;
            tracing::warn!(%group, %to, %code, "packets are refused again and again, and wait");
        }
        self.lanes().end(to, lane);
        self.ring();
        if lane.is_resting {
            self.core.rest(self.core.pause(lane.attempt)).await;
            self.lanes().wake(to);
            self.ring();
        }
    }

    /// A place is free, or a lane is ready again.
    fn ring(&self) {
        if let Some(hosted) = self.core.group(self.group) {
            hosted.replica.changed().ring();
        }
    }
}

fn destinations<P: Platform>(core: &Core<P>, group: GroupId) -> BTreeSet<GroupId> {
    let Some(hosted) = core.group(group) else {
        return BTreeSet::new();
    };
    let mut found = BTreeSet::new();
    let mut from = None;
    // One look a destination: the next key that can belong to another one.
    while let Ok(Some(next)) = hosted.replica.read(|view| unanswered(view, from, 1).pop()) {
        found.insert(next.to);
        from = Some(Unanswered {
            to: next.to,
            position: u64::MAX,
        });
    }
    found
}

fn positions_for<P: Platform>(core: &Core<P>, group: GroupId, to: GroupId, from: u64) -> Vec<u64> {
    let Some(hosted) = core.group(group) else {
        return Vec::new();
    };
    let first = Unanswered { to, position: from };
    let waiting = hosted
        .replica
        .read(|view| unanswered(view, Some(first), limits::DELIVERY_PARCELS_MAX))
        .unwrap_or_default();
    waiting
        .into_iter()
        .filter(|packet| packet.to == to)
        .map(|packet| packet.position)
        .collect()
}

/// Delivers packets to one group, as many as fit, and enters the answers in ours.
async fn deliver<P: Platform>(
    core: &Arc<Core<P>>,
    vault: &Vault<P>,
    group: GroupId,
    to: GroupId,
    positions: &[u64],
) -> Delivered {
    if positions.is_empty() {
        return Delivered::InPart;
    }
    let batches = bounded(core.certify(group, positions).await);
    let delivered: usize = batches.iter().map(|batch| batch.parcels.len()).sum();
    if delivered == 0 {
        return Delivered::InPart;
    }
    // Keys and packets travel at the same time: a line that is far away is crossed once.
    let keys = give_keys(core, vault, group, to, transferred(&batches));
    let (settled, ()) = join(hand_over_and_enter(core, group, to, batches), keys).await;
    match settled {
        Ok(settled) if settled >= delivered => Delivered::Whole,
        Err(code) if is_judgement(code) => Delivered::Refused(code),
        Ok(_) | Err(_) => Delivered::InPart,
    }
}

/// Hands batches over and enters the answers; how many parcels were answered and that entered, or why
/// there is no answer.
async fn hand_over_and_enter<P: Platform>(
    core: &Arc<Core<P>>,
    group: GroupId,
    to: GroupId,
    batches: Vec<CertifiedParcels>,
) -> Result<usize, Code> {
    let answers = core.hand_over(group, to, batches).await?;
    // Put in one after the other and awaited together, so that they share the group's rounds.
    let entered = answers.batches.into_iter().map(async |answer| {
        let count = answer.parcels.len();
        let entry = Bytes::from(encode(&Entry::Parcels(answer)));
        if let Err(code) = core.check_before_append(group, &entry).await {
            tracing::warn!(%group, from = %to, %code, "answers do not prove themselves");
            return 0;
        }
        match core.submit(group, entry, core.tempo().order_timeout).await {
            Ok(reply) if reply.results.iter().all(Result::is_ok) => return count,
            Ok(reply) => tracing::warn!(%group, from = %to, ?reply, "answers were not entered"),
            Err(error) => tracing::debug!(%group, %error, "answers wait for the group"),
        }
        0
    });
    Ok(join_all(entered).await.into_iter().sum())
}

/// The cases that packets hand over.
fn transferred(batches: &[CertifiedParcels]) -> Vec<CaseNumber> {
    batches
        .iter()
        .flat_map(|batch| &batch.parcels)
        .filter_map(|parcel| match decode(&parcel.bytes) {
            Ok(Parcel::Packet(packet)) => Some(packet),
            _ => None,
        })
        .filter(|packet| matches!(packet.body, PacketBody::Transfer { .. }))
        .map(|packet| packet.case)
        .collect()
}

/// The keys of cases handed over go beside their packets, from the receiving city's own node to the
/// authority's. If they do not arrive, the authority asks for them.
async fn give_keys<P: Platform>(
    core: &Core<P>,
    vault: &Vault<P>,
    group: GroupId,
    to: GroupId,
    transferred: Vec<CaseNumber>,
) {
    if core.city() != group.city() || transferred.is_empty() {
        return;
    }
    let registry = core.registry();
    let nodes = registry
        .nodes()
        .map(|(id, _)| id)
        .filter(|id| id.city() == to.city());
    let gifts = nodes.filter_map(|node| {
        let wrapped = vault.wrap_for(&registry, node, &transferred)?;
        let body = Bytes::from(encode(&KeysRequest::Give(wrapped)));
        Some(
            core.transport
                .request(node, Lane::Keys, body, core.tempo().certify_timeout),
        )
    });
    for given in join_all(gifts).await {
        if let Err(error) = given {
            tracing::debug!(%group, %to, %error, "case keys not given; they will be asked for");
        }
    }
}
