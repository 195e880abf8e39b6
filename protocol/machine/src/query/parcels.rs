//! Parcels: what of ours is on its way, what was taken in of others, and the proofs kept against them.

use std::collections::BTreeMap;

use tongban_types::{
    CaseNumber, CertifiedParcels, Equivocation, GroupId, Hash, Parcel, ParcelBatch, PlacedParcel,
    decode, limits, merkle_paths,
};

use super::ground;
use crate::keyspace::{self, range_of};
use crate::record::{ReceivedPacket, StoredBatch, StoredParcel};
use crate::view::{View, load};

/// A packet of ours that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unanswered {
    /// The group it is for.
    pub to: GroupId,
    /// Its position in our outbox.
    pub position: u64,
}

/// Packets not answered yet, by group and position, from one on.
pub fn unanswered(view: &dyn View, from: Option<Unanswered>, limit: usize) -> Vec<Unanswered> {
    let (first, until) = range_of(keyspace::WAITING);
    let first = from.map_or(first, |packet| {
        keyspace::waiting(packet.to, packet.position)
    });
    let keys = view.scan(&first, &until, limit);
    keys.iter()
        .filter_map(|(key, _)| read_unanswered(key))
        .collect()
}

fn read_unanswered(key: &[u8]) -> Option<Unanswered> {
    let (city, position) = keyspace::read_waiting(key)?;
    let city = tongban_types::CityCode::new(city).ok()?;
    Some(Unanswered {
        to: GroupId(city),
        position,
    })
}

/// The batch that starts at a position of our outbox, as voters sign it.
pub fn find_batch(view: &dyn View, first: u64) -> Option<ParcelBatch> {
    load::<StoredBatch>(view, &keyspace::batch(first)).map(|stored| stored.batch)
}

/// The parcels at distinct positions of our outbox that are still there, by the batches they stand in, in order.
pub fn place_parcels(view: &dyn View, positions: &[u64]) -> Vec<(ParcelBatch, Vec<PlacedParcel>)> {
    let mut by_batch: BTreeMap<u64, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for position in positions {
        if let Some(StoredParcel { first, bytes }) = load(view, &keyspace::parcel(*position)) {
            by_batch.entry(first).or_default().push((*position, bytes));
        }
    }
    by_batch
        .into_iter()
        .filter_map(|(first, parcels)| {
            let batch: StoredBatch = load(view, &keyspace::batch(first))?;
            Some((batch.batch, place_in(first, &batch.leaves, parcels)))
        })
        .collect()
}

/// Gives each parcel its place and its path, all paths of the batch for the hashes of one tree.
fn place_in(first: u64, leaves: &[Hash], parcels: Vec<(u64, Vec<u8>)>) -> Vec<PlacedParcel> {
    let (_, mut paths) = merkle_paths(leaves);
    let place = |(position, bytes): (u64, Vec<u8>)| {
        let index = position.checked_sub(first)?;
        let path = paths.get_mut(usize::try_from(index).ok()?)?;
        Some(PlacedParcel {
            index: u32::try_from(index).ok()?,
            path: std::mem::take(path),
            bytes,
        })
    };
    let mut placed: Vec<PlacedParcel> = parcels.into_iter().filter_map(place).collect();
    placed.sort_unstable_by_key(|parcel| parcel.index);
    placed
}

/// Where in our outbox the answer stands to a packet that was taken in before; `None` if it was not, or if
/// another one stood at its place.
pub fn answer_given(view: &dyn View, placed: &PlacedParcel) -> Option<u64> {
    let Ok(Parcel::Packet(packet)) = decode(&placed.bytes) else {
        return None;
    };
    let key = keyspace::received(packet.from, packet.case, packet.sequence);
    let received: ReceivedPacket = load(view, &key)?;
    (received.hash == placed.hash()).then_some(received.answer)
}

/// Whether the packet that an answer is to still waits for one.
pub fn is_awaited(view: &dyn View, placed: &PlacedParcel) -> bool {
    let Ok(Parcel::Answer(answer)) = decode(&placed.bytes) else {
        // Whatever it is, it is for the group to judge.
        return true;
    };
    let key = keyspace::outstanding(answer.from, answer.case, answer.sequence);
    load::<u64>(view, &key).is_some()
}

/// The sequence a group's next packet about a case must have.
pub fn receive_position(view: &dyn View, from: GroupId, case: CaseNumber) -> u32 {
    load(view, &keyspace::next_to_receive(from, case)).unwrap_or(0)
}

/// How many proofs of equivocation are kept.
pub fn evidence_count(view: &dyn View) -> u64 {
    ground(view).evidence
}

/// The proofs of equivocation this group holds.
pub fn equivocations(view: &dyn View) -> Vec<Equivocation> {
    let (from, until) = range_of(keyspace::EVIDENCE);
    let bound = usize::try_from(limits::EVIDENCE_MAX * 2).unwrap_or(usize::MAX);
    let halves: Vec<CertifiedParcels> = view
        .scan(&from, &until, bound)
        .iter()
        .filter_map(|(_, value)| decode(value).ok())
        .collect();
    let mut proofs = Vec::with_capacity(halves.len() / 2);
    let mut halves = halves.into_iter();
    while let (Some(first), Some(second)) = (halves.next(), halves.next()) {
        proofs.push(Equivocation { first, second });
    }
    proofs
}

/// The certificate under which a packet was taken in.
pub fn received_certificate(
    view: &dyn View,
    from: GroupId,
    case: CaseNumber,
    sequence: u32,
) -> Option<CertifiedParcels> {
    load::<ReceivedPacket>(view, &keyspace::received(from, case, sequence))
        .and_then(|received| received.certificate)
}
