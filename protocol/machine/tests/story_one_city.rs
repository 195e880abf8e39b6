//! A case whose authority is the city that collected it, and the rules of acceptance and decision.

use tongban_machine::{DocumentStage, Refusal, Standpoint, unanswered};
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
