//! Time as the group knows it, and what the law makes of it.

use tongban_machine::{Refusal, cases_in_state, next_deadline};
use tongban_types::{
    CaseState, CivilDay, CommandBody, DAY_MS, Entry, Hash, Timestamp, VoterReport, encode, limits,
};

use crate::common::prelude::*;

/// The last moment of Monday 9 March 2026: five working days after Monday 2 March.
fn last_moment() -> Timestamp {
    CivilDay::from_ymd(2026, 3, 9).unwrap().last_ms()
}

#[test]
fn silence_counts_as_acceptance_once_the_fifth_working_day_is_over() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    assert_eq!(next_deadline(&weinan.view), Some(last_moment()));
    weinan.set_time(last_moment());
    assert_eq!(
        weinan.state(number),
        CaseState::Received,
        "its last moment is still in time"
    );
    weinan.set_time(last_moment().plus_ms(1));
    let case = weinan.case(number);
    assert_eq!(case.state, CaseState::Accepted);
    let accepted = case.accepted.clone().unwrap();
    assert!(accepted.deemed);
    assert_eq!(accepted.by, system(WEINAN));
    assert_eq!(accepted.at, last_moment());
    assert_eq!(next_deadline(&weinan.view), None);
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.case(number).accepted, Some(accepted));
}

#[test]
fn a_package_that_arrives_late_is_accepted_on_arrival_and_backdated() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let now = fuzhou.time();
    fuzhou.pass_ms(8 * DAY_MS);
    weinan.pass_ms(8 * DAY_MS);
    let order = application_for(&mut fuzhou, WEINAN, &migration_item(), now);
    let number = order.envelope.number;
    let mut command = fuzhou.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)));
    command.at = now;
    fuzhou
        .submit(&[command])
        .remove(0)
        .expect("a desk kept it while it was cut off");
    carry_all(&mut fuzhou, &mut weinan);
    let case = weinan.case(number);
    assert_eq!(case.state, CaseState::Accepted);
    assert_eq!(
        case.accepted.unwrap().at,
        last_moment(),
        "the citizen loses no day"
    );
    assert_eq!(fuzhou.state(number), CaseState::Accepted);
}

#[test]
fn a_notice_in_time_stops_the_clock_and_a_correction_starts_it_again() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let body = ask_correction(&weinan, number);
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    for city in [&mut fuzhou, &mut weinan] {
        city.set_time(last_moment().plus_ms(9 * 3_600_000));
    }
    assert_eq!(weinan.state(number), CaseState::CorrectionAsked);
    fuzhou
        .act(&clerk(FUZHOU), correct(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    let again = CivilDay::from_ymd(2026, 3, 17).unwrap().last_ms();
    assert_eq!(weinan.case(number).notice_due.unwrap().at, again);
    weinan.set_time(again.plus_ms(1));
    assert_eq!(weinan.state(number), CaseState::Accepted);
}

#[test]
fn what_is_due_at_one_moment_fires_piece_by_piece_and_nothing_slips_between() {
    let mut fuzhou = City::open(FUZHOU);
    let now = fuzhou.time();
    let count = limits::DEADLINES_PER_ENTRY_MAX + 2;
    let commands: Vec<_> = (0..count)
        .map(|_| {
            let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
            let body = CommandBody::Collect(Box::new(order));
            fuzhou.command(&clerk(FUZHOU), body)
        })
        .collect();
    let results = fuzhou.submit(&commands);
    assert!(results.iter().all(Result::is_ok));
    let time = last_moment().plus_ms(1);
    for voter in &voters_of(FUZHOU)[..2] {
        let report = fuzhou.report_of(*voter, time);
        fuzhou.report(&report);
    }
    let waiting = |city: &City| cases_in_state(&city.view, CaseState::Received, None, 1_000).cases;
    let left = waiting(&fuzhou);
    assert_eq!(left.len(), 2, "one entry fires a bounded number");
    let last = left[1].envelope.number;
    let reviewer = officer(FUZHOU, REVIEWER);
    let commands: Vec<_> = [refuse_to_accept, ask_correction, accept]
        .map(|body| {
            let body = body(&fuzhou, last);
            fuzhou.command(&reviewer, body)
        })
        .into();
    let results = fuzhou.submit(&commands);
    assert_eq!(results, vec![Err(Refusal::NoticeTooLate); 3]);
    assert_eq!(
        waiting(&fuzhou),
        [],
        "they fire in the next entry, whatever it is"
    );
    assert!(fuzhou.case(last).accepted.unwrap().deemed);
}

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
fn time_begins_when_enough_voters_have_reported() {
    let mut fuzhou = City::empty(FUZHOU);
    fuzhou
        .enter_registry(Federation::get().file.clone())
        .unwrap();
    fuzhou.install();
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
    let alarm = fuzhou.report(&broken).alarm.expect("the states differ");
    assert_eq!((alarm.voter, alarm.index), (first, honest.index));
    assert_eq!((alarm.theirs, alarm.ours), (broken.state, honest.state));
    assert_eq!(fuzhou.report(&honest).alarm, None);

    // Nobody else can stop the group by a false hash.
    assert_eq!(fuzhou.report_signed_by(&broken, stranger()).alarm, None);
    assert_eq!(
        fuzhou.report_signed_by(&broken, voter_key(second)).alarm,
        None
    );
    let elsewhere = VoterReport {
        group: City::empty(PUTIAN).group(),
        ..broken
    };
    assert_eq!(fuzhou.report(&elsewhere).alarm, None);
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
