//! The road between two groups: what a relay does with parcels, one step at a time.

use tongban_machine::{
    CaseRecord, DocumentStage, ParcelFate, Refusal, Reply, Standpoint, Unanswered, parcel_batch,
    unanswered,
};
use tongban_trust::SigningKey;
use tongban_types::{
    CaseNumber, CaseState, CertifiedParcels, Entry, GroupId, NodeId, Parcel, ParcelBatch, Purpose,
    Signature, decode, encode,
};

use super::city::City;
use super::federation::voters_of;
use super::keys::voter_key;

/// A parcel of a city's outbox under the signatures of a majority of its voters.
pub(crate) fn certify(city: &City, position: u64) -> CertifiedParcels {
    certify_together(city, &[position])
}

/// Parcels of a city's outbox that travel together, under the signatures of a majority of its voters.
pub(crate) fn certify_together(city: &City, positions: &[u64]) -> CertifiedParcels {
    let voters = voters_of(city.code);
    let signers: Vec<_> = voters[..2].iter().map(|v| (*v, voter_key(*v))).collect();
    signed_by(city, positions, &signers)
}

/// A parcel of a city's outbox under any signatures.
pub(crate) fn certify_by(
    city: &City,
    position: u64,
    signers: &[(NodeId, &SigningKey)],
) -> CertifiedParcels {
    signed_by(city, &[position], signers)
}

fn signed_by(
    city: &City,
    positions: &[u64],
    signers: &[(NodeId, &SigningKey)],
) -> CertifiedParcels {
    let bytes_at = |position: &u64| parcel_bytes(city, *position);
    let bytes = positions.iter().map(bytes_at).collect();
    let (batch, parcels) = ParcelBatch::place(city.group(), positions[0], bytes);
    let signed = parcel_batch(&city.view, city.group(), positions);
    assert_eq!(signed, Ok(batch), "voters sign what is carried");
    let sign = |key: &SigningKey| -> Signature {
        key.sign(Purpose::ParcelBatch, batch.signed_bytes())
            .signature
    };
    CertifiedParcels {
        batch,
        signatures: signers
            .iter()
            .map(|(node, key)| (*node, sign(key)))
            .collect(),
        parcels,
    }
}

/// Positions of a city's packets for a group that are not answered yet, in order.
pub(crate) fn packets_for(city: &City, to: GroupId) -> Vec<u64> {
    let all = unanswered(&city.view, None, 10_000);
    let ours = all.iter().filter(|packet| packet.to == to);
    ours.map(|Unanswered { position, .. }| *position).collect()
}

/// Enters certified parcels and tells the fate of the first.
pub(crate) fn enter_parcel(
    city: &mut City,
    certified: &CertifiedParcels,
) -> Result<ParcelFate, Refusal> {
    match city.enter(&Entry::Parcels(certified.clone()))? {
        Reply::Parcel(fate) => Ok(fate),
        other => panic!("a parcel answers with its fate, not {other:?}"),
    }
}

/// Where the answer to a packet stands in the outbox of who took it in.
pub(crate) fn answer_of(fate: &ParcelFate) -> u64 {
    match fate {
        ParcelFate::Answered { answer } | ParcelFate::AnsweredBefore { answer } => *answer,
        other => panic!("no answer: {other:?}"),
    }
}

/// Takes the answer to a packet back to its sender.
pub(crate) fn take_answer(from: &City, answer: u64, to: &mut City) -> ParcelFate {
    enter_parcel(to, &certify(from, answer)).expect("a certified answer is taken in")
}

/// Carries every waiting packet of a city to another, and its answer back. Says how many.
pub(crate) fn carry(from: &mut City, to: &mut City) -> usize {
    let positions = packets_for(from, to.group());
    for position in &positions {
        let fate = enter_parcel(to, &certify(from, *position)).expect("taken in, in order");
        take_answer(to, answer_of(&fate), from);
    }
    positions.len()
}

/// Carries both ways until nothing is left to say.
pub(crate) fn carry_all(left: &mut City, right: &mut City) {
    for _ in 0..50 {
        if carry(left, right) + carry(right, left) == 0 {
            return;
        }
    }
    panic!("two cities never stop talking");
}

/// The parcel at a position of a city's outbox.
pub(crate) fn parcel_at(city: &City, position: u64) -> Parcel {
    decode(&parcel_bytes(city, position)).unwrap()
}

fn parcel_bytes(city: &City, position: u64) -> Vec<u8> {
    tongban_machine::parcel_bytes(&city.view, position).expect("the parcel is kept")
}

/// Parcels a majority of a group's voters signed though its log never held them.
pub(crate) fn forged(from: &City, parcels: &[Parcel]) -> CertifiedParcels {
    forged_bytes(from, parcels.iter().map(encode).collect())
}

/// The same of what need not be parcels.
pub(crate) fn forged_bytes(from: &City, bytes: Vec<Vec<u8>>) -> CertifiedParcels {
    let (batch, parcels) = ParcelBatch::place(from.group(), 1_000, bytes);
    let sign = |voter: NodeId| {
        let signed = voter_key(voter).sign(Purpose::ParcelBatch, batch.signed_bytes());
        (voter, signed.signature)
    };
    CertifiedParcels {
        batch,
        signatures: voters_of(from.code)[..2].iter().map(|v| sign(*v)).collect(),
        parcels,
    }
}

/// The intake city knows of a case whatever its authority knows and may tell: where it stands, its
/// days, and every step since it was received.
pub(crate) fn assert_agree(intake: &City, authority: &City, number: CaseNumber) {
    let (mirror, owner) = (intake.case(number), authority.case(number));
    assert_eq!(mirror.standpoint, Standpoint::Mirror);
    assert_eq!(owner.standpoint, Standpoint::Owner);
    assert_eq!((mirror.pending, mirror.request_refused), (None, None));
    let told = CaseRecord {
        standpoint: Standpoint::Mirror,
        version: mirror.version,
        transfers: mirror.transfers,
        in_log_at: mirror.in_log_at,
        review: None,
        document: mirror.document,
        ..owner.clone()
    };
    assert_eq!(mirror, told);
    let is_issued = |record: &CaseRecord| matches!(record.document, DocumentStage::Issued { .. });
    assert_eq!(is_issued(&mirror), is_issued(&owner));
    let steps = |city: &City| {
        let mut steps = city.steps(number);
        steps.retain(|step| !matches!(step.state, CaseState::Collected | CaseState::InTransit));
        let told = steps.into_iter().map(|step| {
            let words = step.words.filter(|_| step.state != CaseState::InReview);
            (step.state, step.at, step.actor, words)
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(steps(intake), steps(authority));
}
