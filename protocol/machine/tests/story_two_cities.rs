//! A case collected in Fuzhou whose authority is Weinan, from the window to the document.

use tongban_machine::{
    DocumentList, DocumentStage, Effect, Standpoint, cases_with_document, effects, form_of,
    issued_document,
};
use tongban_types::{CaseState, Code, CommandBody, Decision, ItemTerms, ItemVersion, sha256};

use crate::common::prelude::*;

#[test]
fn a_case_goes_from_the_window_in_fuzhou_to_a_document_of_weinan() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let (reviewer, checker) = (officer(WEINAN, REVIEWER), officer(WEINAN, CHECKER));

    let number = in_transit(&mut fuzhou, &weinan);
    assert_eq!(fuzhou.case(number).standpoint, Standpoint::Owner);
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(weinan.case(number).standpoint, Standpoint::Owner);
    assert_eq!(fuzhou.case(number).standpoint, Standpoint::Mirror);
    assert_eq!(fuzhou.state(number), CaseState::Received);

    weinan
        .act(&reviewer, ask_correction(&weinan, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::CorrectionAsked);
    fuzhou
        .act(&clerk(FUZHOU), correct(&fuzhou, number))
        .unwrap();
    assert_ne!(
        form_of(&fuzhou.view, number),
        Some(sealed_form_after_correction()),
        "a correction is effective where the owner commits it"
    );
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(weinan.state(number), CaseState::Corrected);
    assert_eq!(
        form_of(&weinan.view, number),
        Some(sealed_form_after_correction())
    );

    for body in [accept, review] {
        let body = body(&weinan, number);
        weinan.act(&reviewer, body).unwrap();
    }
    let body = decide(&weinan, number, Decision::Grant);
    weinan.act(&checker, body).unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::Granted);

    assert_eq!(owed(&weinan), [Effect::PrepareDocument(number)]);
    let lease = leased(&mut weinan);
    weinan
        .act(&system(WEINAN), prepare(&weinan, number, lease))
        .unwrap();
    assert_eq!(owed(&weinan), [Effect::IssueDocument(number)]);
    weinan
        .act(&system(WEINAN), issue(&weinan, number, lease))
        .unwrap();
    assert_eq!(owed(&weinan), []);
    carry_all(&mut fuzhou, &mut weinan);
    assert!(matches!(
        fuzhou.case(number).document,
        DocumentStage::Issued { .. }
    ));

    fuzhou
        .act(&clerk(FUZHOU), deliver(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
    assert_eq!(weinan.state(number), CaseState::Delivered);
    assert_eq!(
        fuzhou.case(number).decision.unwrap().by,
        checker,
        "the mirror knows who decided"
    );
    assert_eq!(
        issued_document(&fuzhou.view, number),
        issued_document(&weinan.view, number)
    );
}

#[test]
fn both_cities_tell_the_same_story_of_a_case() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = granted(&mut fuzhou, &mut weinan);
    let lease = leased(&mut weinan);
    weinan
        .act(&system(WEINAN), prepare(&weinan, number, lease))
        .unwrap();
    weinan
        .act(&system(WEINAN), issue(&weinan, number, lease))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    let told = |city: &City| -> Vec<_> {
        let steps = city.steps(number).into_iter();
        steps
            .map(|step| (step.state, step.at, step.actor))
            .collect()
    };
    let intake_only = 2;
    assert_eq!(told(&fuzhou)[intake_only..], told(&weinan));
}

#[test]
fn the_opinion_of_a_reviewer_stays_with_the_authority() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    let words = |city: &City| city.steps(number).pop().unwrap().words;
    assert!(words(&weinan).is_some());
    assert_eq!(words(&fuzhou), None);
}

#[test]
fn a_refusal_to_accept_reaches_the_window_with_its_reasons() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let body = refuse_to_accept(&weinan, number);
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
    assert_eq!(fuzhou.state(number), CaseState::NotAccepted);
    let last = fuzhou.steps(number).pop().unwrap();
    assert_eq!(last.words, weinan.steps(number).pop().unwrap().words);
    assert!(last.words.is_some());

    fuzhou
        .act(&clerk(FUZHOU), deliver(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
    assert_eq!(fuzhou.state(number), CaseState::Delivered);
}

#[test]
fn a_refused_permit_owes_no_document_and_is_delivered() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    let body = decide(&weinan, number, Decision::Refuse);
    weinan.act(&officer(WEINAN, CHECKER), body).unwrap();
    assert_eq!(owed(&weinan), []);
    carry_all(&mut fuzhou, &mut weinan);
    fuzhou
        .act(&clerk(FUZHOU), deliver(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
}

#[test]
fn a_correction_taken_at_the_authority_is_told_to_the_window() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let body = ask_correction(&weinan, number);
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
    weinan
        .act(&clerk(WEINAN), correct(&weinan, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
    assert_eq!(fuzhou.state(number), CaseState::Corrected);
    assert_eq!(
        form_of(&fuzhou.view, number),
        None,
        "rather none than one that was corrected"
    );
}

#[test]
fn an_item_the_authority_does_not_know_comes_back_to_the_clerk() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let newest = ItemTerms {
        item: ItemVersion {
            version: 2,
            ..migration_item().item
        },
        ..migration_item()
    };
    let body = CommandBody::InstallItem(newest.clone());
    fuzhou.act(&operator(FUZHOU), body.clone()).unwrap();
    let now = fuzhou.time();
    let order = application_for(&mut fuzhou, WEINAN, &newest, now);
    let number = collect(&mut fuzhou, order);
    carry_all(&mut fuzhou, &mut weinan);
    let case = fuzhou.case(number);
    assert_eq!(
        (case.state, case.standpoint),
        (CaseState::Collected, Standpoint::Owner)
    );
    assert_eq!(case.transfer_refused, Some(Code::UNKNOWN_ITEM));

    weinan.act(&operator(WEINAN), body).unwrap();
    fuzhou
        .act(&clerk(FUZHOU), transfer(&fuzhou, number))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
    assert_agree(&fuzhou, &weinan, number);
    assert_eq!(fuzhou.case(number).transfer_refused, None);
}

#[test]
fn two_texts_of_one_item_are_found_out_by_the_authority() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let terms = |text: &[u8]| ItemTerms {
        item: ItemVersion {
            version: 2,
            ..migration_item().item
        },
        file: sha256(text),
        ..migration_item()
    };
    let (ours, theirs) = (terms(b"one text"), terms(b"another"));
    let body = CommandBody::InstallItem(ours.clone());
    fuzhou.act(&operator(FUZHOU), body).unwrap();
    let body = CommandBody::InstallItem(theirs);
    weinan.act(&operator(WEINAN), body).unwrap();
    let now = fuzhou.time();
    let order = application_for(&mut fuzhou, WEINAN, &ours, now);
    let number = collect(&mut fuzhou, order);
    carry_all(&mut fuzhou, &mut weinan);
    let case = fuzhou.case(number);
    assert_eq!(case.state, CaseState::Collected);
    assert_eq!(case.transfer_refused, Some(Code::ITEM_DIFFERS));
}

#[test]
fn both_cities_can_be_intake_and_authority_of_each_other_at_once() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let there = received(&mut fuzhou, &mut weinan);
    let here = received(&mut weinan, &mut fuzhou);
    assert_eq!(fuzhou.case(there).standpoint, Standpoint::Mirror);
    assert_eq!(fuzhou.case(here).standpoint, Standpoint::Owner);
}

fn owed(city: &City) -> Vec<Effect> {
    effects(&city.view, None, 100).collect()
}

#[test]
fn documents_are_listed_from_lists_of_their_own_whatever_else_a_group_holds() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let issued = granted(&mut fuzhou, &mut weinan);
    let lease = leased(&mut weinan);
    for body in [prepare, issue] {
        let body = body(&weinan, issued, lease);
        weinan.act(&system(WEINAN), body).unwrap();
    }
    received(&mut fuzhou, &mut weinan);
    let owed = granted(&mut fuzhou, &mut weinan);
    assert!(issued < owed);
    let listed = |city: &City, list, from, limit| {
        let listing = cases_with_document(&city.view, list, from, limit);
        let numbers = listing.cases.iter().map(|case| case.envelope.number);
        (numbers.collect::<Vec<_>>(), listing.next)
    };
    let of = |city: &City, list| listed(city, list, None, 10).0;
    assert_eq!(of(&weinan, None), [issued, owed]);
    assert_eq!(of(&weinan, Some(DocumentList::Issued)), [issued]);
    assert_eq!(of(&weinan, Some(DocumentList::Pending)), [owed]);
    assert_eq!(
        of(&fuzhou, None),
        [issued],
        "what is to come is the owner's to know"
    );
    assert_eq!(listed(&weinan, None, None, 1), (vec![issued], Some(owed)));
    assert_eq!(listed(&weinan, None, Some(owed), 1), (vec![owed], None));
}
