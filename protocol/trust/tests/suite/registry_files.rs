//! Registry files: which are believed, at first and after another, and which are not.

use tongban_trust::testing::{SampleFederation, enrolment, sample_draft};
use tongban_trust::{
    GovernanceOf, KeyState, Registry, RegistryDraft, RegistryError, RegistryFile, SigningKey,
    governance_hash, verify_first, verify_next, verify_strict,
};
use tongban_types::{CityCode, Code, DAY_MS, GroupId, KeyRole, NodeId, Signature};

fn city(place: usize) -> CityCode {
    SampleFederation::city(place)
}

fn node(place: usize) -> NodeId {
    SampleFederation::node(place)
}

fn registry() -> Registry {
    SampleFederation::six_cities().registry
}

#[test]
fn a_file_says_what_was_signed_and_is_read_back_the_same() {
    let bytes = SampleFederation::signed_file(registry(), 5);
    let file = RegistryFile::decode(&bytes).unwrap();
    assert_eq!(file.registry(), &registry());
    assert_eq!(file.encode(), bytes);
    assert!(
        file.message()
            .starts_with(br#"{"_type":"tongban-registry","cities":"#)
    );
    let for_people = file.encode_indented();
    assert_eq!(RegistryFile::decode(for_people.as_bytes()).unwrap(), file);
    assert_eq!(file.signers().count(), 5);
}

#[test]
fn a_first_registry_is_believed_by_the_pin_of_its_governance_keys() {
    let pin = governance_hash(&registry());
    let bytes = SampleFederation::signed_file(registry(), 5);
    assert_eq!(*verify_first(&bytes, pin).unwrap(), registry());
    let mut other = sample_draft();
    other.governance.remove(&city(0));
    let other = SampleFederation::signed_file(other.check().unwrap(), 6);
    assert_eq!(
        verify_first(&other, pin).unwrap_err().code(),
        Code::REGISTRY_NOT_PINNED
    );
}

#[test]
fn four_of_six_signatures_are_too_few() {
    let bytes = SampleFederation::signed_file(registry(), 4);
    let error = verify_first(&bytes, governance_hash(&registry())).unwrap_err();
    assert_eq!(
        error,
        RegistryError::Undersigned {
            whose: GovernanceOf::New,
            needed: 5,
            found: 4
        }
    );
    assert_eq!(error.code(), Code::REGISTRY_UNDERSIGNED);
}

#[test]
fn strangers_signatures_do_not_count() {
    let mut file = RegistryFile::unsigned(registry());
    for seed in 0..20 {
        file.sign(&SigningKey::from_seed(&[seed; 32]));
    }
    let error = verify_first(&file.encode(), governance_hash(&registry())).unwrap_err();
    assert!(matches!(error, RegistryError::Undersigned { found: 0, .. }));
}

fn altered(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.contains(from));
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn an_altered_file_is_refused() {
    let bytes = SampleFederation::signed_file(registry(), 5);
    let pin = governance_hash(&registry());
    let refused = |from: &str, to: &str| verify_first(&altered(&bytes, from, to), pin).unwrap_err();
    assert_eq!(
        refused("127.0.0.1:7400", "127.0.0.1:9400").code(),
        Code::SIGNATURE_INVALID
    );
    assert_eq!(refused("福州市", "福洲市").code(), Code::SIGNATURE_INVALID);
    let lower = refused("\"threshold\":5", "\"threshold\":4");
    assert_eq!(
        lower,
        RegistryError::Threshold {
            keys: 6,
            expected: 5,
            found: 4
        }
    );
    assert_eq!(
        refused("\"version\":1", "\"version\":1.0").code(),
        Code::REGISTRY_MALFORMED
    );
    assert_eq!(
        refused("\"version\":1", "\"version\":1,\"x\":1").code(),
        Code::REGISTRY_MALFORMED
    );
    assert_eq!(
        refused("\"signatures\"", "\"unsigned\"").code(),
        Code::REGISTRY_MALFORMED
    );
    assert_eq!(
        refused("\"iss\"", "\"iss\":\"\",\"iss\"").code(),
        Code::REGISTRY_MALFORMED
    );
}

#[test]
fn one_key_signing_twice_is_refused() {
    let bytes = SampleFederation::signed_file(registry(), 1);
    let text = std::str::from_utf8(&bytes).unwrap();
    let list = text.strip_prefix(r#"{"signatures":["#).unwrap();
    let entry = &list[..=list.find('}').unwrap()];
    let doubled = format!(r#"{{"signatures":[{entry},{list}"#);
    let error = RegistryFile::decode(doubled.as_bytes()).unwrap_err();
    assert!(matches!(error, RegistryError::SignatureTwice { .. }));
}

fn next_file(signers: usize, change: impl FnOnce(&mut RegistryDraft)) -> Vec<u8> {
    let current = registry();
    let mut draft = RegistryDraft::after(&current, current.expires().plus_ms(DAY_MS));
    change(&mut draft);
    SampleFederation::signed_file(draft.check().unwrap(), signers)
}

#[test]
fn the_next_version_follows_and_no_other() {
    let current = registry();
    let next = verify_next(&current, &next_file(5, |_| {})).unwrap();
    assert_eq!(next.version(), 2);
    let code = |bytes: &[u8], held: &Registry| verify_next(held, bytes).unwrap_err().code();
    assert_eq!(
        code(&SampleFederation::signed_file(registry(), 5), &next),
        Code::REGISTRY_ROLLED_BACK
    );
    assert_eq!(
        code(&SampleFederation::signed_file(registry(), 5), &current),
        Code::REGISTRY_ALREADY_HELD
    );
    assert_eq!(
        code(&next_file(5, |draft| draft.version = 3), &current),
        Code::REGISTRY_SKIPPED
    );
    assert_eq!(
        code(&next_file(5, |draft| draft.version = 1), &current),
        Code::REGISTRY_FORKED
    );
    assert_eq!(
        code(&next_file(4, |_| {}), &current),
        Code::REGISTRY_UNDERSIGNED
    );
    assert_eq!(
        code(&next_file(0, |draft| draft.version = 1), &current),
        Code::REGISTRY_UNDERSIGNED
    );
}

#[test]
fn new_governance_keys_need_the_old_ones_consent_and_their_own() {
    let current = registry();
    let renewed: Vec<SigningKey> = (100..106)
        .map(|seed| SigningKey::from_seed(&[seed; 32]))
        .collect();
    let mut draft = RegistryDraft::after(&current, current.expires());
    for (place, key) in renewed.iter().enumerate() {
        draft.governance(city(place), key.public());
    }
    let next = draft.check().unwrap();
    let file = |old: usize, new: usize| {
        let mut file = RegistryFile::unsigned(next.clone());
        for place in 0..old {
            file.sign(&SampleFederation::governance_key(city(place)));
        }
        for key in &renewed[..new] {
            file.sign(key);
        }
        file.encode()
    };
    let whose = |old, new| match verify_next(&current, &file(old, new)) {
        Err(RegistryError::Undersigned { whose, .. }) => whose,
        other => panic!("{other:?}"),
    };
    let (current_keys, new_keys) = (GovernanceOf::Current, GovernanceOf::New);
    assert_eq!((whose(0, 6), whose(4, 6)), (current_keys, current_keys));
    assert_eq!((whose(6, 0), whose(6, 4)), (new_keys, new_keys));
    assert_eq!(verify_next(&current, &file(5, 5)).unwrap().version(), 2);
}

#[test]
fn old_keys_keep_their_place() {
    let current = registry();
    let refused = |bytes: Vec<u8>| verify_next(&current, &bytes).unwrap_err();
    let of_first = |draft: &mut RegistryDraft, change: fn(&mut tongban_trust::NodeEntry)| {
        change(
            draft
                .cities
                .get_mut(&city(0))
                .unwrap()
                .nodes
                .get_mut(&node(0))
                .unwrap(),
        );
    };
    let dropped = next_file(5, |draft| {
        of_first(draft, |entry| {
            entry.keys.retain(|key| key.role != KeyRole::Issuer);
        });
    });
    assert!(matches!(refused(dropped), RegistryError::KeyDropped { .. }));
    let moved = next_file(5, |draft| {
        of_first(draft, |entry| {
            let (command, voter) = (entry.keys[1].public, entry.keys[2].public);
            assert_ne!(entry.keys[1].role, entry.keys[2].role);
            entry.keys[1].public = voter;
            entry.keys[2].public = command;
        });
    });
    assert!(matches!(refused(moved), RegistryError::KeyMoved { .. }));
    let mut draft = sample_draft();
    let mut renewal = enrolment(node(0), "127.0.0.1:7400");
    renewal.keys = [(KeyRole::Issuer, SigningKey::from_seed(&[50; 32]).public())].into();
    draft.enrol(&renewal).unwrap();
    let renewed = draft.check().unwrap();
    let mut revival = RegistryDraft::after(&renewed, renewed.expires());
    for key in &mut revival
        .cities
        .get_mut(&city(0))
        .unwrap()
        .nodes
        .get_mut(&node(0))
        .unwrap()
        .keys
    {
        key.state = match (key.role, key.state) {
            (KeyRole::Issuer, KeyState::Active) => KeyState::Retired,
            _ => KeyState::Active,
        };
    }
    let bytes = SampleFederation::signed_file(revival.check().unwrap(), 5);
    let error = verify_next(&renewed, &bytes).unwrap_err();
    assert!(matches!(error, RegistryError::KeyRevived { .. }));
    assert_eq!(error.code(), Code::REGISTRY_HISTORY_BROKEN);
}

#[test]
fn a_foreign_signer_signs_the_canonical_bytes() {
    let mut file = RegistryFile::unsigned(registry());
    let key = SampleFederation::governance_key(city(0));
    file.sign(&key);
    let text = String::from_utf8(file.encode()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let hex = value["signatures"][0]["sig"].as_str().unwrap();
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    // `serde_json` sorts members and writes them without blanks: for texts without control
    // characters that is the canonical form, made by a program that is not ours.
    let canonical = serde_json::to_vec(&value["signed"]).unwrap();
    let signature = Signature(bytes.try_into().unwrap());
    assert_eq!(verify_strict(key.public(), &canonical, signature), Ok(()));
}

#[test]
fn the_voters_of_a_group_that_exists_stay_and_a_new_city_brings_its_own() {
    let current = registry();
    let changed = next_file(5, |draft| {
        let voters = [node(1), node(2), node(3)].to_vec();
        draft.cities.get_mut(&city(0)).unwrap().voters = voters;
        draft
            .cities
            .get_mut(&city(0))
            .unwrap()
            .voters
            .sort_unstable();
    });
    let error = verify_next(&current, &changed).unwrap_err();
    assert_eq!(error, RegistryError::VotersChanged { city: city(0) });
    assert_eq!(error.code(), Code::REGISTRY_VOTERS_CHANGED);
    let unsigned = RegistryFile::decode(&changed).unwrap();
    let told_early = unsigned.registry().check_follows(&current);
    assert_eq!(told_early, Err(error));
    let joined = next_file(5, |draft| {
        let xian = CityCode::new(610_100).unwrap();
        draft.city(xian, "西安市", "https://610100.tongban.example");
        let voters: Vec<_> = current.voters(GroupId(city(0))).to_vec();
        draft.voters(xian, &voters).unwrap();
    });
    assert!(verify_next(&current, &joined).is_ok());
}
