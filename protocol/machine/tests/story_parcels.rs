//! Packets and their answers, on a road that loses, repeats and reorders.

use tongban_machine::{
    ParcelFate, Refusal, Reply, Standpoint, Unsignable, answer_given, ground, is_awaited,
    is_of_parcels, next_deadline, next_notice, parcel_batch, parcel_bytes, received_certificate,
};
use tongban_types::{
    CaseState, Code, CommandBody, DAY_MS, Decision, Entry, GroupId, Packet, PacketBody, Parcel,
    Sealed, decode, encode, limits,
};

use crate::common::prelude::*;

/// The one packet that waits between two cities.
pub(crate) fn only_packet(from: &City, to: &City) -> u64 {
    let packets = packets_for(from, to.group());
    assert_eq!(packets.len(), 1);
    packets[0]
}

#[test]
fn a_replica_knows_what_was_taken_in_and_what_still_waits_without_an_entry() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let packet = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    assert!(is_of_parcels(&encode(&Entry::Parcels(packet.clone()))));
    assert!(!is_of_parcels(&encode(&Entry::Registry(Vec::new()))));
    assert_eq!(answer_given(&weinan.view, &packet.parcels[0]), None);
    let answer = answer_of(&enter_parcel(&mut weinan, &packet).unwrap());
    assert_eq!(answer_given(&weinan.view, &packet.parcels[0]), Some(answer));
    let mut other = packet.parcels[0].clone();
    let Ok(Parcel::Packet(mut changed)) = decode(&other.bytes) else {
        panic!("a packet");
    };
    changed.deadline = changed.deadline.plus_ms(1);
    other.bytes = encode(&Parcel::Packet(changed));
    assert_eq!(
        answer_given(&weinan.view, &other),
        None,
        "judged by the group"
    );

    let certified = certify(&weinan, answer);
    assert!(is_awaited(&fuzhou.view, &certified.parcels[0]));
    take_answer(&weinan, answer, &mut fuzhou);
    assert!(!is_awaited(&fuzhou.view, &certified.parcels[0]));
    assert!(
        is_awaited(&fuzhou.view, &packet.parcels[0]),
        "no answer at all"
    );
}

#[test]
fn a_packet_that_comes_again_gets_the_same_answer_and_does_nothing() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let packet = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    let first = enter_parcel(&mut weinan, &packet).unwrap();
    let answer = answer_of(&first);
    let case = weinan.case(number);
    for _ in 0..3 {
        let again = enter_parcel(&mut weinan, &packet);
        assert_eq!(again, Ok(ParcelFate::AnsweredBefore { answer }));
    }
    assert_eq!(weinan.case(number), case);
    assert_eq!(
        take_answer(&weinan, answer, &mut fuzhou),
        ParcelFate::Settled
    );
    let case = fuzhou.case(number);
    assert_eq!(
        take_answer(&weinan, answer, &mut fuzhou),
        ParcelFate::SettledBefore
    );
    assert_eq!(fuzhou.case(number), case);
}

#[test]
fn parcels_of_many_entries_travel_under_one_certificate_and_each_is_judged_by_itself() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    for _ in 0..3 {
        in_transit(&mut fuzhou, &weinan);
    }
    let packets = packets_for(&fuzhou, weinan.group());
    let delivery = certify_together(&fuzhou, &packets);
    assert_eq!(delivery.batch.count, 3);
    let entered = weinan.apply(encode(&Entry::Parcels(delivery))).results;
    let answers: Vec<u64> = entered
        .iter()
        .map(|result| match result {
            Ok(Reply::Parcel(fate)) => answer_of(fate),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ground(&weinan.view).cases, 3);

    // Two of the three, one of them twice, and a parcel that is none.
    let mut back = certify_together(&weinan, &answers[..2]);
    let first = back.parcels[0].clone();
    let mut other = first.clone();
    other.bytes.push(0);
    back.parcels.extend([first, other]);
    let settled = fuzhou.apply(encode(&Entry::Parcels(back))).results;
    let fates = [
        Ok(Reply::Parcel(ParcelFate::Settled)),
        Ok(Reply::Parcel(ParcelFate::Settled)),
        Ok(Reply::Parcel(ParcelFate::SettledBefore)),
        Err(Refusal::BadSignature),
    ];
    assert_eq!(settled, fates);
    assert_eq!(packets_for(&fuzhou, weinan.group()), packets[2..]);
}

#[test]
fn a_voter_signs_what_its_outbox_holds_and_tells_what_is_to_come_from_what_is_gone() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    for _ in 0..2 {
        in_transit(&mut fuzhou, &weinan);
    }
    let [first, second] = packets_for(&fuzhou, weinan.group())[..] else {
        panic!("two packets wait");
    };
    let signed = |city: &City, positions: &[u64]| parcel_batch(&city.view, city.group(), positions);
    let batch = signed(&fuzhou, &[first, second]).unwrap();
    assert_eq!((batch.first, batch.count), (first, 2));
    for unfit in [&[second, first][..], &[first, first], &[]] {
        assert_eq!(signed(&fuzhou, unfit), Err(Unsignable::Unfit));
    }
    let next = ground(&fuzhou.view).outbox_next;
    assert_eq!(signed(&fuzhou, &[first, next]), Err(Unsignable::Ahead));

    let answer = answer_of(&enter_parcel(&mut weinan, &certify(&fuzhou, first)).unwrap());
    take_answer(&weinan, answer, &mut fuzhou);
    assert_eq!(parcel_bytes(&fuzhou.view, first), None);
    assert_eq!(signed(&fuzhou, &[first, second]), Err(Unsignable::Gone));
    assert_eq!(signed(&fuzhou, &[second]).unwrap().count, 1);
    // An answer is given again for as long as its case is kept.
    assert!(signed(&weinan, &[answer]).is_ok());
}

#[test]
fn packets_of_a_case_are_entered_in_their_order_only() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    let packets = packets_for(&fuzhou, weinan.group());
    let early = enter_parcel(&mut weinan, &certify(&fuzhou, packets[1]));
    assert_eq!(
        early,
        Err(Refusal::OutOfOrder {
            expected: 0,
            got: 1
        })
    );
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::Withdrawn);
}

#[test]
fn the_order_of_one_case_does_not_hold_up_another() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let first = in_transit(&mut fuzhou, &weinan);
    let second = in_transit(&mut fuzhou, &weinan);
    let packets = packets_for(&fuzhou, weinan.group());
    enter_parcel(&mut weinan, &certify(&fuzhou, packets[1])).unwrap();
    assert_eq!(weinan.state(second), CaseState::Received);
    assert!(tongban_machine::load_case(&weinan.view, first).is_none());
}

#[test]
fn a_standing_that_overtakes_the_answer_proves_the_transfer() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let packet = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    let fate = enter_parcel(&mut weinan, &packet).unwrap();
    weinan
        .act(&officer(WEINAN, REVIEWER), accept(&weinan, number))
        .unwrap();
    carry(&mut weinan, &mut fuzhou);
    assert_eq!(fuzhou.state(number), CaseState::Accepted);
    assert_eq!(fuzhou.case(number).standpoint, Standpoint::Mirror);
    take_answer(&weinan, answer_of(&fate), &mut fuzhou);
    assert_eq!(
        fuzhou.state(number),
        CaseState::Accepted,
        "the answer does not turn it back"
    );
}

#[test]
fn a_transfer_not_received_in_time_is_sent_again_and_owned_once() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let late = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(limits::PACKET_LIFE_MS + 1);
    }
    let fate = enter_parcel(&mut weinan, &late).unwrap();
    assert!(
        tongban_machine::load_case(&weinan.view, number).is_none(),
        "passed over"
    );
    take_answer(&weinan, answer_of(&fate), &mut fuzhou);
    let case = fuzhou.case(number);
    assert_eq!((case.state, case.transfers), (CaseState::InTransit, 2));
    let again = enter_parcel(&mut weinan, &late);
    assert_eq!(
        again,
        Ok(ParcelFate::AnsweredBefore {
            answer: answer_of(&fate)
        })
    );
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(weinan.case(number).standpoint, Standpoint::Owner);
    assert_eq!(fuzhou.case(number).standpoint, Standpoint::Mirror);
}

#[test]
fn a_transfer_is_sent_again_by_itself_only_so_often() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    for _ in 0..limits::RESENDS_MAX {
        for city in [&mut fuzhou, &mut weinan] {
            city.pass_ms(limits::PACKET_LIFE_MS + 1);
        }
        carry(&mut fuzhou, &mut weinan);
    }
    let case = fuzhou.case(number);
    assert_eq!(
        (case.state, case.transfers),
        (CaseState::Collected, limits::RESENDS_MAX)
    );
    assert_eq!(
        case.transfer_refused,
        Some(Code::PACKET_NOT_RECEIVED),
        "a person must look"
    );
}

#[test]
fn a_transfer_to_a_group_whose_time_runs_ahead_comes_back_at_once() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    weinan.pass_ms(100 * DAY_MS);
    carry(&mut fuzhou, &mut weinan);
    let case = fuzhou.case(number);
    assert_eq!((case.state, case.transfers), (CaseState::Collected, 1));
    assert_eq!(case.transfer_refused, Some(Code::PACKET_NOT_RECEIVED));
}

#[test]
fn a_receiver_whose_time_runs_ahead_does_not_keep_a_pair_busy() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    weinan.pass_ms(DAY_MS);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    weinan.set_time(fuzhou.time().plus_ms(limits::PACKET_LIFE_MS + 1));
    assert_eq!(carry(&mut fuzhou, &mut weinan), 1);
    let case = fuzhou.case(number);
    assert_eq!(
        (case.pending, case.request_refused),
        (None, Some(Code::PACKET_NOT_RECEIVED))
    );
    assert_eq!(
        carry(&mut fuzhou, &mut weinan),
        0,
        "it is not said again at once"
    );
}

#[test]
fn a_request_not_received_on_a_cut_line_is_said_again() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    fuzhou
        .act(&clerk(FUZHOU), withdraw(&fuzhou, number))
        .unwrap();
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(limits::PACKET_LIFE_MS + 1);
    }
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::Withdrawn);
    assert_eq!(weinan.state(number), CaseState::Withdrawn);
}

#[test]
fn a_standing_not_received_is_made_up_for_by_how_the_case_stands_now() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_review(&mut fuzhou, &mut weinan);
    let body = decide(&weinan, number, Decision::Grant);
    weinan.act(&officer(WEINAN, CHECKER), body).unwrap();
    let lease = leased(&mut weinan);
    weinan
        .act(&system(WEINAN), prepare(&weinan, number, lease))
        .unwrap();
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(limits::PACKET_LIFE_MS + 1);
    }
    carry_all(&mut weinan, &mut fuzhou);
    assert_agree(&fuzhou, &weinan, number);
}

/// Puts texts at their bound into an act, said by somebody of the longest name.
fn at_bound(body: CommandBody) -> CommandBody {
    let full = |sealed: &mut Sealed, bytes| {
        sealed.ciphertext = vec![7; bytes + limits::SEAL_BYTES];
    };
    let mut body = body;
    match &mut body {
        CommandBody::AskCorrection(order) => full(&mut order.notice, limits::TEXT_BYTES_MAX),
        CommandBody::Correct(order) => full(&mut order.form, limits::FORM_BYTES_MAX),
        CommandBody::Review(order) => full(&mut order.opinion, limits::TEXT_BYTES_MAX),
        CommandBody::Decide(order) => {
            full(order.reason.as_mut().unwrap(), limits::TEXT_BYTES_MAX);
        }
        CommandBody::PrepareDocument(order) => {
            full(&mut order.signing_input, limits::DOCUMENT_BYTES_MAX);
        }
        CommandBody::IssueDocument(order) => {
            full(&mut order.document, limits::DOCUMENT_BYTES_MAX);
        }
        _ => {}
    }
    body
}

#[test]
fn a_mirror_that_missed_everything_is_told_everything_in_one_parcel() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let mut order = application(&mut fuzhou, WEINAN);
    order.form.ciphertext = vec![7; limits::FORM_BYTES_MAX + limits::SEAL_BYTES];
    let number = collect(&mut fuzhou, order);
    carry_all(&mut fuzhou, &mut weinan);
    let name = |first: &str| format!("{first}{}", "x".repeat(31));
    let reviewer = officer(WEINAN, &name("r"));
    let checker = officer(WEINAN, &name("c"));
    let body = at_bound(ask_correction(&weinan, number));
    weinan.act(&reviewer, body).unwrap();
    let body = at_bound(correct(&weinan, number));
    weinan.act(&clerk(WEINAN), body).unwrap();
    weinan.act(&reviewer, accept(&weinan, number)).unwrap();
    let body = at_bound(review(&weinan, number));
    weinan.act(&reviewer, body).unwrap();
    let body = at_bound(decide(&weinan, number, Decision::Grant));
    weinan.act(&checker, body).unwrap();
    let lease = leased(&mut weinan);
    for body in [prepare, issue] {
        let body = at_bound(body(&weinan, number, lease));
        weinan.act(&system(WEINAN), body).unwrap();
    }
    weinan
        .act(&clerk(WEINAN), deliver(&weinan, number))
        .unwrap();
    for city in [&mut fuzhou, &mut weinan] {
        city.pass_ms(limits::PACKET_LIFE_MS + 1);
    }
    let missed = carry(&mut weinan, &mut fuzhou);
    assert!(missed >= 7, "each act told it");
    let again = only_packet(&weinan, &fuzhou);
    let bytes = certify(&weinan, again).parcels[0].bytes.len();
    assert!(
        bytes > limits::COMMAND_BYTES_MAX,
        "more than one command brings"
    );
    assert!(bytes <= limits::PARCEL_BYTES_MAX);
    carry_all(&mut weinan, &mut fuzhou);
    assert_agree(&fuzhou, &weinan, number);
}

#[test]
fn a_standing_refused_by_a_clock_that_ran_ahead_is_told_again_later() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    fuzhou.pass_ms(limits::PACKET_LIFE_MS + 1);
    weinan
        .act(&officer(WEINAN, REVIEWER), accept(&weinan, number))
        .unwrap();
    assert_eq!(carry(&mut weinan, &mut fuzhou), 1);
    assert_eq!(fuzhou.state(number), CaseState::Received, "it missed it");
    assert!(next_deadline(&weinan.view).is_some());
    assert_eq!(next_notice(&weinan.view), None, "nobody has to act");
    let now = weinan.time();
    let order = application_for(&mut weinan, WEINAN, &local_item(), now);
    let later = collect(&mut weinan, order);
    let due = weinan.case(later).notice_due.map(|due| due.at);
    assert_eq!(next_notice(&weinan.view), due, "whatever fires before");
    weinan.pass_ms(limits::RESEND_AFTER_MS);
    assert_eq!(carry(&mut weinan, &mut fuzhou), 0, "not a moment too early");
    weinan.set_time(fuzhou.time());
    assert_eq!(carry(&mut weinan, &mut fuzhou), 1, "and then by itself");
    assert_agree(&fuzhou, &weinan, number);
    weinan.pass_ms(DAY_MS);
    assert_eq!(carry(&mut weinan, &mut fuzhou), 0, "once");
}

#[test]
fn what_is_told_next_makes_up_for_what_was_missed() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let ahead = fuzhou.time().plus_ms(limits::PACKET_LIFE_MS + 1);
    fuzhou.set_time(ahead);
    let reviewer = officer(WEINAN, REVIEWER);
    weinan.act(&reviewer, accept(&weinan, number)).unwrap();
    carry(&mut weinan, &mut fuzhou);
    weinan.pass_ms(DAY_MS);
    weinan.act(&reviewer, review(&weinan, number)).unwrap();
    carry(&mut weinan, &mut fuzhou);
    assert_agree(&fuzhou, &weinan, number);
    weinan.set_time(ahead.plus_ms(DAY_MS));
    let waiting = packets_for(&weinan, fuzhou.group());
    assert!(waiting.is_empty(), "it is told already");
}

#[test]
fn of_a_refused_packet_about_a_case_that_is_not_here_only_the_hash_is_kept() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let packet = |sequence, reason: &str| {
        let packet = Packet {
            from: GroupId(city_code(FUZHOU)),
            to: GroupId(city_code(WEINAN)),
            case: number,
            sequence,
            deadline: monday_morning().plus_ms(DAY_MS),
            body: PacketBody::Withdrawal {
                reason: sealed(tongban_types::SealedUse::Reason, reason),
                at: monday_morning(),
                actor: clerk(FUZHOU),
            },
        };
        forged(&fuzhou, &[Parcel::Packet(Box::new(packet))])
    };
    let first = enter_parcel(&mut weinan, &packet(0, "of nothing")).unwrap();
    let group = fuzhou.group();
    let kept = |city: &City| received_certificate(&city.view, group, number, 0);
    assert_eq!(kept(&weinan), None);
    let again = enter_parcel(&mut weinan, &packet(0, "of nothing")).unwrap();
    assert_eq!(answer_of(&again), answer_of(&first), "the answer is kept");
    let other = enter_parcel(&mut weinan, &packet(0, "of something else"));
    assert_eq!(other, Ok(ParcelFate::NotEntered(Code::EQUIVOCATION)));
    let mut honest = City::open(WEINAN);
    carry(&mut fuzhou, &mut honest);
    assert!(
        kept(&honest).is_some(),
        "of one that was entered all is kept"
    );
}
