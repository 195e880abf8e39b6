//! Parcels: what of ours is on its way, what was taken in of others, and the proofs kept against them.

use tongban_types::{
    CaseNumber, CertifiedParcels, Equivocation, GroupId, Parcel, ParcelBatch, PlacedParcel, decode,
    leaf_hash, limits,
};

use super::ground;
use crate::keyspace::{self, range_of};
use crate::record::ReceivedPacket;
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

/// The encoded parcel at a position of our outbox, while it is there.
pub fn parcel_bytes(view: &dyn View, position: u64) -> Option<Vec<u8>> {
    view.get(&keyspace::parcel(position))
}

/// Why a voter cannot sign parcels of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsignable {
    /// Its state has not come so far yet.
    Ahead,
    /// One of them is answered and gone.
    Gone,
    /// They are none, or not named in order, each once, or more than travel together.
    Unfit,
}

/// What voters sign for the parcels at one or more positions of their group's outbox.
pub fn parcel_batch(
    view: &dyn View,
    group: GroupId,
    positions: &[u64],
) -> Result<ParcelBatch, Unsignable> {
    let first = *positions.first().ok_or(Unsignable::Unfit)?;
    let in_order = positions.is_sorted_by(|left, right| left < right);
    if !in_order || positions.len() > limits::DELIVERY_PARCELS_MAX {
        return Err(Unsignable::Unfit);
    }
    let end = ground(view).outbox_next;
    if positions.iter().any(|position| *position >= end) {
        return Err(Unsignable::Ahead);
    }
    let mut leaves = Vec::with_capacity(positions.len());
    let mut left = limits::PARCELS_BYTES_MAX;
    for position in positions {
        let bytes = parcel_bytes(view, *position).ok_or(Unsignable::Gone)?;
        left = left.checked_sub(bytes.len()).ok_or(Unsignable::Unfit)?;
        leaves.push(leaf_hash(&bytes));
    }
    Ok(ParcelBatch::over(group, first, &leaves))
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
