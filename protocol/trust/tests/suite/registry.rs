//! The registry: what it answers, which rules it keeps, and which files are not believed.

use tongban_trust::testing::{SAMPLE_NOW, SampleFederation, enrolment, sample_draft};
use tongban_trust::{KeyState, Registry, RegistryDraft, RegistryError, SigningKey};
use tongban_types::{CityCode, Code, DAY_MS, GroupId, KeyRole, NodeId, PublicKey};

fn city(place: usize) -> CityCode {
    SampleFederation::city(place)
}

fn node(place: usize) -> NodeId {
    SampleFederation::node(place)
}

fn key(place: usize, role: KeyRole) -> PublicKey {
    SampleFederation::key(node(place), role).public()
}

fn registry() -> Registry {
    SampleFederation::six_cities().registry
}

fn refusal(change: impl FnOnce(&mut RegistryDraft)) -> RegistryError {
    let mut draft = sample_draft();
    change(&mut draft);
    draft.check().unwrap_err()
}

#[test]
fn it_answers_whose_a_key_is_in_its_role_only() {
    let registry = registry();
    assert_eq!(
        registry.node_by_transport(key(0, KeyRole::Transport)),
        Some(node(0))
    );
    assert_eq!(registry.node_by_transport(key(0, KeyRole::Command)), None);
    assert!(registry.command_key_of(city(4), key(4, KeyRole::Command)));
    assert!(!registry.command_key_of(city(4), key(0, KeyRole::Command)));
    assert!(!registry.command_key_of(city(4), key(4, KeyRole::Voter)));
    assert_eq!(registry.voter_key(node(2)), Some(key(2, KeyRole::Voter)));
    let issuer = key(5, KeyRole::Issuer);
    assert_eq!(
        registry.issuer_key(&issuer.thumbprint()).unwrap().node,
        node(5)
    );
    let early = SAMPLE_NOW.plus_ms(-2 * DAY_MS);
    assert_eq!(
        registry.key_holder_at(KeyRole::Command, key(0, KeyRole::Command), early),
        None
    );
}

#[test]
fn a_division_belongs_to_the_city_of_its_longest_prefix() {
    let mut draft = sample_draft();
    draft
        .cities
        .get_mut(&city(1))
        .unwrap()
        .divisions
        .push("350182".into());
    let registry = draft.check().unwrap();
    assert_eq!(registry.city_of_division(350_102), Some(city(0)));
    assert_eq!(registry.city_of_division(350_182), Some(city(1)));
    assert_eq!(registry.city_of_division(350_200), None);
    assert_eq!(registry.city_of_division(1_350_102), None);
}

#[test]
fn a_group_begins_with_its_voters() {
    let registry = registry();
    let group = GroupId(city(0));
    assert_eq!(registry.voters(group), [node(0), node(1), node(2)]);
    let stranger = GroupId(CityCode::new(440_300).unwrap());
    assert!(registry.voters(stranger).is_empty());
}

#[test]
fn six_cities_need_five_signatures() {
    assert_eq!(registry().threshold(), 5);
}

#[test]
fn it_expires_at_its_moment() {
    let registry = registry();
    assert!(!registry.is_expired(registry.expires().plus_ms(-1)));
    assert!(registry.is_expired(registry.expires()));
}

#[test]
fn no_key_stands_twice_over_all_roles_nodes_and_governance() {
    let twice = |error| matches!(error, RegistryError::KeyTwice { .. });
    assert!(twice(refusal(|draft| {
        let stolen = key(1, KeyRole::Issuer);
        let entry = draft
            .cities
            .get_mut(&city(0))
            .unwrap()
            .nodes
            .get_mut(&node(0))
            .unwrap();
        entry.keys[0].public = stolen;
    })));
    assert!(twice(refusal(|draft| {
        draft.governance.insert(city(0), key(3, KeyRole::Command));
    })));
    assert!(twice(refusal(|draft| {
        let sealing = draft.cities[&city(1)].nodes[&node(1)].sealing;
        draft
            .cities
            .get_mut(&city(0))
            .unwrap()
            .nodes
            .get_mut(&node(0))
            .unwrap()
            .sealing = sealing;
    })));
}

#[test]
fn a_weak_key_is_not_enrolled() {
    let error = refusal(|draft| {
        draft.governance.insert(city(0), PublicKey([0; 32]));
    });
    assert_eq!(error.code(), Code::KEY_NOT_ADMISSIBLE);
}

#[test]
fn members_keep_the_rules_of_form() {
    let city_rule = |change: fn(&mut tongban_trust::CityEntry)| {
        matches!(
            refusal(|draft| change(draft.cities.get_mut(&city(0)).unwrap())),
            RegistryError::City { .. } | RegistryError::UnknownNode { .. }
        )
    };
    assert!(city_rule(|city| city.name = "福\u{202e}州市".into()));
    assert!(city_rule(|city| city.name = "莆田市".into()));
    assert!(city_rule(
        |city| city.issuer = "http://350100.tongban.example".into()
    ));
    assert!(city_rule(
        |city| city.issuer = "https://350300.tongban.example".into()
    ));
    assert!(city_rule(|city| city.divisions = vec!["3503".into()]));
    assert!(city_rule(|city| city.divisions = vec!["350".into()]));
    assert!(city_rule(|city| city.divisions.clear()));
    assert!(city_rule(|city| city.voters.truncate(2)));
    assert!(city_rule(|city| city.voters[1] = city.voters[0]));
    assert!(city_rule(
        |city| city.voters[2] = NodeId::new(SampleFederation::city(5), 9).unwrap()
    ));
}

#[test]
fn a_node_stands_under_its_own_city_with_one_active_key_a_role() {
    let misplaced = refusal(|draft| {
        let foreign = draft
            .cities
            .get_mut(&city(1))
            .unwrap()
            .nodes
            .remove(&node(1))
            .unwrap();
        draft
            .cities
            .get_mut(&city(0))
            .unwrap()
            .nodes
            .insert(node(1), foreign);
    });
    assert!(matches!(misplaced, RegistryError::Node { .. }));
    let without = refusal(|draft| {
        let entry = draft
            .cities
            .get_mut(&city(0))
            .unwrap()
            .nodes
            .get_mut(&node(0))
            .unwrap();
        entry.keys.retain(|key| key.role != KeyRole::Command);
    });
    assert!(matches!(
        without,
        RegistryError::ActiveKeys { found: 0, .. }
    ));
    let two = refusal(|draft| {
        let entry = draft
            .cities
            .get_mut(&city(0))
            .unwrap()
            .nodes
            .get_mut(&node(0))
            .unwrap();
        let mut second = entry.keys[0];
        second.public = SigningKey::from_seed(&[9; 32]).public();
        entry.keys.push(second);
    });
    assert!(matches!(two, RegistryError::ActiveKeys { found: 2, .. }));
}

#[test]
fn a_retired_node_keeps_its_keys_and_loses_its_vote() {
    let retired = refusal(|draft| {
        draft.retire(node(1)).unwrap();
    });
    assert!(matches!(retired, RegistryError::City { .. }));
    let mut draft = sample_draft();
    let spare = NodeId::new(city(0), 2).unwrap();
    draft
        .enrol(&enrolment(spare, "127.0.0.1:7500"))
        .unwrap()
        .retire(spare)
        .unwrap();
    let registry = draft.check().unwrap();
    let command = SampleFederation::key(spare, KeyRole::Command).public();
    assert!(!registry.command_key_of(city(0), command));
    assert_eq!(
        registry.key(command).unwrap().entry.state,
        KeyState::Retired
    );
}

#[test]
fn a_voter_that_left_its_group_since_may_be_retired() {
    let first = registry();
    let mut draft = RegistryDraft::after(&first, first.expires());
    draft.retire(node(1)).unwrap();
    let next = draft.check().unwrap();
    assert_eq!(
        next.voters(GroupId(city(0))),
        first.voters(GroupId(city(0)))
    );
    assert_eq!(next.voter_key(node(1)), None);
}

#[test]
fn enrolling_a_key_again_renews_its_time_and_revives_none() {
    let renewal = |draft: &mut RegistryDraft| {
        let mut times = enrolment(node(0), "127.0.0.1:7400");
        times.not_before = SAMPLE_NOW;
        times.not_after = SAMPLE_NOW.plus_ms(900 * DAY_MS);
        draft.enrol(&times).map(|_| times.not_after)
    };
    let mut draft = sample_draft();
    let until = renewal(&mut draft).unwrap();
    let renewed = draft.check().unwrap();
    let before = *registry().key(key(0, KeyRole::Issuer)).unwrap();
    let after = *renewed.key(key(0, KeyRole::Issuer)).unwrap();
    assert_eq!(after.entry.not_after, until);
    assert_eq!(
        after.entry.not_before, before.entry.not_before,
        "what it signed before stays in its time"
    );
    let entry = renewed.node(node(0)).unwrap();
    assert_eq!(entry.keys.len(), 5, "no key is doubled");
    let mut retired = sample_draft();
    retired.retire(node(0)).unwrap();
    let revived = renewal(&mut retired).unwrap_err();
    assert!(matches!(revived, RegistryError::KeyRevived { .. }));
}
