//! Every refusal there is, each produced by the shortest way to it. A new variant breaks the match
//! in [`place_of`] until it has a place here.

use std::collections::BTreeMap;

use tongban_machine::{ParcelFate, Refusal};
use tongban_types::{
    Calendar, CaseEnvelope, CaseNumber, CaseState, Code, CommandBody, Decision, Entry, Hash,
    ItemTerms, Packet, PacketBody, Parcel, SealedUse, Verdict, limits,
};

use crate::common::prelude::*;

const VARIANTS: usize = 45;

fn place_of(refusal: &Refusal) -> usize {
    match refusal {
        Refusal::Malformed => 0,
        Refusal::BadSignature => 1,
        Refusal::KeyWithoutRight => 2,
        Refusal::OtherGroup(_) => 3,
        Refusal::OtherCity => 4,
        Refusal::RoleWithoutRight(_) => 5,
        Refusal::NoRegistry => 6,
        Refusal::NoTime => 7,
        Refusal::Skewed { .. } => 8,
        Refusal::IdReused => 9,
        Refusal::CaseExists => 10,
        Refusal::NoSuchCase => 11,
        Refusal::StaleVersion { .. } => 12,
        Refusal::WrongState(_) => 13,
        Refusal::NotOwner => 14,
        Refusal::NotTheAuthority => 15,
        Refusal::RequestPending => 16,
        Refusal::NoticeAlreadyGiven => 17,
        Refusal::NoticeTooLate => 18,
        Refusal::ReviewerMayNotDecide => 19,
        Refusal::ReasonMissing => 20,
        Refusal::DocumentPending => 21,
        Refusal::DocumentStage => 22,
        Refusal::UnknownItem => 23,
        Refusal::ItemExists => 24,
        Refusal::CatalogueFull => 25,
        Refusal::NoCalendar => 26,
        Refusal::Superseded => 27,
        Refusal::LeaseHeld => 28,
        Refusal::LeaseOver => 29,
        Refusal::RegistryRefused(_) => 30,
        Refusal::CertificateRefused(_) => 31,
        Refusal::ParcelForOther => 32,
        Refusal::OutOfOrder { .. } => 33,
        Refusal::Equivocation => 34,
        Refusal::NotAParty => 35,
        Refusal::AlreadyDecided => 36,
        Refusal::InconsistentEnvelope => 37,
        Refusal::NoCatalogue => 38,
        Refusal::KeyOutOfTime { .. } => 39,
        Refusal::CollectedTooLongAgo { .. } => 40,
        Refusal::ItemDiffers => 41,
        Refusal::CalendarLeavesYearsOut => 42,
        Refusal::PlacementOutOfTurn { .. } => 43,
        Refusal::PlacementRuleBroken => 44,
    }
}

/// A way to a refusal.
type Way = fn() -> Refusal;

#[test]
fn every_refusal_is_produced_and_explains_itself() {
    let mut produced = BTreeMap::new();
    for way in WAYS {
        let refusal = way();
        let entry = refusal.code().entry().expect("its code is in the table");
        assert!(!entry.cure_zh.is_empty());
        assert!(!refusal.to_string().is_empty());
        let before = produced.insert(place_of(&refusal), refusal.clone());
        assert_eq!(before, None, "one way each");
    }
    let missing: Vec<usize> = (0..VARIANTS)
        .filter(|at| !produced.contains_key(at))
        .collect();
    assert!(missing.is_empty(), "no way leads to {missing:?}");
    assert_eq!(produced.len(), VARIANTS);
}

#[test]
fn no_two_refusals_share_a_code() {
    let mut codes: Vec<Code> = WAYS.iter().map(|way| way().code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), VARIANTS);
}

const WAYS: [Way; VARIANTS] = [
    malformed,
    bad_signature,
    key_without_right,
    other_group,
    other_city,
    role_without_right,
    no_registry,
    no_time,
    skewed,
    id_reused,
    case_exists,
    no_such_case,
    stale_version,
    wrong_state,
    not_owner,
    not_the_authority,
    request_pending,
    notice_already_given,
    notice_too_late,
    reviewer_may_not_decide,
    reason_missing,
    document_pending,
    document_stage,
    unknown_item,
    item_exists,
    catalogue_full,
    no_calendar,
    superseded,
    lease_held,
    lease_over,
    registry_refused,
    certificate_refused,
    parcel_for_other,
    out_of_order,
    equivocation,
    not_a_party,
    already_decided,
    inconsistent_envelope,
    no_catalogue,
    key_out_of_time,
    collected_too_long_ago,
    item_differs,
    calendar_leaves_years_out,
    placement_out_of_turn,
    placement_rule_broken,
];

fn pair() -> (City, City) {
    (City::open(FUZHOU), City::open(WEINAN))
}

/// Fuzhou's clerk does something that is refused.
fn clerk_refused(fuzhou: &mut City, body: CommandBody) -> Refusal {
    fuzhou.act(&clerk(FUZHOU), body).unwrap_err()
}

/// An officer of Weinan does something that is refused.
fn officer_refused(weinan: &mut City, body: CommandBody) -> Refusal {
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap_err()
}

fn collecting(city: &mut City) -> CommandBody {
    CommandBody::Collect(Box::new(application(city, WEINAN)))
}

fn number() -> CaseNumber {
    CaseNumber::new(city_code(FUZHOU), monday_morning().china_day(), 1, 77).unwrap()
}

fn malformed() -> Refusal {
    City::open(FUZHOU)
        .apply(b"noise".to_vec())
        .results
        .remove(0)
        .unwrap_err()
}

fn bad_signature() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let body = collecting(&mut fuzhou);
    let command = fuzhou.command(&clerk(FUZHOU), body);
    let elsewhere = City::empty(WEINAN).group();
    let bytes = batch(elsewhere, command_key(node_of(FUZHOU, 1)), &[command]);
    fuzhou.apply(bytes).results.remove(0).unwrap_err()
}

fn key_without_right() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let command = fuzhou.command(&system(FUZHOU), take_lease(FUZHOU));
    let bytes = batch(fuzhou.group(), stranger(), &[command]);
    fuzhou.apply(bytes).results.remove(0).unwrap_err()
}

fn other_group() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut command = fuzhou.command(&system(FUZHOU), take_lease(FUZHOU));
    command.group = City::empty(WEINAN).group();
    fuzhou.submit(&[command]).remove(0).unwrap_err()
}

fn other_city() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let body = collecting(&mut fuzhou);
    fuzhou.act(&clerk(WEINAN), body).unwrap_err()
}

fn role_without_right() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let body = collecting(&mut fuzhou);
    fuzhou.act(&operator(FUZHOU), body).unwrap_err()
}

fn no_registry() -> Refusal {
    let mut fuzhou = City::empty(FUZHOU);
    let body = CommandBody::InstallItem(local_item());
    fuzhou.act(&operator(FUZHOU), body).unwrap_err()
}

fn no_time() -> Refusal {
    let mut fuzhou = City::empty(FUZHOU);
    fuzhou
        .enter_registry(Federation::get().file.clone())
        .unwrap();
    fuzhou.act(&system(FUZHOU), take_lease(FUZHOU)).unwrap_err()
}

fn skewed() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut command = fuzhou.command(&system(FUZHOU), take_lease(FUZHOU));
    command.at = command.at.plus_ms(limits::SKEW_MS_MAX + 1);
    fuzhou.submit(&[command]).remove(0).unwrap_err()
}

fn id_reused() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let first = fuzhou.command(&system(FUZHOU), take_lease(FUZHOU));
    let mut second = first.clone();
    second.request = tongban_types::RequestTag(tongban_types::sha256(b"something else"));
    fuzhou.submit(&[first, second]).remove(1).unwrap_err()
}

fn case_exists() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let body = collecting(&mut fuzhou);
    fuzhou.act(&clerk(FUZHOU), body.clone()).unwrap();
    clerk_refused(&mut fuzhou, body)
}

fn no_such_case() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let on = tongban_types::OnCase {
        case: number(),
        expected: tongban_types::CaseVersion::default(),
    };
    clerk_refused(&mut fuzhou, CommandBody::Transfer(on))
}

fn stale_version() -> Refusal {
    let (mut fuzhou, weinan) = pair();
    let case = in_transit(&mut fuzhou, &weinan);
    let seen = withdraw(&fuzhou, case);
    fuzhou.act(&clerk(FUZHOU), seen.clone()).unwrap();
    clerk_refused(&mut fuzhou, seen)
}

fn wrong_state() -> Refusal {
    let (mut fuzhou, weinan) = pair();
    let case = in_transit(&mut fuzhou, &weinan);
    let body = transfer(&fuzhou, case);
    let refusal = clerk_refused(&mut fuzhou, body);
    assert_eq!(refusal, Refusal::WrongState(CaseState::InTransit));
    refusal
}

fn not_owner() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = received(&mut fuzhou, &mut weinan);
    let body = transfer(&fuzhou, case);
    clerk_refused(&mut fuzhou, body)
}

fn not_the_authority() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = received(&mut fuzhou, &mut weinan);
    let body = accept(&fuzhou, case);
    fuzhou.act(&officer(FUZHOU, REVIEWER), body).unwrap_err()
}

fn request_pending() -> Refusal {
    let (mut fuzhou, weinan) = pair();
    let case = in_transit(&mut fuzhou, &weinan);
    fuzhou.act(&clerk(FUZHOU), withdraw(&fuzhou, case)).unwrap();
    let body = withdraw(&fuzhou, case);
    clerk_refused(&mut fuzhou, body)
}

fn notice_already_given() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = received(&mut fuzhou, &mut weinan);
    let body = ask_correction(&weinan, case);
    weinan.act(&officer(WEINAN, REVIEWER), body).unwrap();
    let body = ask_correction(&weinan, case);
    officer_refused(&mut weinan, body)
}

fn notice_too_late() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let now = fuzhou.time();
    let commands: Vec<_> = (0..=limits::DEADLINES_PER_ENTRY_MAX)
        .map(|_| {
            let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
            fuzhou.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)))
        })
        .collect();
    fuzhou.submit(&commands);
    let time = now.plus_ms(30 * tongban_types::DAY_MS);
    for voter in &voters_of(FUZHOU)[..2] {
        let report = fuzhou.report_of(*voter, time);
        fuzhou.report(&report);
    }
    let CommandBody::Collect(last) = &commands[limits::DEADLINES_PER_ENTRY_MAX].body else {
        panic!("all of them collect");
    };
    let body = refuse_to_accept(&fuzhou, last.envelope.number);
    fuzhou.act(&officer(FUZHOU, REVIEWER), body).unwrap_err()
}

fn reviewer_may_not_decide() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = in_review(&mut fuzhou, &mut weinan);
    let body = decide(&weinan, case, Decision::Grant);
    officer_refused(&mut weinan, body)
}

fn reason_missing() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = in_review(&mut fuzhou, &mut weinan);
    let body = CommandBody::Decide(tongban_types::Decide {
        on: on(&weinan, case),
        decision: Decision::Refuse,
        reason: None,
    });
    weinan.act(&officer(WEINAN, CHECKER), body).unwrap_err()
}

fn document_pending() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = granted(&mut fuzhou, &mut weinan);
    let body = deliver(&weinan, case);
    weinan.act(&clerk(WEINAN), body).unwrap_err()
}

fn document_stage() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = granted(&mut fuzhou, &mut weinan);
    let lease = leased(&mut weinan);
    let body = issue(&weinan, case, lease);
    weinan.act(&system(WEINAN), body).unwrap_err()
}

fn unknown_item() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = application(&mut fuzhou, WEINAN);
    order.envelope.item.version = 9;
    clerk_refused(&mut fuzhou, CommandBody::Collect(Box::new(order)))
}

fn item_exists() -> Refusal {
    let other = ItemTerms {
        promise_days: 1,
        ..local_item()
    };
    let body = CommandBody::InstallItem(other);
    City::open(FUZHOU).act(&operator(FUZHOU), body).unwrap_err()
}

fn catalogue_full() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut version = 1;
    loop {
        let commands: Vec<_> = (0..limits::BATCH_COMMANDS_MAX)
            .map(|_| {
                version += 1;
                let mut terms = local_item();
                terms.item.version = version;
                fuzhou.command(&system(FUZHOU), CommandBody::InstallItem(terms))
            })
            .collect();
        let results = fuzhou.submit(&commands);
        let held = tongban_machine::ground(&fuzhou.view).items;
        assert!(held <= limits::ITEMS_MAX, "never more than the bound");
        if let Some(Err(refusal)) = results.into_iter().find(Result::is_err) {
            assert_eq!(held, limits::ITEMS_MAX);
            return refusal;
        }
    }
}

fn no_calendar() -> Refusal {
    let mut fuzhou = City::empty(FUZHOU);
    fuzhou
        .enter_registry(Federation::get().file.clone())
        .unwrap();
    let body = CommandBody::InstallItem(local_item());
    fuzhou.act(&operator(FUZHOU), body).unwrap();
    fuzhou.set_time(monday_morning());
    let now = fuzhou.time();
    let order = application_for(&mut fuzhou, FUZHOU, &local_item(), now);
    clerk_refused(&mut fuzhou, CommandBody::Collect(Box::new(order)))
}

fn superseded() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let years = Federation::get().calendar.years().to_vec();
    let newer = Calendar::new(2, years).unwrap();
    let older = Federation::get().calendar.clone();
    fuzhou
        .act(&operator(FUZHOU), CommandBody::InstallCalendar(newer))
        .unwrap();
    fuzhou
        .act(&operator(FUZHOU), CommandBody::InstallCalendar(older))
        .unwrap_err()
}

fn lease_held() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let second = node_of(FUZHOU, 2);
    let file = registry_after(&Federation::get().registry, |draft| {
        draft.enrol(&enrolment(second)).unwrap();
    });
    fuzhou.enter_registry(file).unwrap();
    leased(&mut fuzhou);
    let command = fuzhou.command(&system(FUZHOU), CommandBody::TakeLease(second));
    let bytes = batch(fuzhou.group(), command_key(second), &[command]);
    fuzhou.apply(bytes).results.remove(0).unwrap_err()
}

fn lease_over() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = granted(&mut fuzhou, &mut weinan);
    let body = prepare(&weinan, case, 1);
    weinan.act(&system(WEINAN), body).unwrap_err()
}

fn registry_refused() -> Refusal {
    City::open(FUZHOU)
        .enter(&Entry::Registry(b"{}".to_vec()))
        .unwrap_err()
}

fn certificate_refused() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    in_transit(&mut fuzhou, &weinan);
    let packet = packets_for(&fuzhou, weinan.group())[0];
    enter_parcel(&mut weinan, &certify_by(&fuzhou, packet, &[])).unwrap_err()
}

fn parcel_for_other() -> Refusal {
    let (mut fuzhou, weinan) = pair();
    in_transit(&mut fuzhou, &weinan);
    let packet = packets_for(&fuzhou, weinan.group())[0];
    enter_parcel(&mut City::open(DINGXI), &certify(&fuzhou, packet)).unwrap_err()
}

fn out_of_order() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = in_transit(&mut fuzhou, &weinan);
    fuzhou.act(&clerk(FUZHOU), withdraw(&fuzhou, case)).unwrap();
    let packet = packets_for(&fuzhou, weinan.group())[1];
    enter_parcel(&mut weinan, &certify(&fuzhou, packet)).unwrap_err()
}

/// A refusal that is only ever told by its code, in a parcel's fate or a packet's answer.
fn told_by_code(code: Code, refusal: Refusal) -> Refusal {
    assert_eq!(code, refusal.code());
    refusal
}

fn equivocation() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    in_transit(&mut fuzhou, &weinan);
    let position = packets_for(&fuzhou, weinan.group())[0];
    enter_parcel(&mut weinan, &certify(&fuzhou, position)).unwrap();
    let Parcel::Packet(mut packet) = parcel_at(&fuzhou, position) else {
        panic!("a packet stands there");
    };
    packet.deadline = packet.deadline.plus_ms(1);
    let other = forged(&fuzhou, &[Parcel::Packet(packet)]);
    match enter_parcel(&mut weinan, &other) {
        Ok(ParcelFate::NotEntered(code)) => told_by_code(code, Refusal::Equivocation),
        other => panic!("not caught: {other:?}"),
    }
}

fn not_a_party() -> Refusal {
    let (mut fuzhou, mut weinan) = pair();
    let case = received(&mut fuzhou, &mut weinan);
    let dingxi = City::open(DINGXI);
    let packet = Packet {
        from: dingxi.group(),
        to: weinan.group(),
        case,
        sequence: 0,
        deadline: weinan.time(),
        body: PacketBody::Withdrawal {
            reason: sealed(SealedUse::Reason, "we say so"),
            at: weinan.time(),
            actor: clerk(DINGXI),
        },
    };
    let packet = forged(&dingxi, &[Parcel::Packet(Box::new(packet))]);
    let fate = enter_parcel(&mut weinan, &packet).unwrap();
    match parcel_at(&weinan, answer_of(&fate)) {
        Parcel::Answer(answer) => match answer.verdict {
            Verdict::Refused(code) => told_by_code(code, Refusal::NotAParty),
            other => panic!("not refused: {other:?}"),
        },
        Parcel::Packet(_) => panic!("an answer stands there"),
    }
}

fn already_decided() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = application(&mut fuzhou, WEINAN);
    order.hand_over = false;
    let case = collect(&mut fuzhou, order);
    fuzhou.act(&clerk(FUZHOU), withdraw(&fuzhou, case)).unwrap();
    let body = withdraw(&fuzhou, case);
    clerk_refused(&mut fuzhou, body)
}

fn inconsistent_envelope() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = application(&mut fuzhou, WEINAN);
    order.envelope.number = number();
    order.envelope = CaseEnvelope {
        authority: city_code(DINGXI),
        form: Hash([1; 32]),
        ..order.envelope
    };
    clerk_refused(&mut fuzhou, CommandBody::Collect(Box::new(order)))
}

fn no_catalogue() -> Refusal {
    let mut fuzhou = City::empty(FUZHOU);
    fuzhou
        .enter_registry(Federation::get().file.clone())
        .unwrap();
    fuzhou.set_time(monday_morning());
    let body = collecting(&mut fuzhou);
    clerk_refused(&mut fuzhou, body)
}

fn key_out_of_time() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let yesterday = fuzhou.time().plus_ms(-tongban_types::DAY_MS);
    let ended = registry_after(&Federation::get().registry, |draft| {
        let mut ends = enrolment(node_of(FUZHOU, 1));
        ends.not_after = yesterday;
        draft.enrol(&ends).unwrap();
    });
    fuzhou.enter_registry(ended).unwrap();
    fuzhou.act(&system(FUZHOU), take_lease(FUZHOU)).unwrap_err()
}

fn collected_too_long_ago() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let at = fuzhou.time().plus_ms(-limits::DESK_RECORD_MS_MAX);
    let mut collected = |at| {
        let order = application_for(&mut fuzhou, WEINAN, &migration_item(), at);
        let mut command = fuzhou.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)));
        command.at = at;
        fuzhou.submit(&[command]).remove(0)
    };
    collected(at).expect("a desk may have been cut off for so long");
    collected(at.plus_ms(-1)).unwrap_err()
}

fn item_differs() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = application(&mut fuzhou, WEINAN);
    order.envelope.item_file = Hash([1; 32]);
    clerk_refused(&mut fuzhou, CommandBody::Collect(Box::new(order)))
}

fn calendar_leaves_years_out() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let in_force = &Federation::get().calendar;
    let next = tongban_types::CalendarYear {
        year: in_force.years().last().unwrap().year + 1,
        notice: "通知".to_owned(),
        holidays: Vec::new(),
        make_up_workdays: Vec::new(),
    };
    let mut install = |years| {
        let calendar = Calendar::new(in_force.version() + 1, years).unwrap();
        fuzhou.act(&operator(FUZHOU), CommandBody::InstallCalendar(calendar))
    };
    let refusal = install(vec![next.clone()]).unwrap_err();
    let all = in_force.years().iter().cloned().chain([next]).collect();
    install(all).expect("with all years it is taken");
    refusal
}

fn placement_out_of_turn() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    fuzhou.place(&placement(FUZHOU, 2)).unwrap_err()
}

fn placement_rule_broken() -> Refusal {
    let mut fuzhou = City::open(FUZHOU);
    let mut order = placement(FUZHOU, 1);
    order.voters.pop();
    fuzhou.place(&order).unwrap_err()
}
