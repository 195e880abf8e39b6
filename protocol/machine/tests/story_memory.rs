//! What a group remembers of commands, and the lease on its city's effects.

use tongban_machine::{Ground, Refusal, Reply, ground};
use tongban_types::{CommandBody, limits};

use crate::common::prelude::*;

#[test]
fn the_same_batch_again_gets_the_same_replies_and_changes_no_case() {
    let mut fuzhou = City::open(FUZHOU);
    let commands: Vec<_> = (0..3)
        .map(|_| {
            let order = application(&mut fuzhou, WEINAN);
            fuzhou.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)))
        })
        .collect();
    let first = fuzhou.submit(&commands);
    let cases = tongban_machine::list_cases(&fuzhou.view, None, 10);
    let before = ground(&fuzhou.view);
    assert_eq!(fuzhou.submit(&commands), first);
    assert_eq!(tongban_machine::list_cases(&fuzhou.view, None, 10), cases);
    assert_eq!(ground(&fuzhou.view), before);
}

#[test]
fn a_repeat_is_known_by_what_it_asks_though_dated_and_sealed_anew() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let first = weinan.command(&officer(WEINAN, REVIEWER), accept(&weinan, number));
    let reply = weinan.submit(std::slice::from_ref(&first)).remove(0);
    assert!(reply.is_ok());
    weinan.pass_ms(5_000);
    let repeat = tongban_types::Command {
        at: weinan.time(),
        ..first.clone()
    };
    let version = tongban_machine::load_case(&weinan.view, number)
        .unwrap()
        .version;
    assert_eq!(weinan.submit(&[repeat]).remove(0), reply);
    let after = tongban_machine::load_case(&weinan.view, number)
        .unwrap()
        .version;
    assert_eq!(after, version, "nothing happens twice");
    let something_else = tongban_types::Command {
        request: tongban_types::RequestTag(tongban_types::sha256(b"something else")),
        ..first
    };
    assert_eq!(weinan.submit(&[something_else]), [Err(Refusal::IdReused)]);
}

#[test]
fn a_refused_command_is_not_remembered_and_may_succeed_later() {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = application(&mut fuzhou, WEINAN);
    let newest = tongban_types::ItemTerms {
        item: tongban_types::ItemVersion {
            version: 2,
            ..migration_item().item
        },
        ..migration_item()
    };
    order.envelope.item = newest.item;
    let command = fuzhou.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)));
    let commands = [command];
    assert_eq!(fuzhou.submit(&commands), [Err(Refusal::UnknownItem)]);
    fuzhou
        .act(&operator(FUZHOU), CommandBody::InstallItem(newest))
        .unwrap();
    assert!(fuzhou.submit(&commands)[0].is_ok());
}

#[test]
fn a_day_later_it_is_forgotten_and_a_replay_still_does_nothing() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let command = weinan.command(&officer(WEINAN, REVIEWER), accept(&weinan, number));
    let commands = [command];
    let first = weinan.submit(&commands);
    weinan.pass_ms(limits::REMEMBERED_MS);
    assert_eq!(
        weinan.submit(&commands),
        first,
        "a whole day it is remembered"
    );
    let remembered = ground(&weinan.view).remembered;
    weinan.pass_ms(1);
    assert!(ground(&weinan.view).remembered < remembered);
    let replay = weinan.submit(&commands).remove(0);
    assert!(matches!(replay, Err(Refusal::Skewed { .. })), "{replay:?}");
}

#[test]
fn forgetting_is_bounded_an_entry_and_keeps_up() {
    let mut fuzhou = City::open(FUZHOU);
    let entries = 5;
    for _ in 0..entries {
        let commands: Vec<_> = (0..limits::BATCH_COMMANDS_MAX)
            .map(|_| fuzhou.command(&system(FUZHOU), CommandBody::InstallItem(local_item())))
            .collect();
        assert!(fuzhou.submit(&commands).iter().all(Result::is_ok));
    }
    let most = limits::FORGOTTEN_PER_ENTRY_MAX + limits::BATCH_COMMANDS_MAX;
    let time = fuzhou.time().plus_ms(limits::REMEMBERED_MS + 1);
    let mut left = ground(&fuzhou.view).remembered;
    for voter in &voters_of(FUZHOU)[..2] {
        let report = fuzhou.report_of(*voter, time);
        fuzhou.report(&report);
        let now = ground(&fuzhou.view).remembered;
        assert!(left - now <= most as u64, "{} at once", left - now);
        left = now;
    }
    for _ in 0..entries {
        let report = fuzhou.report_of(voters_of(FUZHOU)[0], time);
        fuzhou.report(&report);
    }
    assert_eq!(ground(&fuzhou.view).remembered, 0);
}

#[test]
fn beyond_the_bound_the_oldest_ids_go_first() {
    let mut fuzhou = City::open(FUZHOU);
    let install = |city: &mut City| {
        let command = city.command(&system(FUZHOU), CommandBody::InstallItem(local_item()));
        city.submit(&[command])
    };
    install(&mut fuzhou);
    // As if a full day's ids were there: only the count says so.
    let full = Ground {
        remembered: limits::REMEMBERED_MAX + 1,
        ..ground(&fuzhou.view)
    };
    let key = b"g".to_vec();
    fuzhou
        .view
        .0
        .insert(key, postcard::to_allocvec(&full).unwrap());
    install(&mut fuzhou);
    let left = ground(&fuzhou.view).remembered;
    assert!(left <= limits::REMEMBERED_MAX, "{left}");
}

#[test]
fn a_lease_is_held_by_one_node_and_a_new_holder_gets_a_new_number() {
    let mut fuzhou = City::open(FUZHOU);
    let second = node_of(FUZHOU, 2);
    let file = registry_after(&Federation::get().registry, |draft| {
        draft.enrol(&enrolment(second)).unwrap();
    });
    fuzhou.enter_registry(file).unwrap();
    let take = |city: &mut City, node: tongban_types::NodeId| {
        let command = city.command(&system(FUZHOU), CommandBody::TakeLease(node));
        let bytes = batch(city.group(), command_key(node), &[command]);
        city.apply(bytes).results.remove(0)
    };
    let number = |reply| match reply {
        Ok(Reply::Lease { number, .. }) => number,
        other => panic!("no lease: {other:?}"),
    };
    let first = node_of(FUZHOU, 1);
    assert_eq!(number(take(&mut fuzhou, first)), 1);
    assert_eq!(
        number(take(&mut fuzhou, first)),
        1,
        "renewed under its number"
    );
    assert_eq!(take(&mut fuzhou, second), Err(Refusal::LeaseHeld));
    fuzhou.pass_ms(limits::LEASE_MS);
    assert_eq!(
        take(&mut fuzhou, second),
        Err(Refusal::LeaseHeld),
        "until its last moment"
    );
    fuzhou.pass_ms(1);
    assert_eq!(number(take(&mut fuzhou, second)), 2);
    assert_eq!(take(&mut fuzhou, first), Err(Refusal::LeaseHeld));

    let command = fuzhou.command(&system(FUZHOU), CommandBody::TakeLease(second));
    let forged = batch(fuzhou.group(), command_key(first), &[command]);
    assert_eq!(
        fuzhou.apply(forged).results,
        [Err(Refusal::KeyWithoutRight)]
    );
}

#[test]
fn an_effect_is_carried_out_under_the_lease_in_force_and_by_its_holder() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = granted(&mut fuzhou, &mut weinan);
    let node = system(WEINAN);
    let over = Err(Refusal::LeaseOver);
    assert_eq!(
        weinan.act(&node, prepare(&weinan, number, 0)),
        over,
        "none was given"
    );
    let lease = leased(&mut weinan);
    assert_eq!(weinan.act(&node, prepare(&weinan, number, lease + 1)), over);
    weinan.act(&node, prepare(&weinan, number, lease)).unwrap();
    weinan.pass_ms(limits::LEASE_MS + 1);
    assert_eq!(weinan.act(&node, issue(&weinan, number, lease)), over);
    let newer = leased(&mut weinan);
    assert_eq!(newer, lease + 1);
    assert_eq!(
        weinan.act(&node, issue(&weinan, number, lease)),
        over,
        "fenced off"
    );

    let second = node_of(WEINAN, 2);
    let file = registry_after(&Federation::get().registry, |draft| {
        draft.enrol(&enrolment(second)).unwrap();
    });
    weinan.enter_registry(file).unwrap();
    let command = weinan.command(&node, issue(&weinan, number, newer));
    let by_another = batch(weinan.group(), command_key(second), &[command]);
    assert_eq!(weinan.apply(by_another).results, [Err(Refusal::LeaseOver)]);
    weinan.act(&node, issue(&weinan, number, newer)).unwrap();
    let again = weinan.act(&node, issue(&weinan, number, newer));
    assert_eq!(
        again,
        Err(Refusal::DocumentStage),
        "a document is issued once"
    );
}

#[test]
fn an_input_no_node_can_sign_any_more_is_prepared_anew_until_something_is_issued() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = granted(&mut fuzhou, &mut weinan);
    let node = system(WEINAN);
    let gone = leased(&mut weinan);
    weinan.act(&node, prepare(&weinan, number, gone)).unwrap();
    let signed_late = issue(&weinan, number, gone);
    weinan.pass_ms(limits::LEASE_MS + 1);
    let lease = leased(&mut weinan);
    let CommandBody::PrepareDocument(mut anew) = prepare(&weinan, number, lease) else {
        panic!("it prepares a document");
    };
    anew.input_hash = tongban_types::sha256(b"header of another key.payload");
    let body = CommandBody::PrepareDocument(anew.clone());
    weinan.act(&node, body).unwrap();
    let late = weinan.act(&node, signed_late);
    assert_eq!(late, Err(Refusal::LeaseOver));
    let stale = weinan.act(&node, issue(&weinan, number, lease));
    assert_eq!(stale, Err(Refusal::DocumentStage), "of the input before");
    let CommandBody::IssueDocument(mut order) = issue(&weinan, number, lease) else {
        panic!("it issues a document");
    };
    order.input_hash = anew.input_hash;
    let body = CommandBody::IssueDocument(order);
    weinan.act(&node, body).unwrap();
    let again = weinan.act(&node, prepare(&weinan, number, lease));
    assert_eq!(again, Err(Refusal::DocumentStage));
}
