//! What a leader refuses before it appends: what proves nothing by the state it shows. What a moment may
//! heal, and what only the order of the log decides, it leaves to the log.

use tongban_machine::{CheckedEntry, Refusal};
use tongban_types::{CertifiedParcels, Code, Entry, encode};

use crate::common::prelude::*;

fn foresee(city: &City, bytes: Vec<u8>) -> Option<Refusal> {
    let checked = CheckedEntry::check(city.group(), bytes);
    city.machine.foresee_refusal(&city.view, &checked)
}

#[test]
fn parcels_without_a_majority_of_their_voters_are_not_appended() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let position = packets_for(&fuzhou, weinan.group())[0];
    let good = certify(&fuzhou, position);
    let entry = |parcels| encode(&Entry::Parcels(parcels));
    assert_eq!(foresee(&weinan, entry(good.clone())), None);
    let mut flipped = good.clone();
    flipped.signatures[1].1.0[17] ^= 1;
    let mut alone = good.clone();
    alone.signatures.truncate(1);
    let strangers = voters_of(WEINAN).map(|voter| (voter, voter_key(voter)));
    let by_others = certify_by(&fuzhou, position, &strangers[..2]);
    for forged in [flipped, alone, by_others] {
        let foreseen = foresee(&weinan, entry(forged.clone()));
        assert!(
            matches!(foreseen, Some(Refusal::CertificateRefused(_))),
            "{foreseen:?}"
        );
        let judged = enter_parcel(&mut weinan, &forged);
        assert_eq!(judged.err(), foreseen, "the log says the same");
    }
}

#[test]
fn a_true_certificate_brings_no_bytes_but_those_it_was_signed_for() {
    let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let good = certify(&fuzhou, packets_for(&fuzhou, weinan.group())[0]);
    let entry = |parcels: &CertifiedParcels| encode(&Entry::Parcels(parcels.clone()));
    let mut stuffed = good.clone();
    let mut other = good.parcels[0].clone();
    other.bytes[0] ^= 1;
    stuffed.parcels.push(other);
    assert_eq!(
        foresee(&weinan, entry(&stuffed)),
        Some(Refusal::BadSignature)
    );
    assert_eq!(
        foresee(&City::open(DINGXI), entry(&good)),
        Some(Refusal::ParcelForOther)
    );
}

#[test]
fn an_entry_names_each_parcel_once_and_in_the_order_of_its_batch() {
    let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let known = parcel_at(&fuzhou, packets_for(&fuzhou, weinan.group())[0]);
    let parcels = vec![encode(&known), b"of a version to come".to_vec()];
    let good = forged_bytes(&fuzhou, parcels);
    let entry = |parcels: &CertifiedParcels| encode(&Entry::Parcels(parcels.clone()));
    assert_eq!(foresee(&weinan, entry(&good)), None);
    let mut doubled = good.clone();
    doubled.parcels.insert(0, good.parcels[0].clone());
    assert_eq!(foresee(&weinan, entry(&doubled)), Some(Refusal::Malformed));
    let mut turned = good;
    turned.parcels.reverse();
    assert_eq!(foresee(&weinan, entry(&turned)), Some(Refusal::Malformed));
}

#[test]
fn a_parcel_of_a_version_to_come_keeps_none_beside_it_waiting() {
    let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let known = parcel_at(&fuzhou, packets_for(&fuzhou, weinan.group())[0]);
    let parcels = vec![encode(&known), b"of a version to come".to_vec()];
    let signed = forged_bytes(&fuzhou, parcels);
    assert_eq!(foresee(&weinan, encode(&Entry::Parcels(signed))), None);
}

#[test]
fn orders_by_a_key_that_may_order_nothing_here_are_not_appended() {
    let mut fuzhou = City::open(FUZHOU);
    let body = application(&mut fuzhou, WEINAN);
    let body = tongban_types::CommandBody::Collect(Box::new(body));
    let order = fuzhou.command(&clerk(FUZHOU), body);
    let by = |key| batch(fuzhou.group(), key, std::slice::from_ref(&order));
    assert_eq!(foresee(&fuzhou, by(command_key(node_of(FUZHOU, 1)))), None);
    for key in [stranger(), command_key(node_of(WEINAN, 1))] {
        let foreseen = foresee(&fuzhou, by(key));
        let code = foreseen.map(|refusal| refusal.code());
        assert_eq!(code, Some(Code::KEY_WITHOUT_RIGHT));
    }
}

#[test]
fn what_a_moment_may_heal_is_left_to_the_log() {
    let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let withdrawn = withdraw(&fuzhou, number);
    fuzhou.act(&clerk(FUZHOU), withdrawn).unwrap();
    let second = packets_for(&fuzhou, weinan.group())[1];
    let early = encode(&Entry::Parcels(certify(&fuzhou, second)));
    assert_eq!(foresee(&weinan, early.clone()), None);
    // A group that has no registry yet cannot tell a signer from another.
    assert_eq!(foresee(&City::empty(WEINAN), early), None);
}

#[test]
fn what_is_no_entry_is_not_appended() {
    let weinan = City::open(WEINAN);
    assert_eq!(foresee(&weinan, vec![7; 40]), Some(Refusal::Malformed));
}
