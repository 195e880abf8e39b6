//! A case whose authority is the city that collected it, and the rules of acceptance and decision.

use tongban_machine::{DocumentStage, Refusal, Standpoint, load_case, unanswered};
use tongban_types::{CaseNumber, CaseState, CommandBody, Decide, Decision};

use crate::common::prelude::*;

/// A received case of Fuzhou's own.
fn own_case(fuzhou: &mut City) -> CaseNumber {
    let now = fuzhou.time();
    let order = application_for(fuzhou, FUZHOU, &local_item(), now);
    collect(fuzhou, order)
}

#[test]
fn a_local_case_is_received_at_once_and_needs_no_parcel() {
    let mut fuzhou = City::open(FUZHOU);
    let number = own_case(&mut fuzhou);
    assert_eq!(fuzhou.state(number), CaseState::Received);
    let first = officer(FUZHOU, REVIEWER);
    fuzhou.act(&first, accept(&fuzhou, number)).unwrap();
    fuzhou.act(&first, review(&fuzhou, number)).unwrap();
    let body = decide(&fuzhou, number, Decision::Grant);
    fuzhou.act(&officer(FUZHOU, CHECKER), body).unwrap();
    assert_eq!(
        fuzhou.case(number).document,
        DocumentStage::None,
        "the item has none"
    );
    fuzhou
        .act(&clerk(FUZHOU), deliver(&fuzhou, number))
        .unwrap();
    assert_eq!(fuzhou.state(number), CaseState::Delivered);
    assert_eq!(fuzhou.case(number).standpoint, Standpoint::Owner);
    assert_eq!(unanswered(&fuzhou.view, None, 10), []);
}

/// A city whose group has its registry, its catalogue and the time, but no calendar yet.
fn without_calendar(code: u32) -> City {
    let mut city = City::empty(code);
    city.enter_registry(Federation::get().file.clone()).unwrap();
    for item in [local_item(), migration_item()] {
        city.act(&operator(code), CommandBody::InstallItem(item))
            .unwrap();
    }
    city.set_time(monday_morning());
    city
}

#[test]
fn what_is_refused_half_way_leaves_nothing_behind() {
    let mut fuzhou = without_calendar(FUZHOU);
    let now = fuzhou.time();
    let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
    let (number, before) = (order.envelope.number, fuzhou.view.clone());
    let body = CommandBody::Collect(Box::new(order));
    assert_eq!(
        fuzhou.act(&clerk(FUZHOU), body.clone()),
        Err(Refusal::NoCalendar)
    );
    assert_eq!(load_case(&fuzhou.view, number), None);
    assert_eq!(fuzhou.view.0.len(), before.0.len(), "not a key more");
    let calendar = Federation::get().calendar.clone();
    fuzhou
        .act(&operator(FUZHOU), CommandBody::InstallCalendar(calendar))
        .unwrap();
    fuzhou.act(&clerk(FUZHOU), body).unwrap();
}

#[test]
fn a_packet_that_comes_before_the_calendar_is_not_answered_and_comes_again() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), without_calendar(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let packet = certify(&fuzhou, packets_for(&fuzhou, weinan.group())[0]);
    let before = weinan.view.0.len();
    assert_eq!(enter_parcel(&mut weinan, &packet), Err(Refusal::NoCalendar));
    assert_eq!(weinan.view.0.len(), before, "not a key more");
    let calendar = Federation::get().calendar.clone();
    weinan
        .act(&operator(WEINAN), CommandBody::InstallCalendar(calendar))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::Received);
}

#[test]
fn an_incomplete_package_waits_at_the_window_until_it_is_handed_over() {
    let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let mut order = application(&mut fuzhou, WEINAN);
    order.hand_over = false;
    let number = collect(&mut fuzhou, order);
    assert_eq!(fuzhou.state(number), CaseState::Collected);
    assert!(packets_for(&fuzhou, weinan.group()).is_empty());
    fuzhou
        .act(&clerk(FUZHOU), transfer(&fuzhou, number))
        .unwrap();
    assert_eq!(fuzhou.state(number), CaseState::InTransit);
    assert_eq!(packets_for(&fuzhou, weinan.group()).len(), 1);
}

#[test]
fn acceptance_starts_both_clocks_and_does_not_count_its_own_day() {
    let mut fuzhou = City::open(FUZHOU);
    let number = own_case(&mut fuzhou);
    fuzhou
        .act(&officer(FUZHOU, REVIEWER), accept(&fuzhou, number))
        .unwrap();
    let case = fuzhou.case(number);
    let day = |due: Option<tongban_types::DueTime>| due.unwrap().at.china_day().to_string();
    assert_eq!(
        day(case.promise_due),
        "2026-03-16",
        "ten working days after Monday 2 March"
    );
    assert_eq!(day(case.statutory_due), "2026-03-30", "twenty working days");
    assert_eq!(case.notice_due, None);
}

#[test]
fn the_reviewer_of_a_case_may_not_decide_it() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    let body = decide(&weinan, number, Decision::Grant);
    let refused = weinan.act(&officer(WEINAN, REVIEWER), body.clone());
    assert_eq!(refused, Err(Refusal::ReviewerMayNotDecide));
    assert_eq!(weinan.state(number), CaseState::InReview);
    weinan.act(&officer(WEINAN, CHECKER), body).unwrap();
}

#[test]
fn a_refusal_names_its_reasons() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    let silent = |decision| {
        CommandBody::Decide(Decide {
            on: on(&weinan, number),
            decision,
            reason: None,
        })
    };
    let (refuse, grant) = (silent(Decision::Refuse), silent(Decision::Grant));
    let checker = officer(WEINAN, CHECKER);
    assert_eq!(weinan.act(&checker, refuse), Err(Refusal::ReasonMissing));
    weinan.act(&checker, grant).unwrap();
}

#[test]
fn the_notice_of_corrections_is_given_once() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let reviewer = officer(WEINAN, REVIEWER);
    weinan
        .act(&reviewer, ask_correction(&weinan, number))
        .unwrap();
    assert_eq!(weinan.case(number).notice_due, None, "its clock stops");
    carry_all(&mut fuzhou, &mut weinan);
    fuzhou
        .act(&clerk(FUZHOU), correct(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    let again = weinan.act(&reviewer, ask_correction(&weinan, number));
    assert_eq!(again, Err(Refusal::NoticeAlreadyGiven));
    let body = refuse_to_accept(&weinan, number);
    weinan.act(&reviewer, body).unwrap();
}

#[test]
fn a_result_is_not_handed_over_before_its_document() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = granted(&mut fuzhou, &mut weinan);
    let refused = weinan.act(&clerk(WEINAN), deliver(&weinan, number));
    assert_eq!(refused, Err(Refusal::DocumentPending));
    // The window does not know how far the document is; the owner answers for it.
    fuzhou
        .act(&clerk(FUZHOU), deliver(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    let case = fuzhou.case(number);
    assert_eq!(case.request_refused, Some(Refusal::DocumentPending.code()));
    assert_eq!((case.pending, case.state), (None, CaseState::Granted));
}

#[test]
fn only_the_authority_decides() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let ours = officer(FUZHOU, REVIEWER);
    for body in [accept, refuse_to_accept, ask_correction, review] {
        let body = body(&fuzhou, number);
        assert_eq!(fuzhou.act(&ours, body), Err(Refusal::NotTheAuthority));
    }
    let body = transfer(&fuzhou, number);
    assert_eq!(fuzhou.act(&clerk(FUZHOU), body), Err(Refusal::NotOwner));
}
