//! Carries a group's packets to the groups they are for and brings the answers back. Runs on whoever
//! leads the group; what is on its way is replicated state, so the next leader goes on where the last
//! one stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

/// Groups delivered to at once; the others take their turn as these finish.
const DESTINATIONS_MAX: usize = 32;

/// How long packets are refused before a person is told: what passes by itself, as a registry that one of
/// two groups has first, passes sooner.
const TOLD_AFTER: Duration = Duration::from_secs(10);

/// Carries the packets of one hosted group.
pub(crate) struct Courier<P: Platform> {
    core: Arc<Core<P>>,
    vault: Arc<Vault<P>>,
    group: GroupId,
    lanes: Mutex<Lanes>,
    /// What times here are counted from.
    started: <P::Runtime as AsyncRuntime>::Instant,
}

/// The deliveries to all groups. A group that does not answer keeps no other waiting.
#[derive(Default)]
struct Lanes {
    by_group: BTreeMap<GroupId, DeliveryLane>,
    /// Which was begun last: the others have their turn before it.
    last: Option<GroupId>,
}

/// How the deliveries to one group go.
#[derive(Clone, Copy, Default)]
struct DeliveryLane {
    /// A delivery is under way: it takes one of the places.
    is_busy: bool,
    /// The last delivery failed a moment ago: it takes no place.
    is_resting: bool,
    attempt: u32,
    /// Where the next round begins: behind what was just tried, so that packets which are not taken
    /// in do not keep others waiting.
    cursor: u64,
    /// Since when the group refuses packets, until all from the first on is answered.
    refused_since: Option<Duration>,
    /// A person was told of that.
    is_told: bool,
}

/// What a delivery came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivered {
    /// All of it was answered, and the answers are entered.
    Whole,
    /// Not all of it: the rest is tried again.
    InPart,
    /// The group judged what was brought, and takes in none of it.
    Refused(Code),
}

impl DeliveryLane {
    /// How it stands behind a delivery of packets up to `last`.
    fn after(self, delivered: Delivered, last: Option<u64>, now: Duration) -> Self {
        if delivered == Delivered::Whole {
            let whole = Self::default();
            if self.cursor == 0 {
                return whole;
            }
            // What is refused stands before a later packet, and is still there.
            return Self {
                refused_since: self.refused_since,
                is_told: self.is_told,
                ..whole
            };
        }
        let is_refused = matches!(delivered, Delivered::Refused(_));
        Self {
            is_resting: true,
            attempt: self.attempt.saturating_add(1),
            cursor: last.map_or(0, |last| last + 1),
            refused_since: self.refused_since.or(is_refused.then_some(now)),
            ..self
        }
    }

    /// Whether a person is to be told of refusals now, which is once.
    fn tells(&mut self, now: Duration) -> bool {
        let is_long = |since| now >= since + TOLD_AFTER;
        let is_due = !self.is_told && self.refused_since.is_some_and(is_long);
        self.is_told |= is_due;
        is_due
    }
}

impl Lanes {
    /// Takes the lanes whose turn it is, as far as there are places.
    fn begin(&mut self, destinations: &BTreeSet<GroupId>) -> Vec<(GroupId, DeliveryLane)> {
        let under_way = self.by_group.values().filter(|lane| lane.is_busy).count();
        let places = DESTINATIONS_MAX.saturating_sub(under_way);
        let is_behind = |to: &&GroupId| self.last.is_none_or(|last| **to > last);
        let (behind, before): (Vec<&GroupId>, Vec<&GroupId>) =
            destinations.iter().partition(is_behind);
        let mut begun = Vec::new();
        for to in behind.into_iter().chain(before) {
            if begun.len() == places {
                break;
            }
            let lane = self.by_group.entry(*to).or_default();
            if !lane.is_busy && !lane.is_resting {
                lane.is_busy = true;
                begun.push((*to, *lane));
                self.last = Some(*to);
            }
        }
        begun
    }

    /// Gives a place back.
    fn end(&mut self, to: GroupId, lane: DeliveryLane) {
        let is_busy = false;
        self.by_group.insert(to, DeliveryLane { is_busy, ..lane });
    }

    fn wake(&mut self, to: GroupId) {
        if let Some(lane) = self.by_group.get_mut(&to) {
            lane.is_resting = false;
        }
    }
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

/// What fits one delivery, in order and in pieces that fit an entry; the rest goes with the next. Each
/// parcel proves itself by its own path, so a batch may be cut anywhere.
pub(crate) fn bounded(batches: Vec<CertifiedParcels>) -> Vec<CertifiedParcels> {
    let mut left = limits::PARCELS_BYTES_MAX;
    let mut pieces = batches.into_iter().flat_map(entries).collect::<Vec<_>>();
    let mut is_full = false;
    for piece in &mut pieces {
        let fitting = piece.parcels.iter().take_while(|parcel| {
            let bytes = parcel.bytes.len() + limits::PLACE_BYTES_MAX;
            is_full |= bytes > left;
            left = left.saturating_sub(bytes);
            !is_full
        });
        let fitting = fitting.count();
        piece.parcels.truncate(fitting);
    }
    pieces.retain(|piece| !piece.parcels.is_empty());
    pieces.truncate(limits::DELIVERY_BATCHES_MAX);
    pieces
}

/// The parcels of one certificate in as many entries as they need.
fn entries(certified: CertifiedParcels) -> Vec<CertifiedParcels> {
    let CertifiedParcels {
        batch,
        signatures,
        mut parcels,
    } = certified;
    let mut pieces = Vec::new();
    while !parcels.is_empty() {
        let rest = parcels.split_off(parcels.len().min(limits::PARCELS_MAX));
        pieces.push(CertifiedParcels {
            batch,
            signatures: signatures.clone(),
            parcels,
        });
        parcels = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, Hash, ParcelBatch, PlacedParcel};

    use super::*;

    fn batch(sizes: &[usize]) -> CertifiedParcels {
        let group = GroupId(CityCode::new(350_100).unwrap());
        let parcels = (0..).zip(sizes).map(|(index, bytes)| PlacedParcel {
            index,
            path: Vec::new(),
            bytes: vec![0; *bytes],
        });
        CertifiedParcels {
            batch: ParcelBatch {
                group,
                first: 0,
                count: u32::try_from(sizes.len()).unwrap(),
                root: Hash::default(),
            },
            signatures: Vec::new(),
            parcels: parcels.collect(),
        }
    }

    fn sizes(batches: &[CertifiedParcels]) -> Vec<usize> {
        batches.iter().map(|batch| batch.parcels.len()).collect()
    }

    #[test]
    fn a_batch_larger_than_a_delivery_is_cut_and_nothing_overtakes() {
        let whole = [limits::PARCEL_BYTES_MAX; limits::PARCELS_MAX];
        let cut = bounded(vec![batch(&whole), batch(&[1])]);
        let one = limits::PARCEL_BYTES_MAX + limits::PLACE_BYTES_MAX;
        assert_eq!(sizes(&cut), [limits::PARCELS_BYTES_MAX / one]);
        let bytes: usize = cut[0].parcels.iter().map(|parcel| parcel.bytes.len()).sum();
        assert!(bytes <= limits::PARCELS_BYTES_MAX, "a receiver takes it in");
        let encoded = encode(&cut[0]).len();
        assert!(encoded <= limits::PARCELS_BYTES_MAX, "it fits a frame");
    }

    #[test]
    fn cities_out_of_reach_keep_none_waiting_that_can_be_reached() {
        let group = |number: u32| GroupId(CityCode::new(110_000 + number * 100).unwrap());
        let good = group(41);
        let destinations: BTreeSet<GroupId> = (1..=41).map(group).collect();
        let mut lanes = Lanes::default();
        let mut begun = Vec::new();
        // Every rest ends before the next look, which is the worst there is.
        for _ in 0..2 {
            let round = lanes.begin(&destinations);
            assert!(round.len() <= DESTINATIONS_MAX);
            for (to, lane) in &round {
                let is_resting = *to != good;
                lanes.end(
                    *to,
                    DeliveryLane {
                        is_resting,
                        ..*lane
                    },
                );
                lanes.wake(*to);
            }
            begun.extend(round.into_iter().map(|(to, _)| to));
        }
        assert!(begun.contains(&good));
        assert_eq!(begun.len(), 2 * DESTINATIONS_MAX);
    }

    #[test]
    fn who_rests_takes_no_place_and_is_not_begun() {
        let group = |number: u32| GroupId(CityCode::new(110_000 + number * 100).unwrap());
        let destinations: BTreeSet<GroupId> = (1..=40).map(group).collect();
        let mut lanes = Lanes::default();
        for (to, lane) in lanes.begin(&destinations) {
            let is_resting = true;
            lanes.end(to, DeliveryLane { is_resting, ..lane });
        }
        let begun: Vec<GroupId> = lanes
            .begin(&destinations)
            .into_iter()
            .map(|it| it.0)
            .collect();
        assert_eq!(begun, (33..=40).map(group).collect::<Vec<_>>());
        assert!(lanes.begin(&destinations).is_empty());
    }

    /// Takes a lane through deliveries, one a second; how often a person is told.
    fn told(lane: &mut DeliveryLane, from: u64, deliveries: &[(Delivered, u64)]) -> usize {
        let each = (from..).map(Duration::from_secs).zip(deliveries);
        let told = each.filter(|(now, (delivered, last))| {
            *lane = lane.after(*delivered, Some(*last), *now);
            matches!(delivered, Delivered::Refused(_)) && lane.tells(*now)
        });
        told.count()
    }

    #[test]
    fn a_refusal_that_stays_is_told_once_though_later_packets_are_answered() {
        let refused = (Delivered::Refused(Code::KEY_OUT_OF_TIME), 7);
        let (later, first) = ((Delivered::Whole, 9), (Delivered::Whole, 7));
        let mut lane = DeliveryLane::default();
        assert_eq!(told(&mut lane, 100, &[refused, later].repeat(5)), 0);
        assert_eq!(told(&mut lane, 110, &[refused, later].repeat(100)), 1);
        // It is answered at last, and another one is a matter of its own.
        assert_eq!(told(&mut lane, 310, &[first]), 0);
        assert_eq!(told(&mut lane, 311, &[refused].repeat(10)), 0);
        assert_eq!(told(&mut lane, 321, &[refused].repeat(100)), 1);
    }

    #[test]
    fn a_line_that_is_cut_is_no_refusal() {
        let cut = (Delivered::InPart, 7);
        let mut lane = DeliveryLane::default();
        assert_eq!(told(&mut lane, 0, &[cut].repeat(100)), 0);
        assert!(lane.is_resting && lane.attempt == 100 && lane.cursor == 8);
    }

    #[test]
    fn a_batch_of_more_parcels_than_an_entry_takes_goes_in_several() {
        let parcels = [40; limits::PARCELS_MAX + 3];
        let cut = bounded(vec![batch(&parcels), batch(&[50])]);
        assert_eq!(sizes(&cut), [limits::PARCELS_MAX, 3, 1]);
        let of_first = cut[..2].iter().flat_map(|piece| &piece.parcels);
        assert!(of_first.map(|parcel| parcel.index).eq(0..67));
    }

    #[test]
    fn what_fits_goes_whole() {
        let batches = vec![batch(&[1_000, 2_000]), batch(&[30_000])];
        assert_eq!(sizes(&bounded(batches)), [2, 1]);
    }
}
