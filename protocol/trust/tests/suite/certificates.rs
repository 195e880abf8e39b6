//! Certificates of voter majorities: who counts, how often, and for what.

use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_trust::{TrustError, check_voters_in_time, verify_majority};
use tongban_types::{CityCode, Code, DAY_MS, GroupId, KeyRole, NodeId, Purpose, Signature};

const BYTES: &[u8] = b"group, range, root";

fn signed_by(place: usize, role: KeyRole) -> (NodeId, Signature) {
    let node = SampleFederation::node(place);
    let signed = SampleFederation::key(node, role).sign(Purpose::ParcelBatch, BYTES.to_vec());
    (node, signed.signature)
}

/// Against the group of the first city, whose voters are the nodes 0, 1 and 2.
fn verify(signatures: &[(NodeId, Signature)]) -> Result<(), TrustError> {
    let registry = SampleFederation::six_cities().registry;
    let group = GroupId(SampleFederation::city(0));
    let voters = registry.voters(group);
    verify_majority(
        &registry,
        group,
        voters,
        Purpose::ParcelBatch,
        BYTES,
        signatures,
    )
}

#[test]
fn two_of_three_voters_are_a_majority_and_one_is_not() {
    let all: Vec<_> = (0..3)
        .map(|place| signed_by(place, KeyRole::Voter))
        .collect();
    assert_eq!(verify(&all), Ok(()));
    assert_eq!(verify(&all[1..]), Ok(()));
    let group = GroupId(SampleFederation::city(0));
    assert_eq!(
        verify(&all[..1]),
        Err(TrustError::NoMajority {
            group,
            needed: 2,
            found: 1
        })
    );
    assert_eq!(verify(&[]).unwrap_err().code(), Code::MAJORITY_MISSING);
}

#[test]
fn one_voter_does_not_count_twice() {
    let one = signed_by(0, KeyRole::Voter);
    assert_eq!(
        verify(&[one, one]),
        Err(TrustError::VoterRepeated { node: one.0 })
    );
}

#[test]
fn a_node_without_a_vote_refuses_the_whole() {
    let signatures = [0, 1, 3].map(|place| signed_by(place, KeyRole::Voter));
    assert!(matches!(
        verify(&signatures),
        Err(TrustError::NotAVoter { .. })
    ));
}

#[test]
fn a_partner_cannot_sign_for_the_city_whose_replica_it_hosts() {
    let host = signed_by(1, KeyRole::Voter);
    let forged = (SampleFederation::node(0), host.1);
    assert!(matches!(
        verify(&[host, forged]),
        Err(TrustError::SignatureInvalid { .. })
    ));
}

#[test]
fn only_voter_keys_certify() {
    let signatures = [signed_by(0, KeyRole::Voter), signed_by(1, KeyRole::Command)];
    assert!(matches!(
        verify(&signatures),
        Err(TrustError::SignatureInvalid { .. })
    ));
}

#[test]
fn a_certificate_holds_for_its_purpose_bytes_and_group() {
    let registry = SampleFederation::six_cities().registry;
    let signatures = [1, 2].map(|place| signed_by(place, KeyRole::Voter));
    let (first, second) = (SampleFederation::city(0), SampleFederation::city(1));
    let check = |city, purpose, bytes: &[u8]| {
        let (group, voters) = (GroupId(city), registry.voters(GroupId(city)));
        verify_majority(&registry, group, voters, purpose, bytes, &signatures)
    };
    assert_eq!(check(first, Purpose::ParcelBatch, BYTES), Ok(()));
    assert!(check(first, Purpose::VoterReport, BYTES).is_err());
    assert!(check(first, Purpose::ParcelBatch, b"other").is_err());
    // The nodes 1 and 2 vote in the second city's group too: bytes must name their group.
    assert_eq!(check(second, Purpose::ParcelBatch, BYTES), Ok(()));
    let stranger = CityCode::new(440_300).unwrap();
    assert!(matches!(
        check(stranger, Purpose::ParcelBatch, BYTES),
        Err(TrustError::UnknownGroup { .. })
    ));
}

#[test]
fn a_voter_key_certifies_in_its_time() {
    let registry = SampleFederation::six_cities().registry;
    let signatures = [0, 1].map(|place| signed_by(place, KeyRole::Voter));
    let check = |at| check_voters_in_time(&registry, &signatures, at);
    assert_eq!(check(SAMPLE_NOW), Ok(()));
    for at in [-2 * DAY_MS, 366 * DAY_MS].map(|ms| SAMPLE_NOW.plus_ms(ms)) {
        let node = SampleFederation::node(0);
        let error = check(at).unwrap_err();
        assert_eq!(error, TrustError::KeyOutOfTime { node, at });
        assert_eq!(error.code(), Code::KEY_OUT_OF_TIME);
    }
}
