//! Orders of placement: who may give them, which come in, and that everything which counts voters
//! counts those in force.

use tongban_machine::{
    ParcelFate, Placement, Refusal, Reply, ordered_placement, placement_of, placement_order,
    placement_orders,
};
use tongban_types::{Code, DAY_MS, Entry, NodeId, PlacementOrder, Purpose, encode, limits};

use crate::common::prelude::*;

/// Nanping's node votes in Fuzhou's group instead of Ningde's, Weinan's follows.
fn moved() -> PlacementOrder {
    let voters = [FUZHOU, PUTIAN, NANPING].map(|city| node_of(city, 1));
    let mut voters = voters.to_vec();
    voters.sort_unstable();
    PlacementOrder {
        voters,
        learners: vec![node_of(WEINAN, 1)],
        ..placement(FUZHOU, 1)
    }
}

fn of_fuzhou(city: &City) -> Placement {
    let registry = &Federation::get().registry;
    placement_of(&city.view, registry, fuzhou_group())
}

fn fuzhou_group() -> tongban_types::GroupId {
    tongban_types::GroupId(city_code(FUZHOU))
}

fn signers(cities: [u32; 2]) -> [(NodeId, &'static tongban_trust::SigningKey); 2] {
    cities.map(|city| (node_of(city, 1), voter_key(node_of(city, 1))))
}

#[test]
fn group_time_goes_by_the_voters_in_force() {
    let mut fuzhou = City::open(FUZHOU);
    assert_eq!(of_fuzhou(&fuzhou).voters, voters_of(FUZHOU));
    assert_eq!(fuzhou.place(&moved()), Ok(Reply::Done));
    assert_eq!(of_fuzhou(&fuzhou).voters, moved().voters);
    assert_eq!(of_fuzhou(&fuzhou).learners, moved().learners);
    let later = fuzhou.time().plus_ms(DAY_MS);
    let (left, came) = (node_of(NINGDE, 1), node_of(NANPING, 1));
    let of_left = fuzhou.report(&fuzhou.report_of(left, later)).results;
    assert_eq!(of_left, [Err(Refusal::KeyWithoutRight)]);
    let learner = node_of(WEINAN, 1);
    let of_learner = fuzhou.report(&fuzhou.report_of(learner, later)).results;
    assert_eq!(of_learner, [Err(Refusal::KeyWithoutRight)]);
    fuzhou.set_time_by(&[came], later);
    assert_ne!(fuzhou.time(), later, "one voter alone hurries nobody");
    fuzhou.set_time_by(&[node_of(FUZHOU, 1)], later);
    assert_eq!(fuzhou.time(), later);
}

#[test]
fn only_the_citys_governance_places_its_group() {
    let mut fuzhou = City::open(FUZHOU);
    let strangers = [
        governance_key(city_code(PUTIAN)),
        command_key(node_of(FUZHOU, 1)),
        voter_key(node_of(FUZHOU, 1)),
        stranger(),
    ];
    for key in strangers {
        let signed = key.sign(Purpose::PlacementOrder, encode(&moved()));
        let refused = fuzhou.enter(&Entry::Placement(signed));
        assert_eq!(refused, Err(Refusal::KeyWithoutRight));
    }
    let key = governance_key(city_code(FUZHOU));
    let mut forged = key.sign(Purpose::PlacementOrder, encode(&moved()));
    forged.bytes = encode(&PlacementOrder {
        learners: Vec::new(),
        ..moved()
    });
    let refused = fuzhou.enter(&Entry::Placement(forged));
    assert_eq!(refused, Err(Refusal::BadSignature));
    let other_purpose = key.sign(Purpose::CommandBatch, encode(&moved()));
    let refused = fuzhou.enter(&Entry::Placement(other_purpose));
    assert_eq!(refused, Err(Refusal::BadSignature));
    assert_eq!(of_fuzhou(&fuzhou).version, 0);
}

#[test]
fn of_two_orders_at_one_version_the_first_is_carried_out() {
    let mut fuzhou = City::open(FUZHOU);
    let other = placement(FUZHOU, 1);
    assert_eq!(fuzhou.place(&moved()), Ok(Reply::Done));
    let before = fuzhou.view.clone();
    let out_of_turn = |got| Err(Refusal::PlacementOutOfTurn { expected: 2, got });
    assert_eq!(fuzhou.place(&other), out_of_turn(1));
    assert_eq!(fuzhou.place(&placement(FUZHOU, 3)), out_of_turn(3));
    assert_eq!(fuzhou.place(&moved()), Ok(Reply::Done), "said again");
    assert_eq!(placement_orders(&before, fuzhou.group()), [moved()]);
    assert_eq!(placement_orders(&fuzhou.view, fuzhou.group()), [moved()]);
    assert_eq!(fuzhou.place(&placement(FUZHOU, 2)), Ok(Reply::Done));
    assert_eq!(of_fuzhou(&fuzhou).voters, voters_of(FUZHOU));
}

#[test]
fn a_placement_no_group_may_have_is_refused() {
    let (own, unknown) = (node_of(FUZHOU, 1), node_of(FUZHOU, 2));
    let changed = |change: &dyn Fn(&mut PlacementOrder)| {
        let mut order = moved();
        change(&mut order);
        order
    };
    let broken = [
        changed(&|order| order.voters.truncate(2)),
        changed(&|order| order.voters.truncate(1)),
        changed(&|order| order.voters.push(order.voters[2])),
        changed(&|order| order.voters.reverse()),
        changed(&|order| order.learners = vec![own]),
        changed(&|order| order.learners = vec![unknown]),
        changed(&|order| {
            order.voters.retain(|node| *node != own);
            order.voters.push(order.learners.remove(0));
        }),
        changed(&|order| order.reason = "长".repeat(limits::PLACEMENT_REASON_BYTES_MAX)),
    ];
    let mut fuzhou = City::open(FUZHOU);
    for order in broken {
        let refused = fuzhou.place(&order);
        assert_eq!(refused, Err(Refusal::PlacementRuleBroken), "{order:?}");
    }
    assert_eq!(ordered_placement(&fuzhou.view, fuzhou.group()), None);
}

#[test]
fn a_city_on_three_machines_of_its_own_keeps_a_copy_elsewhere() {
    let mut fuzhou = City::open(FUZHOU);
    let more = registry_after(&Federation::get().registry, |draft| {
        for number in 2..=3 {
            draft.enrol(&enrolment(node_of(FUZHOU, number))).unwrap();
        }
    });
    fuzhou.enter_registry(more).unwrap();
    let own = [1, 2, 3].map(|number| node_of(FUZHOU, number));
    let mut order = PlacementOrder {
        voters: own.to_vec(),
        ..placement(FUZHOU, 1)
    };
    let alone = fuzhou.place(&order);
    assert_eq!(alone, Err(Refusal::PlacementRuleBroken));
    order.learners = vec![node_of(PUTIAN, 1)];
    assert_eq!(fuzhou.place(&order), Ok(Reply::Done));
}

#[test]
fn a_city_believes_the_voters_it_was_told_of_last() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    fuzhou.place(&moved()).unwrap();
    let packet = packets_for(&fuzhou, weinan.group())[0];
    let by_old = certify_by(&fuzhou, packet, &signers([PUTIAN, NINGDE]));
    let by_new = certify_by(&fuzhou, packet, &signers([PUTIAN, NANPING]));
    let not_yet = enter_parcel(&mut weinan, &by_new).unwrap_err();
    let code = Code::MAJORITY_MISSING;
    assert_eq!(not_yet, Refusal::CertificateRefused(code));
    assert_eq!(weinan.place(&moved()), Ok(Reply::Done));
    let no_more = enter_parcel(&mut weinan, &by_old).unwrap_err();
    assert_eq!(no_more, Refusal::CertificateRefused(code));
    let fate = enter_parcel(&mut weinan, &by_new).unwrap();
    assert!(matches!(fate, ParcelFate::Answered { .. }), "{fate:?}");
}

#[test]
fn what_was_certified_before_a_change_is_answered_after_it() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let packet = packets_for(&fuzhou, weinan.group())[0];
    let before = certify(&fuzhou, packet);
    let first = enter_parcel(&mut weinan, &before).unwrap();
    fuzhou.place(&moved()).unwrap();
    weinan.place(&moved()).unwrap();
    let again = certify_by(&fuzhou, packet, &signers([FUZHOU, NANPING]));
    let second = enter_parcel(&mut weinan, &again).unwrap();
    assert_eq!(answer_of(&first), answer_of(&second), "entered once");
    let order = placement_order(&weinan.view, fuzhou.group(), 1).expect("kept with the state");
    assert_eq!(order.signer, governance_key(city_code(FUZHOU)).public());
}

#[test]
fn another_group_takes_the_newest_order_whatever_it_missed_and_no_older_one() {
    let mut weinan = City::open(WEINAN);
    let newest = PlacementOrder {
        version: 5,
        ..moved()
    };
    assert_eq!(weinan.place(&newest), Ok(Reply::Done));
    assert_eq!(weinan.place(&newest), Ok(Reply::Done), "said again");
    assert_eq!(weinan.place(&moved()), Err(Refusal::Superseded));
    let other = PlacementOrder {
        voters: voters_of(FUZHOU).to_vec(),
        ..newest.clone()
    };
    assert_eq!(weinan.place(&other), Err(Refusal::Superseded));
    assert_eq!(of_fuzhou(&weinan).voters, newest.voters);
    let own = placement_of(&weinan.view, &Federation::get().registry, weinan.group());
    assert_eq!(own.version, 0, "its own group is as it was");
}

#[test]
fn orders_of_before_are_kept_for_a_decade_and_then_given_up() {
    let mut fuzhou = City::open(FUZHOU);
    let kept = limits::PLACEMENTS_KEPT_MAX as u64;
    for version in 1..=kept + 2 {
        fuzhou.place(&placement(FUZHOU, version)).unwrap();
    }
    let orders = placement_orders(&fuzhou.view, fuzhou.group());
    let versions: Vec<u64> = orders.iter().map(|order| order.version).collect();
    assert_eq!(versions, (3..=kept + 2).collect::<Vec<_>>());
}

#[test]
fn orders_of_another_group_are_bounded_though_versions_are_missing_and_the_newest_is_kept() {
    let mut weinan = City::open(WEINAN);
    let kept = limits::PLACEMENTS_KEPT_MAX as u64;
    let versions: Vec<u64> = (1..=kept + 6).map(|step| step * 100).collect();
    for version in &versions {
        weinan.place(&placement(FUZHOU, *version)).unwrap();
    }
    let orders = placement_orders(&weinan.view, fuzhou_group());
    let found: Vec<u64> = orders.iter().map(|order| order.version).collect();
    assert_eq!(found, versions[6..]);
}

#[test]
fn an_order_that_stands_in_the_log_is_seen_before_it_is_applied() {
    let fuzhou = City::open(FUZHOU);
    let foresee = |entries: &[Vec<u8>]| {
        let entries = entries.iter().map(Vec::as_slice);
        fuzhou.machine.foresee_placement(&fuzhou.view, entries)
    };
    let report = fuzhou.report_of(node_of(FUZHOU, 1), fuzhou.time());
    let report = voter_key(report.voter).sign(Purpose::VoterReport, encode(&report));
    let other = encode(&Entry::Report(report));
    assert_eq!(foresee(&[]), None);
    let order = encode(&signed_placement(&moved()));
    let seen = foresee(&[other.clone(), order.clone(), other, vec![9; 3]]);
    let seen = seen.expect("the order counts");
    assert_eq!((seen.version, seen.voters), (1, moved().voters));
    let forged = stranger().sign(Purpose::PlacementOrder, encode(&moved()));
    assert_eq!(foresee(&[encode(&Entry::Placement(forged))]), None);
    let mut later = City::open(FUZHOU);
    later.apply(order.clone());
    let again = later
        .machine
        .foresee_placement(&later.view, [order.as_slice()]);
    assert_eq!(again.map(|placement| placement.version), Some(1));
}
