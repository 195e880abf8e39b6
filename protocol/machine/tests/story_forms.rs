//! Forms, the largest thing a case has: kept once wherever they came from, and always the last one.

use tongban_machine::{ParcelFate, form_of};
use tongban_types::{CaseNumber, CaseState, Code, Parcel, Sealed, decode, limits};

use crate::common::prelude::*;
use crate::story_parcels::only_packet;

/// Values of a state in which a form stands.
fn places_of(city: &City, form: &Sealed) -> usize {
    let text = &form.ciphertext;
    let holds = |value: &&Vec<u8>| value.windows(text.len()).any(|piece| piece == text);
    city.view.0.values().filter(holds).count()
}

fn assert_kept_once(city: &City, case: CaseNumber, form: &Sealed) {
    assert_eq!(form_of(&city.view, case).as_ref(), Some(form));
    assert_eq!(places_of(city, form), 1);
}

#[test]
fn a_form_that_comes_in_a_packet_is_kept_once() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let form = form_of(&fuzhou.view, number).unwrap();
    assert_eq!(places_of(&fuzhou, &form), 2, "the packet waits");
    carry_all(&mut fuzhou, &mut weinan);
    assert_kept_once(&fuzhou, number, &form);
    assert_kept_once(&weinan, number, &form);
}

#[test]
fn a_form_is_found_in_the_packet_that_was_entered_and_not_in_one_passed_over() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let form = form_of(&fuzhou.view, number).unwrap();
    let late = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(limits::PACKET_LIFE_MS + 1);
    }
    let fate = enter_parcel(&mut weinan, &late).unwrap();
    assert_eq!(form_of(&weinan.view, number), None);
    take_answer(&weinan, answer_of(&fate), &mut fuzhou);
    carry_all(&mut fuzhou, &mut weinan);
    assert_kept_once(&weinan, number, &form);
}

#[test]
fn a_form_stays_where_a_second_packet_contests_the_one_that_brought_it() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let form = form_of(&fuzhou.view, number).unwrap();
    let sent = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    let Ok(Parcel::Packet(mut other)) = decode(&sent.parcels[0].bytes) else {
        panic!("a packet is a parcel");
    };
    enter_parcel(&mut weinan, &sent).unwrap();
    other.deadline = other.deadline.plus_ms(1);
    let other = forged(&fuzhou, &[Parcel::Packet(other)]);
    let fate = enter_parcel(&mut weinan, &other);
    assert_eq!(fate, Ok(ParcelFate::NotEntered(Code::EQUIVOCATION)));
    assert_eq!(form_of(&weinan.view, number), Some(form));
}

#[test]
fn a_corrected_form_takes_the_place_of_the_first_wherever_it_was_handed_in() {
    let at_the_window: fn(&mut City, &mut City, CaseNumber) = |fuzhou, _, number| {
        let body = correct(fuzhou, number);
        fuzhou.act(&clerk(FUZHOU), body).unwrap();
    };
    let at_the_authority: fn(&mut City, &mut City, CaseNumber) = |_, weinan, number| {
        let body = correct(weinan, number);
        weinan.act(&clerk(WEINAN), body).unwrap();
    };
    for hand_in in [at_the_window, at_the_authority] {
        let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
        let number = received(&mut fuzhou, &mut weinan);
        let body = ask_correction(&weinan, number);
        weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
        carry_all(&mut fuzhou, &mut weinan);
        hand_in(&mut fuzhou, &mut weinan, number);
        carry_all(&mut fuzhou, &mut weinan);
        assert_eq!(weinan.state(number), CaseState::Corrected);
        assert_kept_once(&weinan, number, &sealed_form_after_correction());
    }
}
