//! 撤回: the applicant may withdraw until the decision; the first committed wins.

use tongban_machine::{ParcelFate, Refusal, Request, Standpoint};
use tongban_types::{CaseState, Code, Decision, limits};

use crate::common::prelude::*;

#[test]
fn before_the_transfer_the_window_withdraws_by_itself() {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = application(&mut fuzhou, WEINAN);
    order.hand_over = false;
    let number = collect(&mut fuzhou, order);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    assert_eq!(fuzhou.state(number), CaseState::Withdrawn);
    let again = fuzhou.act(&clerk(FUZHOU), withdraw(&fuzhou, number));
    assert_eq!(again, Err(Refusal::AlreadyDecided));
}

#[test]
fn in_transit_it_follows_the_case_and_is_effective_at_the_owner() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    assert_eq!(
        fuzhou.state(number),
        CaseState::InTransit,
        "only the owner withdraws"
    );
    assert_eq!(fuzhou.case(number).pending, Some(Request::Withdrawal));
    let again = fuzhou.act(&clerk(FUZHOU), withdraw(&fuzhou, number));
    assert_eq!(again, Err(Refusal::RequestPending));
    carry_all(&mut fuzhou, &mut weinan);
    for city in [&fuzhou, &weinan] {
        assert_eq!(city.state(number), CaseState::Withdrawn);
    }
    assert_eq!(fuzhou.case(number).pending, None);
}

#[test]
fn after_the_decision_it_comes_back_refused() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    let body = decide(&weinan, number, Decision::Grant);
    weinan.act(&officer(WEINAN, CHECKER), body).unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    let case = fuzhou.case(number);
    assert_eq!((case.state, case.pending), (CaseState::Granted, None));
    assert_eq!(case.request_refused, Some(Code::ALREADY_DECIDED));
    let late = fuzhou.act(&clerk(FUZHOU), withdraw(&fuzhou, number));
    assert_eq!(late, Err(Refusal::AlreadyDecided));
}

#[test]
fn before_the_decision_it_wins_over_the_checker() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    let seen = decide(&weinan, number, Decision::Grant);
    carry(&mut fuzhou, &mut weinan);
    let late = weinan.act(&officer(WEINAN, CHECKER), seen);
    assert!(matches!(late, Err(Refusal::StaleVersion { .. })));
    let body = decide(&weinan, number, Decision::Grant);
    let late = weinan.act(&officer(WEINAN, CHECKER), body);
    assert_eq!(late, Err(Refusal::WrongState(CaseState::Withdrawn)));
}

#[test]
fn one_asked_of_an_owner_that_never_was_is_effective_at_the_window() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    let packets = packets_for(&fuzhou, weinan.group());
    let [transfer, request] = packets[..] else {
        panic!("a transfer and a withdrawal wait: {packets:?}");
    };
    weinan.pass_ms(limits::PACKET_LIFE_MS + 1);
    let mut answers = Vec::new();
    for packet in [transfer, request] {
        let fate = enter_parcel(&mut weinan, &certify(&fuzhou, packet)).unwrap();
        answers.push(answer_of(&fate));
    }
    let early = enter_parcel(&mut fuzhou, &certify(&weinan, answers[1]));
    assert!(
        matches!(
            early,
            Err(Refusal::OutOfOrder {
                expected: 0,
                got: 1
            })
        ),
        "what became of the transfer is known first: {early:?}"
    );
    assert_eq!(
        take_answer(&weinan, answers[0], &mut fuzhou),
        ParcelFate::Settled
    );
    let case = fuzhou.case(number);
    assert_eq!(
        (case.state, case.standpoint),
        (CaseState::Withdrawn, Standpoint::Owner)
    );
    assert_eq!(case.pending, None);
    assert_eq!(
        take_answer(&weinan, answers[1], &mut fuzhou),
        ParcelFate::Settled
    );
    assert_eq!(fuzhou.case(number), case, "the late answer changes nothing");
    assert_eq!(carry(&mut fuzhou, &mut weinan), 0, "nothing is left to say");
}

#[test]
fn the_authority_too_may_take_it_and_tells_the_window() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    weinan
        .act(&clerk(WEINAN), withdraw(&weinan, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::Withdrawn);
    assert_eq!(fuzhou.case(number).standpoint, Standpoint::Mirror);
}
