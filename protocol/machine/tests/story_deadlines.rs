//! Time as the group knows it, and what the law makes of it.

use tongban_machine::{Comparison, Refusal, cases_in_state, next_deadline};
use tongban_types::{
    Calendar, CalendarYear, CaseNumber, CaseState, CivilDay, CommandBody, DAY_MS, DueTime, Entry,
    Hash, Holiday, Packet, PacketBody, Parcel, SealedUse, Timestamp, VoterReport, encode, limits,
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
    assert_eq!(
        accepted.at, case.envelope.collected_at,
        "from the day of receipt"
    );
    assert_eq!(
        due_day(case.promise_due),
        "2026-03-16",
        "ten days after 2 March"
    );
    assert_eq!(due_day(case.statutory_due), "2026-03-30");
    let step = weinan.steps(number).pop().unwrap();
    assert_eq!(step.at, accepted.at);
    assert_eq!(step.committed_at, weinan.time(), "silence made it so now");
    assert_eq!(next_deadline(&weinan.view), None);
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
}

fn due_day(due: Option<DueTime>) -> String {
    due.unwrap().at.china_day().to_string()
}

/// An application the desk of Fuzhou took in at a moment and brings to its group now.
fn kept_at_the_desk(fuzhou: &mut City, authority: u32, at: Timestamp) -> CaseNumber {
    let order = application_for(fuzhou, authority, &migration_item(), at);
    let number = order.envelope.number;
    let mut command = fuzhou.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)));
    command.at = at;
    let entered = fuzhou.submit(&[command]).remove(0);
    entered.expect("a desk kept it while it was cut off");
    number
}

#[test]
fn a_package_that_arrives_late_is_answered_within_a_working_day_or_accepted_and_backdated() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let collected_at = fuzhou.time();
    // To Friday the 13th: the next working day is Monday.
    fuzhou.pass_ms(11 * DAY_MS);
    weinan.pass_ms(11 * DAY_MS);
    let number = kept_at_the_desk(&mut fuzhou, WEINAN, collected_at);
    carry_all(&mut fuzhou, &mut weinan);
    let case = weinan.case(number);
    assert_eq!(
        case.state,
        CaseState::Received,
        "nobody at work has seen it yet"
    );
    assert_eq!(due_day(case.notice_due), "2026-03-16");
    assert_agree(&fuzhou, &weinan, number);
    weinan.set_time(case.notice_due.unwrap().at.plus_ms(1));
    let case = weinan.case(number);
    assert_eq!(case.state, CaseState::Accepted);
    assert_eq!(
        case.accepted.unwrap().at,
        collected_at,
        "the citizen loses no day"
    );
    assert_eq!(due_day(case.promise_due), "2026-03-16");
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
}

#[test]
fn a_late_package_can_still_be_refused_on_that_day() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let collected_at = fuzhou.time();
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(25 * DAY_MS);
    }
    let number = kept_at_the_desk(&mut fuzhou, WEINAN, collected_at);
    carry_all(&mut fuzhou, &mut weinan);
    let body = refuse_to_accept(&weinan, number);
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
}

#[test]
fn a_package_from_the_future_waits_until_our_time_has_come() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    fuzhou.pass_ms(DAY_MS);
    let number = in_transit(&mut fuzhou, &weinan);
    let packet = certify(&fuzhou, packets_for(&fuzhou, weinan.group())[0]);
    let (at, group_time) = (fuzhou.time(), weinan.time());
    let early = enter_parcel(&mut weinan, &packet);
    assert_eq!(
        early,
        Err(Refusal::Skewed { at, group_time }),
        "not answered"
    );
    weinan.set_time(at.plus_ms(-limits::SKEW_MS_MAX));
    enter_parcel(&mut weinan, &packet).unwrap();
    assert_eq!(weinan.state(number), CaseState::Received);
}

#[test]
fn silence_counts_from_collecting_where_the_city_itself_is_the_authority() {
    let mut fuzhou = City::open(FUZHOU);
    let now = fuzhou.time();
    let mut order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
    order.hand_over = false;
    let number = collect(&mut fuzhou, order);
    assert_eq!(fuzhou.case(number).notice_due.unwrap().at, last_moment());
    fuzhou.set_time(last_moment().plus_ms(1));
    let case = fuzhou.case(number);
    assert_eq!(case.state, CaseState::Accepted);
    assert_eq!(case.accepted.unwrap().at, now);
    assert_eq!(case.received_at, Some(now));
}

#[test]
fn what_was_not_handed_over_yet_is_shown_as_due_and_accepted_by_nobody() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let now = fuzhou.time();
    let mut order = application_for(&mut fuzhou, WEINAN, &migration_item(), now);
    order.hand_over = false;
    let collected = collect(&mut fuzhou, order);
    let on_its_way = in_transit(&mut fuzhou, &weinan);
    for number in [collected, on_its_way] {
        assert_eq!(fuzhou.case(number).notice_due.unwrap().at, last_moment());
    }
    for city in [&mut fuzhou, &mut weinan] {
        city.set_time(now.plus_ms(2 * DAY_MS));
    }
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, on_its_way);
    fuzhou.set_time(last_moment().plus_ms(1));
    assert_eq!(fuzhou.state(collected), CaseState::Collected);
    assert_eq!(fuzhou.state(on_its_way), CaseState::Received);
    assert_eq!(next_deadline(&fuzhou.view), None);
}

#[test]
fn a_correction_counts_from_the_day_it_was_handed_in() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let body = ask_correction(&weinan, number);
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(DAY_MS);
    }
    let corrected_at = fuzhou.time();
    fuzhou
        .act(&clerk(FUZHOU), correct(&fuzhou, number))
        .unwrap();
    // It travels from Tuesday to Thursday.
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(2 * DAY_MS);
    }
    carry_all(&mut fuzhou, &mut weinan);
    let case = weinan.case(number);
    assert_eq!(case.notice_from, corrected_at);
    assert_eq!(due_day(case.notice_due), "2026-03-10");
    weinan.set_time(case.notice_due.unwrap().at.plus_ms(1));
    assert_eq!(weinan.case(number).accepted.unwrap().at, corrected_at);
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
}

#[test]
fn a_correction_is_not_older_than_its_notice_nor_from_the_future() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    for (lie, expected) in [(-100 * DAY_MS, 0), (100 * DAY_MS, DAY_MS)] {
        let number = received(&mut fuzhou, &mut weinan);
        let body = ask_correction(&weinan, number);
        weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
        let asked_at = weinan.time();
        carry_all(&mut fuzhou, &mut weinan);
        for city in [&mut fuzhou, &mut weinan] {
            city.pass_ms(DAY_MS);
        }
        let packet = Packet {
            from: fuzhou.group(),
            to: weinan.group(),
            case: number,
            sequence: 1,
            deadline: weinan.time(),
            body: PacketBody::Correction {
                form: sealed(SealedUse::Form, "corrected"),
                form_hash: Hash([4; 32]),
                at: asked_at.plus_ms(lie),
                actor: clerk(FUZHOU),
            },
        };
        let packet = forged(&fuzhou, &[Parcel::Packet(Box::new(packet))]);
        enter_parcel(&mut weinan, &packet).unwrap();
        let from = weinan.case(number).notice_from;
        assert_eq!(from, asked_at.plus_ms(expected));
    }
}

/// Tuesday 29 December 2026, in the last published year.
fn at_the_end_of_the_year(city: &mut City) {
    let day = CivilDay::from_ymd(2026, 12, 29).unwrap();
    city.set_time(day.first_ms().plus_ms(9 * 3_600_000));
}

/// The calendar with 2027, of which New Year's Day and Monday 4 January are free.
fn next_calendar() -> CommandBody {
    let mut years = Federation::get().calendar.years().to_vec();
    let holiday = Holiday {
        name: "元旦".to_owned(),
        first: CivilDay::from_ymd(2027, 1, 1).unwrap(),
        last: CivilDay::from_ymd(2027, 1, 4).unwrap(),
    };
    years.push(CalendarYear {
        year: 2027,
        notice: "通知".to_owned(),
        holidays: vec![holiday],
        make_up_workdays: Vec::new(),
    });
    CommandBody::InstallCalendar(Calendar::new(2, years).unwrap())
}

#[test]
fn a_provisional_day_accepts_nothing_until_the_next_calendar_makes_it_firm() {
    let mut fuzhou = City::open(FUZHOU);
    at_the_end_of_the_year(&mut fuzhou);
    let now = fuzhou.time();
    let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
    let number = collect(&mut fuzhou, order);
    let due = fuzhou.case(number).notice_due.unwrap();
    assert!(due.provisional);
    fuzhou.set_time(due.at.plus_ms(1));
    assert_eq!(fuzhou.state(number), CaseState::Received, "not firm yet");
    fuzhou.act(&operator(FUZHOU), next_calendar()).unwrap();
    let due = fuzhou.case(number).notice_due;
    assert_eq!(due_day(due), "2027-01-07");
    assert_eq!(
        (due.unwrap().provisional, due.unwrap().calendar),
        (false, 2)
    );
    fuzhou.set_time(due.unwrap().at.plus_ms(1));
    let case = fuzhou.case(number);
    assert_eq!(case.accepted.unwrap().at, now);
    assert_eq!(due_day(case.promise_due), "2027-01-14");
    assert!(!case.promise_due.unwrap().provisional);
}

#[test]
fn a_day_that_was_over_when_its_calendar_came_is_over_at_once() {
    let mut fuzhou = City::open(FUZHOU);
    at_the_end_of_the_year(&mut fuzhou);
    let now = fuzhou.time();
    let numbers: Vec<_> = (0..=limits::RECKONED_PER_ENTRY_MAX)
        .map(|_| {
            let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
            collect(&mut fuzhou, order)
        })
        .collect();
    fuzhou.pass_ms(30 * DAY_MS);
    let last = *numbers.last().unwrap();
    let calendar = fuzhou.command(&operator(FUZHOU), next_calendar());
    let body = accept(&fuzhou, last);
    let late = fuzhou.command(&officer(FUZHOU, REVIEWER), body);
    let results = fuzhou.submit(&[calendar, late]);
    assert_eq!(
        results[1],
        Err(Refusal::NoticeTooLate),
        "by the calendar in force, not by the one it was reckoned by"
    );
    assert_eq!(
        fuzhou.state(last),
        CaseState::Received,
        "one entry reckons a bounded number"
    );
    fuzhou.apply(b"any entry".to_vec());
    for number in numbers {
        assert_eq!(fuzhou.case(number).accepted.unwrap().at, now);
    }
}

#[test]
fn promised_days_become_firm_in_both_cities() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    for city in [&mut fuzhou, &mut weinan] {
        at_the_end_of_the_year(city);
    }
    let number = received(&mut fuzhou, &mut weinan);
    weinan
        .act(&officer(WEINAN, REVIEWER), accept(&weinan, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert!(fuzhou.case(number).promise_due.unwrap().provisional);
    weinan.act(&operator(WEINAN), next_calendar()).unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
    let case = fuzhou.case(number);
    assert_eq!(due_day(case.promise_due), "2027-01-14");
    assert_eq!(due_day(case.statutory_due), "2027-01-28");
    for due in [case.promise_due, case.statutory_due] {
        assert!(!due.unwrap().provisional);
    }
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
