//! When keys may sign and registries may enter, judged by group time alone.

use tongban_machine::{Refusal, Reply, ground, registry_bytes_of};
use tongban_trust::{Registry, RegistryFile};
use tongban_types::{Code, DAY_MS, Entry, GroupId, KeyRole, NodeId, Timestamp, limits};

use crate::common::prelude::*;

fn read(file: &[u8]) -> Registry {
    RegistryFile::decode(file).unwrap().registry().clone()
}

/// The registry after one, in which a node's keys sign from one day to another.
fn with_times(current: &Registry, node: NodeId, from: Timestamp, until: Timestamp) -> Vec<u8> {
    registry_after(current, |draft| {
        let mut times = enrolment(node);
        (times.not_before, times.not_after) = (from, until);
        draft.enrol(&times).unwrap();
    })
}

/// The registry after one, in which a stranger's key takes the place of a node's.
fn with_new_key(current: &Registry, node: NodeId, role: KeyRole, from: Timestamp) -> Vec<u8> {
    registry_after(current, |draft| {
        let mut new = enrolment(node);
        new.keys = [(role, stranger().public())].into();
        new.not_before = from;
        draft.enrol(&new).unwrap();
    })
}

fn refused_code(city: &mut City, file: Vec<u8>) -> Code {
    match city.enter_registry(file) {
        Err(Refusal::RegistryRefused(code)) => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_command_key_signs_in_its_time_and_again_once_it_is_renewed() {
    let mut fuzhou = City::open(FUZHOU);
    let (node, start) = (node_of(FUZHOU, 1), fuzhou.time());
    let until = start.plus_ms(DAY_MS);
    let first = with_times(&Federation::get().registry, node, start, until);
    fuzhou.enter_registry(first.clone()).unwrap();
    fuzhou.act(&system(FUZHOU), take_lease(FUZHOU)).unwrap();
    fuzhou.set_time_by(&voters_of(FUZHOU)[1..], until.plus_ms(1));
    let over = Refusal::KeyOutOfTime { at: fuzhou.time() };
    let refused = fuzhou.act(&system(FUZHOU), take_lease(FUZHOU));
    assert_eq!(refused, Err(over));
    let order = application(&mut fuzhou, WEINAN);
    let body = tongban_types::CommandBody::Collect(Box::new(order));
    let kept = fuzhou.act(&clerk(FUZHOU), body.clone()).unwrap_err();
    assert!(kept.is_passing(), "a desk keeps what it took in");
    let renewed = with_times(&read(&first), node, until, until.plus_ms(9 * DAY_MS));
    fuzhou.enter_registry(renewed).unwrap();
    fuzhou.act(&clerk(FUZHOU), body).unwrap();
}

#[test]
fn a_new_command_key_does_not_sign_before_its_time() {
    let mut fuzhou = City::open(FUZHOU);
    let node = node_of(FUZHOU, 1);
    let from = fuzhou.time().plus_ms(DAY_MS);
    let registry = &Federation::get().registry;
    let file = with_new_key(registry, node, KeyRole::Command, from);
    fuzhou.enter_registry(file).unwrap();
    let lease = |city: &mut City| {
        let command = city.command(&system(FUZHOU), take_lease(FUZHOU));
        let bytes = batch(city.group(), stranger(), &[command]);
        city.apply(bytes).results.remove(0)
    };
    let at = fuzhou.time();
    assert_eq!(lease(&mut fuzhou), Err(Refusal::KeyOutOfTime { at }));
    fuzhou.set_time(from);
    assert!(lease(&mut fuzhou).is_ok());
}

#[test]
fn an_expired_voter_key_reports_no_time_however_it_dates_it() {
    let mut fuzhou = City::open(FUZHOU);
    let (voter, start) = (voters_of(FUZHOU)[0], fuzhou.time());
    let until = start.plus_ms(DAY_MS);
    let file = with_times(&Federation::get().registry, voter, start, until);
    fuzhou.enter_registry(file).unwrap();
    let now = until.plus_ms(1);
    let early = fuzhou.report(&fuzhou.report_of(voter, now)).results;
    assert_eq!(early, [Err(Refusal::KeyOutOfTime { at: now })]);
    fuzhou.set_time_by(&voters_of(FUZHOU)[1..], now);
    for time in [start, until, now.plus_ms(5)] {
        let refused = fuzhou.report(&fuzhou.report_of(voter, time)).results;
        let at = time.max(now);
        assert_eq!(refused, [Err(Refusal::KeyOutOfTime { at })]);
    }
}

#[test]
fn a_group_that_slept_comes_forward_by_its_voters_new_keys() {
    let mut fuzhou = City::open(FUZHOU);
    let voters = voters_of(FUZHOU);
    let now = fuzhou.time().plus_ms(200 * DAY_MS);
    let registry = &Federation::get().registry;
    let file = with_new_key(registry, voters[0], KeyRole::Voter, now.plus_ms(-DAY_MS));
    fuzhou.enter_registry(file).unwrap();
    let report = fuzhou.report_of(voters[0], now);
    let taken = fuzhou.report_signed_by(&report, stranger()).results;
    assert_eq!(taken, [Ok(Reply::Done)]);
    fuzhou.report(&fuzhou.report_of(voters[1], now));
    assert_eq!(fuzhou.time(), now);
}

#[test]
fn before_the_first_group_time_a_key_need_only_be_active() {
    let mut fuzhou = City::empty(FUZHOU);
    fuzhou
        .enter_registry(Federation::get().file.clone())
        .unwrap();
    fuzhou.install(&[migration_item(), local_item()]);
    let long_ago = Timestamp::from_unix_ms(1_000);
    let voter = voters_of(FUZHOU)[0];
    let dated = fuzhou.report(&fuzhou.report_of(voter, long_ago)).results;
    assert_eq!(dated, [Err(Refusal::KeyOutOfTime { at: long_ago })]);
    assert_eq!(ground(&fuzhou.view).time, Timestamp::default());
}

#[test]
fn a_certificate_by_a_key_out_of_its_time_is_not_entered() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let (voter, start) = (voters_of(FUZHOU)[0], weinan.time());
    let file = with_times(
        &Federation::get().registry,
        voter,
        start,
        start.plus_ms(DAY_MS),
    );
    weinan.enter_registry(file).unwrap();
    let position = tongban_machine::unanswered(&fuzhou.view, None, 1)[0].position;
    let by = |signers: &[NodeId]| {
        let signers: Vec<_> = signers.iter().map(|v| (*v, voter_key(*v))).collect();
        certify_by(&fuzhou, position, &signers)
    };
    let voters = voters_of(FUZHOU);
    let expired = Entry::Parcels(by(&voters[..2]));
    weinan.enter(&expired).unwrap();
    // It held before, and is asked about anew.
    weinan.set_time_by(&voters_of(WEINAN)[1..], start.plus_ms(DAY_MS + 1));
    let code = Code::KEY_OUT_OF_TIME;
    let refused = weinan.enter(&expired);
    assert_eq!(refused, Err(Refusal::CertificateRefused(code)));
    weinan.enter(&Entry::Parcels(by(&voters[1..]))).unwrap();
    assert_eq!(weinan.case(number).envelope.number, number);
}

#[test]
fn an_expired_registry_brings_nobody_in_and_existing_cases_go_on() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let registry = &Federation::get().registry;
    let expires = fuzhou.time().plus_ms(DAY_MS);
    let brief = |current: &Registry| {
        registry_after(current, |draft| {
            draft.expires = expires;
            draft.enrol(&enrolment(node_of(FUZHOU, 2))).unwrap();
        })
    };
    let (second, third) = (brief(registry), brief(&read(&brief(registry))));
    fuzhou.enter_registry(second.clone()).unwrap();
    fuzhou.set_time(expires);
    let before = fuzhou.view.clone();
    let late = refused_code(&mut fuzhou, third);
    assert_eq!(late, Code::REGISTRY_EXPIRED);
    assert_eq!(ground(&fuzhou.view).registry, ground(&before).registry);
    let same = fuzhou.enter_registry(second);
    assert_eq!(same, Ok(Reply::Done), "the one in force stays");
    let number = in_transit(&mut fuzhou, &weinan);
    weinan.set_time(expires);
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), tongban_types::CaseState::Received);
}

#[test]
fn a_group_that_missed_registries_passes_through_them_to_the_newest() {
    let mut fuzhou = City::open(FUZHOU);
    let registry = &Federation::get().registry;
    let now = fuzhou.time();
    let second = registry_after(registry, |draft| draft.expires = now);
    let third = registry_after(&read(&second), |draft| draft.expires = now);
    let fourth = registry_after(&read(&third), |draft| draft.expires = now.plus_ms(DAY_MS));
    let enter = |city: &mut City, files: &[&Vec<u8>]| {
        city.enter(&Entry::Registries(files.iter().copied().cloned().collect()))
    };
    let refused = |code| Err(Refusal::RegistryRefused(code));
    let expired = enter(&mut fuzhou, &[&second, &third]);
    assert_eq!(expired, refused(Code::REGISTRY_EXPIRED));
    let skipped = enter(&mut fuzhou, &[&second, &fourth]);
    assert_eq!(skipped, refused(Code::REGISTRY_SKIPPED));
    assert_eq!(ground(&fuzhou.view).registry, 1, "all or none");
    let whole = [&second, &third, &fourth];
    assert_eq!(enter(&mut fuzhou, &whole), Ok(Reply::Done));
    let first = &Federation::get().file;
    for (version, file) in (1..).zip([first, &second, &third, &fourth]) {
        assert_eq!(
            registry_bytes_of(&fuzhou.view, version).as_ref(),
            Some(file)
        );
    }
    assert_eq!(registry_bytes_of(&fuzhou.view, 5), None);
}

#[test]
fn the_oldest_registries_are_given_up() {
    let mut fuzhou = City::open(FUZHOU);
    let mut current = Federation::get().registry.clone();
    let kept = limits::REGISTRIES_KEPT_MAX as u64;
    for _ in 0..=kept {
        let next = registry_after(&current, |_| ());
        current = read(&next);
        fuzhou.enter_registry(next).unwrap();
    }
    let newest = kept + 2;
    assert_eq!(ground(&fuzhou.view).registry, newest);
    let is_kept = |version| registry_bytes_of(&fuzhou.view, version).is_some();
    assert!(!is_kept(1) && (2..=newest).all(is_kept));
}

#[test]
fn a_group_that_exists_keeps_its_voters() {
    let mut fuzhou = City::open(FUZHOU);
    let others = registry_after(&Federation::get().registry, |draft| {
        let voters = voters_of(NANPING);
        draft.voters(city_code(FUZHOU), &voters).unwrap();
    });
    let code = refused_code(&mut fuzhou, others);
    assert_eq!(code, Code::REGISTRY_VOTERS_CHANGED);
    assert_eq!(fuzhou.group(), GroupId(city_code(FUZHOU)));
}
