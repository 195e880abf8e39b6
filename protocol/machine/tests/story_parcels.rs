//! Packets, their certificates and their answers, on a road that loses, repeats and reorders.

use tongban_machine::{
    ParcelFate, Refusal, Standpoint, answer_given, equivocations, evidence_count, is_awaited,
    is_of_parcels, received_certificate,
};
use tongban_trust::{SigningKey, verify_majority};
use tongban_types::{
    Answer, CaseState, CertifiedParcels, Code, CommandBody, DAY_MS, Decision, Entry, GroupId, Hash,
    NodeId, Packet, PacketBody, Parcel, PlacedParcel, Purpose, Sealed, Verdict, decode, encode,
    leaf_hash, limits,
};

use crate::common::prelude::*;

fn only_packet(from: &City, to: &City) -> u64 {
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

#[test]
fn only_a_majority_of_the_sending_groups_voters_certifies() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let position = only_packet(&fuzhou, &weinan);
    let [first, second, third] = voters_of(FUZHOU);
    let own = |node: NodeId| -> (NodeId, &SigningKey) { (node, voter_key(node)) };
    let refused: [&[(NodeId, &SigningKey)]; 7] = [
        &[],
        &[own(first)],
        &[own(first), own(first)],
        &[own(first), (second, stranger())],
        &[own(first), (second, command_key(second))],
        &[own(first), own(node_of(WEINAN, 1))],
        &[own(node_of(WEINAN, 1)), own(node_of(DINGXI, 1))],
    ];
    for signers in refused {
        let refused = enter_parcel(&mut weinan, &certify_by(&fuzhou, position, signers));
        assert!(
            matches!(refused, Err(Refusal::CertificateRefused(_))),
            "{refused:?}"
        );
    }
    for signers in [[own(first), own(third)], [own(second), own(third)]] {
        enter_parcel(&mut weinan, &certify_by(&fuzhou, position, &signers)).unwrap();
    }
}

#[test]
fn a_parcel_stands_where_its_path_says_or_nowhere() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    in_transit(&mut fuzhou, &weinan);
    let right = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    let wrong = [
        |placed: &mut PlacedParcel| placed.path.push(Hash([1; 32])),
        |placed: &mut PlacedParcel| placed.index = 1,
        |placed: &mut PlacedParcel| placed.index = u32::MAX,
        |placed: &mut PlacedParcel| placed.bytes.push(0),
        |placed: &mut PlacedParcel| placed.bytes.clear(),
    ];
    for change in wrong {
        let mut certified = right.clone();
        change(&mut certified.parcels[0]);
        assert_eq!(
            enter_parcel(&mut weinan, &certified),
            Err(Refusal::BadSignature)
        );
    }
    let mut forged = right.clone();
    forged.batch.count = 2;
    let refused = enter_parcel(&mut weinan, &forged);
    assert_eq!(
        refused,
        Err(Refusal::CertificateRefused(Code::SIGNATURE_INVALID))
    );
    enter_parcel(&mut weinan, &right).unwrap();
}

#[test]
fn a_parcel_is_only_for_the_group_it_names() {
    let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let mut dingxi = City::open(DINGXI);
    in_transit(&mut fuzhou, &weinan);
    let packet = certify(&fuzhou, only_packet(&fuzhou, &weinan));
    assert_eq!(
        enter_parcel(&mut dingxi, &packet),
        Err(Refusal::ParcelForOther)
    );
    assert_eq!(
        enter_parcel(&mut fuzhou, &packet),
        Err(Refusal::ParcelForOther)
    );
}

#[test]
fn two_certified_packets_at_one_sequence_are_a_portable_proof() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let position = only_packet(&fuzhou, &weinan);
    let honest = certify(&fuzhou, position);
    enter_parcel(&mut weinan, &honest).unwrap();
    let Parcel::Packet(mut packet) = parcel_at(&fuzhou, position) else {
        panic!("a packet stands there");
    };
    packet.deadline = packet.deadline.plus_ms(1);
    let other = forged(&fuzhou, &[Parcel::Packet(packet)]);
    let case = weinan.case(number);
    let caught = Ok(ParcelFate::NotEntered(Code::EQUIVOCATION));
    assert_eq!(enter_parcel(&mut weinan, &other), caught);
    assert_eq!(enter_parcel(&mut weinan, &other), caught);
    assert_eq!(weinan.case(number), case, "nothing is entered");
    assert_eq!(evidence_count(&weinan.view), 1, "one proof of one fraud");

    let proof = equivocations(&weinan.view).remove(0);
    let registry = &Federation::get().registry;
    let sequence_of = |half: &CertifiedParcels| {
        let bytes = half.batch.signed_bytes();
        let voters = &half.signatures;
        verify_majority(
            registry,
            fuzhou.group(),
            registry.voters(fuzhou.group()),
            Purpose::ParcelBatch,
            &bytes,
            voters,
        )
        .unwrap();
        let placed = &half.parcels[0];
        let root = tongban_types::root_from_path(
            leaf_hash(&placed.bytes),
            placed.index as usize,
            half.batch.count as usize,
            &placed.path,
        );
        assert_eq!(root, Some(half.batch.root));
        match decode(&placed.bytes).unwrap() {
            Parcel::Packet(packet) => (packet.from, packet.to, packet.case, packet.sequence),
            Parcel::Answer(_) => panic!("an answer is no packet"),
        }
    };
    assert_eq!(sequence_of(&proof.first), sequence_of(&proof.second));
    assert_ne!(proof.first.parcels[0].bytes, proof.second.parcels[0].bytes);
    let bytes = encode(&proof);
    assert_eq!(decode(&bytes), Ok(proof), "it travels as one record");
}

#[test]
fn an_answer_settles_only_the_very_packet_it_names() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = in_transit(&mut fuzhou, &weinan);
    let to_another = Answer {
        from: weinan.group(),
        to: fuzhou.group(),
        case: number,
        sequence: 0,
        packet: Hash([8; 32]),
        verdict: Verdict::Entered,
        at: weinan.time(),
    };
    let fate = enter_parcel(&mut fuzhou, &forged(&weinan, &[Parcel::Answer(to_another)]));
    assert_eq!(fate, Ok(ParcelFate::SettledBefore));
    assert_eq!(fuzhou.state(number), CaseState::InTransit);
    carry_all(&mut fuzhou, &mut weinan);
    assert_eq!(fuzhou.state(number), CaseState::Received);
}

#[test]
fn a_group_sends_itself_nothing() {
    let mut fuzhou = City::open(FUZHOU);
    let now = fuzhou.time();
    let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
    let number = collect(&mut fuzhou, order);
    let withdrawal = Packet {
        from: fuzhou.group(),
        to: fuzhou.group(),
        case: number,
        sequence: 0,
        deadline: now.plus_ms(limits::PACKET_LIFE_MS),
        body: PacketBody::Withdrawal {
            reason: sealed(tongban_types::SealedUse::Reason, "two partners agreed"),
            at: now,
            actor: clerk(FUZHOU),
        },
    };
    let forged = forged(&fuzhou, &[Parcel::Packet(Box::new(withdrawal))]);
    assert_eq!(
        enter_parcel(&mut fuzhou, &forged),
        Err(Refusal::ParcelForOther)
    );
    assert_eq!(fuzhou.state(number), CaseState::Received);
}

#[test]
fn a_third_city_cannot_speak_about_a_case() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let dingxi = City::open(DINGXI);
    let request = |actor| PacketBody::Withdrawal {
        reason: sealed(tongban_types::SealedUse::Reason, "we say so"),
        at: weinan.time(),
        actor,
    };
    for (case, body) in [
        (number, request(clerk(DINGXI))),
        (number, request(clerk(FUZHOU))),
    ] {
        let packet = Packet {
            from: dingxi.group(),
            to: weinan.group(),
            case,
            sequence: 0,
            deadline: weinan.time(),
            body,
        };
        let mut receiver = City::open(WEINAN);
        for bytes in weinan.log.iter().skip(receiver.log.len()) {
            receiver.apply(bytes.clone());
        }
        let fate = enter_parcel(
            &mut receiver,
            &forged(&dingxi, &[Parcel::Packet(Box::new(packet))]),
        );
        let Parcel::Answer(answer) = parcel_at(&receiver, answer_of(&fate.unwrap())) else {
            panic!("an answer stands there");
        };
        assert_eq!(answer.verdict, Verdict::Refused(Code::NOT_A_PARTY));
        assert_eq!(receiver.state(number), CaseState::Received);
    }
}

#[test]
fn parcels_of_one_entry_travel_under_one_signature() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let commands: Vec<_> = (0..5)
        .map(|_| {
            let order = application(&mut fuzhou, WEINAN);
            let body = CommandBody::Collect(Box::new(order));
            fuzhou.command(&clerk(FUZHOU), body)
        })
        .collect();
    assert!(fuzhou.submit(&commands).iter().all(Result::is_ok));
    let mut whole: Option<CertifiedParcels> = None;
    for position in packets_for(&fuzhou, weinan.group()) {
        let single = certify(&fuzhou, position);
        match &mut whole {
            None => whole = Some(single),
            Some(whole) => {
                assert_eq!(whole.batch, single.batch);
                whole.parcels.extend(single.parcels);
            }
        }
    }
    let results = weinan
        .apply(encode(&Entry::Parcels(whole.unwrap())))
        .results;
    assert_eq!(results.len(), 5);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(tongban_machine::ground(&weinan.view).cases, 5);
}

/// Makes a group guilty of two packets at the sequence of a case it just sent.
fn equivocate(from: &mut City, to: &mut City) {
    in_transit(from, to);
    let position = *packets_for(from, to.group()).last().unwrap();
    let honest = certify(from, position);
    enter_parcel(to, &honest).unwrap();
    let Parcel::Packet(mut packet) = parcel_at(from, position) else {
        panic!("a packet stands there");
    };
    packet.deadline = packet.deadline.plus_ms(1);
    let other = forged(from, &[Parcel::Packet(packet)]);
    let caught = Ok(ParcelFate::NotEntered(Code::EQUIVOCATION));
    assert_eq!(enter_parcel(to, &other), caught);
}

#[test]
fn the_frauds_of_one_sender_leave_room_for_the_proof_of_anothers() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let mut dingxi = City::open(DINGXI);
    for _ in 0..limits::EVIDENCE_OF_SENDER_MAX + 2 {
        equivocate(&mut fuzhou, &mut weinan);
    }
    let kept = limits::EVIDENCE_OF_SENDER_MAX;
    assert_eq!(evidence_count(&weinan.view), kept);
    equivocate(&mut dingxi, &mut weinan);
    assert_eq!(evidence_count(&weinan.view), kept + 1);
    let last = equivocations(&weinan.view).pop().unwrap();
    assert_eq!(last.first.batch.group, dingxi.group());
}
