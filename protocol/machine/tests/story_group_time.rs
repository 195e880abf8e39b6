//! Time as a group knows it by what its voters report, and what their reports say of its state.

use tongban_machine::{Comparison, Refusal};
use tongban_types::{CommandBody, DAY_MS, Entry, Hash, VoterReport, encode};

use crate::common::prelude::*;

#[test]
fn one_voter_can_neither_hurry_nor_stop_time() {
    let mut fuzhou = City::open(FUZHOU);
    let start = fuzhou.time();
    let [liar, second, third] = voters_of(FUZHOU);
    let far = start.plus_ms(300 * DAY_MS);
    fuzhou.report(&fuzhou.report_of(liar, far));
    assert_eq!(fuzhou.time(), start, "a single voter is no two");
    fuzhou.report(&fuzhou.report_of(second, start.plus_ms(5_000)));
    assert_eq!(
        fuzhou.time(),
        start.plus_ms(5_000),
        "it goes as fast as an honest one"
    );
    let stopped = start.plus_ms(-10 * DAY_MS);
    fuzhou.report(&fuzhou.report_of(liar, stopped));
    for step in 2..5 {
        let time = start.plus_ms(step * 5_000);
        for voter in [second, third] {
            fuzhou.report(&fuzhou.report_of(voter, time));
        }
        assert_eq!(fuzhou.time(), time, "it goes on without the liar");
    }
    for voter in [second, third] {
        fuzhou.report(&fuzhou.report_of(voter, start));
    }
    assert_eq!(fuzhou.time(), start.plus_ms(20_000), "it never goes back");
}

#[test]
fn a_clock_that_was_once_ahead_and_is_right_again_pulls_nobody_along() {
    let mut fuzhou = City::open(FUZHOU);
    let start = fuzhou.time();
    let ahead = start.plus_ms(30 * DAY_MS);
    let mut now = start;
    for voter in voters_of(FUZHOU) {
        for time in [ahead, now.plus_ms(1_000)] {
            let report = fuzhou.report_of(voter, time);
            fuzhou.report(&report);
        }
        now = now.plus_ms(1_000);
    }
    assert!(fuzhou.time() <= now, "each was ahead at another moment");
}

#[test]
fn an_old_report_carried_again_does_not_turn_a_clock_back() {
    let mut fuzhou = City::open(FUZHOU);
    let start = fuzhou.time();
    let [first, second, _] = voters_of(FUZHOU);
    let old = fuzhou.report_of(first, start);
    fuzhou.report(&old);
    let later = start.plus_ms(5_000);
    let report = fuzhou.report_of(first, later);
    fuzhou.report(&report);
    let again = fuzhou.report(&old);
    assert_eq!(again.results, [Err(Refusal::Superseded)]);
    let report = fuzhou.report_of(second, later);
    fuzhou.report(&report);
    assert_eq!(fuzhou.time(), later);
}

#[test]
fn time_begins_when_enough_voters_have_reported() {
    let mut fuzhou = City::empty(FUZHOU);
    fuzhou
        .enter_registry(Federation::get().file.clone())
        .unwrap();
    fuzhou.install(&[migration_item(), local_item()]);
    let [first, second, _] = voters_of(FUZHOU);
    fuzhou.report(&fuzhou.report_of(first, monday_morning()));
    let order = application_for(&mut fuzhou, WEINAN, &migration_item(), monday_morning());
    let body = CommandBody::Collect(Box::new(order));
    assert_eq!(fuzhou.act(&clerk(FUZHOU), body), Err(Refusal::NoTime));
    fuzhou.report(&fuzhou.report_of(second, monday_morning()));
    assert_eq!(fuzhou.time(), monday_morning());
}

#[test]
fn a_report_counts_only_under_its_own_voters_key() {
    let mut fuzhou = City::open(FUZHOU);
    let [first, second, _] = voters_of(FUZHOU);
    let later = fuzhou.time().plus_ms(1_000);
    let report = fuzhou.report_of(first, later);
    for key in [voter_key(second), stranger(), command_key(first)] {
        let applied = fuzhou.report_signed_by(&report, key);
        assert_eq!(applied.results, [Err(Refusal::KeyWithoutRight)]);
    }
    let outsider = node_of(WEINAN, 1);
    let applied = fuzhou.report(&fuzhou.report_of(outsider, later));
    assert_eq!(
        applied.results,
        [Err(Refusal::KeyWithoutRight)],
        "it has no vote here"
    );
    let elsewhere = VoterReport {
        group: City::empty(PUTIAN).group(),
        ..report
    };
    let applied = fuzhou.report(&elsewhere);
    assert_eq!(applied.results, [Err(Refusal::OtherGroup(elsewhere.group))]);
}

#[test]
fn a_replica_in_another_state_raises_the_alarm() {
    let mut fuzhou = City::open(FUZHOU);
    let [first, second, _] = voters_of(FUZHOU);
    let honest = fuzhou.report_of(first, fuzhou.time());
    assert_ne!(honest.index, 0);
    let broken = VoterReport {
        state: Hash([9; 32]),
        ..honest
    };
    let comparison = fuzhou.report(&broken).comparison;
    let alarm = comparison.alarm().expect("the states differ");
    assert_eq!((alarm.voter, alarm.index), (first, honest.index));
    assert_eq!((alarm.theirs, alarm.ours), (broken.state, honest.state));
    assert_eq!(fuzhou.report(&honest).comparison, Comparison::Same(first));

    // Nobody else can stop the group by a false hash.
    for key in [stranger(), voter_key(second)] {
        let applied = fuzhou.report_signed_by(&broken, key);
        assert_eq!(applied.comparison, Comparison::Nothing);
    }
    let elsewhere = VoterReport {
        group: City::empty(PUTIAN).group(),
        ..broken
    };
    assert_eq!(fuzhou.report(&elsewhere).comparison, Comparison::Nothing);
}

#[test]
fn two_replicas_of_one_log_have_one_hash_and_another_log_has_another() {
    let mut fuzhou = City::open(FUZHOU);
    let weinan = City::open(WEINAN);
    in_transit(&mut fuzhou, &weinan);
    let mut replica = City::empty(FUZHOU);
    for bytes in fuzhou.log.clone() {
        replica.apply(bytes);
    }
    assert_eq!(replica.view, fuzhou.view);
    replica.apply(encode(&Entry::Registry(b"noise".to_vec())));
    assert_ne!(
        replica.hash(),
        fuzhou.hash(),
        "what is refused is part of the log too"
    );
}
