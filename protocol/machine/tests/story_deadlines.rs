//! What the law makes of time as a group knows it.

use tongban_machine::{Refusal, cases_in_state, next_deadline, next_notice};
use tongban_types::{
    Calendar, CalendarYear, CaseNumber, CaseState, CivilDay, CommandBody, DAY_MS, DueTime, Hash,
    Holiday, Packet, PacketBody, Parcel, SealedUse, Timestamp, limits,
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
    assert_eq!(next_notice(&weinan.view), Some(last_moment()));
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
    assert_eq!(next_notice(&weinan.view), None);
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
