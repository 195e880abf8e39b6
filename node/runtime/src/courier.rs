//! Carries a group's packets to the groups they are for and brings the answers back. Runs on whoever
//! leads the group; what is on its way is replicated state, so the next leader goes on where the last
//! one stopped.

mod lanes;
mod window;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::{join, join_all};
use openraft_rt::{AsyncRuntime, Instant as _};
use tongban_machine::{Unanswered, unanswered};
use tongban_types::{
    CaseNumber, CertifiedParcels, Entry, GroupId, PacketBody, Parcel, decode, encode, limits,
};

use crate::certify::{Certified, Unsigned};
use crate::core::{Core, instant};
use crate::relay::is_judgement;
use crate::seams::{Lane, Platform, Transport};
use crate::vault::Vault;
use crate::wire::KeysRequest;

use lanes::{Delivered, DeliveryLane, Ended, Lanes, Part, Span};

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
        let positions = positions_for(&self.core, self.group, to, &lane);
        if positions.is_empty() && lane.entering.is_some() {
            // All there is is being entered, and its end is told.
            self.lanes().end_without_any(to);
            return;
        }
        let (delivered, ended) = match self.core.certify(self.group, &positions).await {
            Ok(certified) => {
                self.lanes().on_signed(to, &certified.positions);
                // What did not fit is tried next.
                let last = certified.positions.last().copied();
                let (delivered, part) = self.deliver(to, certified).await;
                let now = self.started.elapsed();
                let ended = self.lanes().end(to, part, delivered, last, now);
                (delivered, ended)
            }
            Err(Unsigned { positions }) => (Delivered::InPart, self.end_unsigned(to, &positions)),
        };
        if let Delivered::Refused(code) = delivered
            && ended.is_told_now
        {
            let group = self.group;
            tracing::warn!(%group, %to, %code, "packets are refused again and again, and wait");
        }
        self.ring();
        if delivered != Delivered::Whole {
            self.core.rest(self.core.pause(ended.attempt)).await;
            self.lanes().wake(to);
            self.ring();
        }
    }

    fn end_unsigned(&self, to: GroupId, positions: &[u64]) -> Ended {
        if let [position] = positions {
            let group = self.group;
            tracing::debug!(%group, %to, position, "no majority signs a parcel, which waits alone");
        }
        let now = self.started.elapsed();
        self.lanes().end_unsigned(to, positions, now)
    }

    /// Delivers packets to one group and enters the answers in ours; which part of a delivery that ended.
    async fn deliver(&self, to: GroupId, certified: Certified) -> (Delivered, Part) {
        let Certified { positions, pieces } = certified;
        let Some(span) = Span::of(&positions) else {
            return (Delivered::InPart, Part::HandingOver);
        };
        // Keys and packets travel at the same time: a line that is far away is crossed once.
        let cases = transferred(&pieces);
        let keys = give_keys(&self.core, &self.vault, self.group, to, cases);
        let handed_over = self.core.hand_over(self.group, to, pieces);
        let answers = match join(handed_over, keys).await {
            (Ok(answers), ()) => answers.pieces,
            (Err(code), ()) if is_judgement(code) => {
                return (Delivered::Refused(code), Part::HandingOver);
            }
            (Err(_), ()) => return (Delivered::InPart, Part::HandingOver),
        };
        if !self.begin_entering(to, span).await {
            return (Delivered::InPart, Part::HandingOver);
        }
        let settled = enter(&self.core, self.group, to, answers).await;
        let delivered = if settled >= positions.len() {
            Delivered::Whole
        } else {
            Delivered::InPart
        };
        (delivered, Part::Entering)
    }

    /// Lets the next delivery to the group begin beside the entering of this one's answers, which comes
    /// behind that of the one before: the answers of a case are entered in the order of its packets. Not
    /// where our group was left meanwhile.
    async fn begin_entering(&self, to: GroupId, span: Span) -> bool {
        while let Some(hosted) = self.core.group(self.group) {
            let mut ended = hosted.replica.changed().listen();
            ended.mark();
            if self.lanes().begin_entering(to, span) {
                self.ring();
                return true;
            }
            ended.heard(self.core.tempo().look_every).await;
        }
        false
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

/// What is to be delivered next, but for what is being entered.
fn positions_for<P: Platform>(
    core: &Core<P>,
    group: GroupId,
    to: GroupId,
    lane: &DeliveryLane,
) -> Vec<u64> {
    let Some(hosted) = core.group(group) else {
        return Vec::new();
    };
    let position = lane.cursor;
    let first = Unanswered { to, position };
    let waiting = hosted
        .replica
        .read(|view| unanswered(view, Some(first), 2 * limits::DELIVERY_PARCELS_MAX))
        .unwrap_or_default();
    let waiting = waiting
        .into_iter()
        .filter(|packet| packet.to == to)
        .map(|packet| packet.position)
        .filter(|position| !lane.entering.is_some_and(|span| span.holds(*position)));
    lane.window.first_of(waiting)
}

/// Enters answers in a hosted group; how many parcels they answer.
async fn enter<P: Platform>(
    core: &Arc<Core<P>>,
    group: GroupId,
    from: GroupId,
    answers: Vec<CertifiedParcels>,
) -> usize {
    // Put in one after the other and awaited together, so that they share the group's rounds.
    let entered = answers.into_iter().map(async |answer| {
        let count = answer.parcels.len();
        let entry = Bytes::from(encode(&Entry::Parcels(answer)));
        if let Err(code) = core.check_before_append(group, &entry).await {
            tracing::warn!(%group, %from, %code, "answers do not prove themselves");
            return 0;
        }
        match core.submit(group, entry, core.tempo().order_timeout).await {
            Ok(reply) if reply.results.iter().all(Result::is_ok) => return count,
            Ok(reply) => tracing::warn!(%group, %from, ?reply, "answers were not entered"),
            Err(error) => tracing::debug!(%group, %error, "answers wait for the group"),
        }
        0
    });
    join_all(entered).await.into_iter().sum()
}

/// The cases that packets hand over.
fn transferred(pieces: &[CertifiedParcels]) -> Vec<CaseNumber> {
    pieces
        .iter()
        .flat_map(|piece| &piece.parcels)
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
