//! What a certificate speaks for, and what it proves against whoever signed two things at one place.

use tongban_machine::{ParcelFate, Refusal, equivocations, evidence_count};
use tongban_trust::{SigningKey, verify_majority};
use tongban_types::{
    Answer, CaseState, CertifiedParcels, Code, Hash, NodeId, Packet, PacketBody, Parcel,
    PlacedParcel, Purpose, Verdict, decode, encode, leaf_hash, limits,
};

use crate::common::prelude::*;
use crate::story_parcels::only_packet;

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
