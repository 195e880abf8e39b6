//! Whom a group believes: keys, roles, times, versions, registries.

use tongban_machine::{Refusal, Reply};
use tongban_trust::RegistryFile;
use tongban_types::{Actor, CaseVersion, Code, Command, CommandBody, CommandId, OnCase, limits};

use crate::common::prelude::*;

fn collecting(city: &mut City) -> Command {
    let order = application(city, WEINAN);
    city.command(&clerk(city.code), CommandBody::Collect(Box::new(order)))
}

#[test]
fn only_a_command_key_of_its_own_city_gives_orders() {
    let mut fuzhou = City::open(FUZHOU);
    let command = collecting(&mut fuzhou);
    let here = node_of(FUZHOU, 1);
    for key in [
        stranger(),
        command_key(node_of(PUTIAN, 1)),
        command_key(node_of(WEINAN, 1)),
        voter_key(here),
        governance_key(city_code(FUZHOU)),
    ] {
        let bytes = batch(fuzhou.group(), key, std::slice::from_ref(&command));
        assert_eq!(fuzhou.apply(bytes).results, [Err(Refusal::KeyWithoutRight)]);
    }
    assert!(fuzhou.submit(&[command])[0].is_ok());
}

#[test]
fn a_batch_is_believed_whole_or_not_at_all() {
    let mut fuzhou = City::open(FUZHOU);
    let command = collecting(&mut fuzhou);
    let key = command_key(node_of(FUZHOU, 1));
    let bytes = batch(fuzhou.group(), key, &[command]);
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let results = fuzhou.apply(changed).results;
        assert!(results[0].is_err(), "byte {at} is bound");
    }
    let elsewhere = City::empty(PUTIAN).group();
    let command = collecting(&mut fuzhou);
    let bytes = batch(elsewhere, key, &[command]);
    assert_eq!(fuzhou.apply(bytes).results, [Err(Refusal::BadSignature)]);
}

#[test]
fn a_command_names_its_group_and_people_of_its_city() {
    let mut fuzhou = City::open(FUZHOU);
    let elsewhere = City::empty(WEINAN).group();
    let mut command = collecting(&mut fuzhou);
    command.group = elsewhere;
    assert_eq!(
        fuzhou.submit(&[command])[0],
        Err(Refusal::OtherGroup(elsewhere))
    );
    let mut command = collecting(&mut fuzhou);
    command.actor = clerk(WEINAN);
    assert_eq!(fuzhou.submit(&[command])[0], Err(Refusal::OtherCity));
}

#[test]
fn each_act_is_for_its_role() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let officers = [accept, refuse_to_accept, ask_correction, review];
    for body in officers {
        let body = body(&weinan, number);
        assert_role(&mut weinan, &body, &[officer(WEINAN, REVIEWER)]);
    }
    for body in [withdraw, deliver, correct] {
        let body = body(&weinan, number);
        assert_role(&mut weinan, &body, &[clerk(WEINAN)]);
    }
    let body = transfer(&weinan, number);
    assert_role(&mut weinan, &body, &[clerk(WEINAN), system(WEINAN)]);
    for body in [
        take_lease(WEINAN),
        prepare(&weinan, number, 1),
        issue(&weinan, number, 1),
    ] {
        assert_role(&mut weinan, &body, &[system(WEINAN)]);
    }
    let body = CommandBody::InstallItem(local_item());
    assert_role(&mut weinan, &body, &[operator(WEINAN), system(WEINAN)]);
}

/// Everybody else is refused for their role, before anything else is looked at.
fn assert_role(city: &mut City, body: &CommandBody, allowed: &[Actor]) {
    let code = city.code;
    for actor in [
        clerk(code),
        officer(code, REVIEWER),
        operator(code),
        system(code),
    ] {
        if !allowed.iter().any(|allowed| allowed.role == actor.role) {
            let refused = city.act(&actor, body.clone());
            assert_eq!(refused, Err(Refusal::RoleWithoutRight(actor.role)));
        }
    }
}

#[test]
fn an_act_names_the_version_its_author_saw() {
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let number = received(&mut fuzhou, &mut weinan);
    let seen = on(&weinan, number);
    let reviewer = officer(WEINAN, REVIEWER);
    weinan.act(&reviewer, accept(&weinan, number)).unwrap();
    let late = weinan.act(&reviewer, CommandBody::Accept(seen));
    let actual = weinan.case(number).version;
    assert_eq!(
        late,
        Err(Refusal::StaleVersion {
            expected: seen.expected,
            actual
        })
    );
    let future = OnCase {
        case: number,
        expected: CaseVersion(u32::MAX),
    };
    let early = weinan.act(&reviewer, CommandBody::Accept(future));
    assert!(matches!(early, Err(Refusal::StaleVersion { .. })));
}

#[test]
fn an_act_is_dated_near_group_time() {
    let mut fuzhou = City::open(FUZHOU);
    for (skew, is_taken) in [
        (limits::SKEW_MS_MAX, true),
        (-limits::SKEW_MS_MAX, true),
        (limits::SKEW_MS_MAX + 1, false),
        (-limits::SKEW_MS_MAX - 1, false),
    ] {
        let mut command = fuzhou.command(&system(FUZHOU), take_lease(FUZHOU));
        command.at = command.at.plus_ms(skew);
        let at = command.at;
        let reply = fuzhou.submit(&[command]).remove(0);
        let refused = Refusal::Skewed {
            at,
            group_time: fuzhou.time(),
        };
        assert_eq!(reply.is_ok(), is_taken);
        assert_eq!(reply.err(), (!is_taken).then_some(refused));
    }
}

#[test]
fn what_a_desk_kept_may_be_old_but_not_from_the_future() {
    let mut fuzhou = City::open(FUZHOU);
    let collected = |city: &mut City, ms: i64| {
        let at = city.time().plus_ms(ms);
        let order = application_for(city, WEINAN, &migration_item(), at);
        let mut command = city.command(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)));
        command.at = at;
        city.submit(&[command]).remove(0)
    };
    assert!(collected(&mut fuzhou, -3 * tongban_types::DAY_MS).is_ok());
    let early = collected(&mut fuzhou, limits::SKEW_MS_MAX + 1);
    assert!(matches!(early, Err(Refusal::Skewed { .. })));
}

#[test]
fn an_envelope_agrees_with_its_command() {
    let mut fuzhou = City::open(FUZHOU);
    let refused = |city: &mut City, change: &dyn Fn(&mut tongban_types::CaseEnvelope)| {
        let mut order = application(city, WEINAN);
        change(&mut order.envelope);
        city.act(&clerk(FUZHOU), CommandBody::Collect(Box::new(order)))
            .unwrap_err()
    };
    let changes: [&dyn Fn(&mut tongban_types::CaseEnvelope); 8] = [
        &|envelope| envelope.intake = city_code(PUTIAN),
        &|envelope| envelope.collected_at = envelope.collected_at.plus_ms(1),
        &|envelope| envelope.collected_by = officer(FUZHOU, REVIEWER),
        &|envelope| envelope.authority = city_code(DINGXI),
        &|envelope| envelope.mode = tongban_types::HandlingMode::Joint,
        &|envelope| {
            envelope.authority_division = tongban_types::Division::new(110_101).unwrap();
        },
        &|envelope| envelope.number = number_of(PUTIAN, 2),
        &|envelope| envelope.number = number_of(FUZHOU, 3),
    ];
    for change in changes {
        assert_eq!(refused(&mut fuzhou, change), Refusal::InconsistentEnvelope);
    }
    let unknown = refused(&mut fuzhou, &|envelope| envelope.item.version = 9);
    assert_eq!(unknown, Refusal::UnknownItem);
}

/// A number of another city or day than the Monday of the stories.
fn number_of(city: u32, day_of_march: u32) -> tongban_types::CaseNumber {
    let day = tongban_types::CivilDay::from_ymd(2026, 3, day_of_march).unwrap();
    tongban_types::CaseNumber::new(city_code(city), day, 1, 1).unwrap()
}

#[test]
fn sealed_texts_are_what_they_are_said_to_be_and_of_bounded_size() {
    use tongban_types::SealedUse;
    let (mut fuzhou, mut weinan) = (City::open(FUZHOU), City::open(WEINAN));
    let mut order = application(&mut fuzhou, WEINAN);
    order.form.usage = SealedUse::Reason;
    let body = CommandBody::Collect(Box::new(order.clone()));
    assert_eq!(fuzhou.act(&clerk(FUZHOU), body), Err(Refusal::Malformed));
    order.form = sealed(SealedUse::Form, "");
    order.form.ciphertext = vec![0; limits::FORM_BYTES_MAX + limits::SEAL_BYTES + 1];
    let body = CommandBody::Collect(Box::new(order.clone()));
    assert_eq!(fuzhou.act(&clerk(FUZHOU), body), Err(Refusal::Malformed));
    order.form.ciphertext.pop();
    let number = collect(&mut fuzhou, order);
    carry_all(&mut fuzhou, &mut weinan);
    let CommandBody::AskCorrection(mut notice) = ask_correction(&weinan, number) else {
        panic!("it asks for a correction");
    };
    notice.notice.ciphertext = vec![0; limits::TEXT_BYTES_MAX + limits::SEAL_BYTES + 1];
    let body = CommandBody::AskCorrection(notice.clone());
    let reviewer = officer(WEINAN, REVIEWER);
    assert_eq!(weinan.act(&reviewer, body), Err(Refusal::Malformed));
    notice.notice.ciphertext.pop();
    weinan
        .act(&reviewer, CommandBody::AskCorrection(notice))
        .unwrap();
    carry_all(&mut fuzhou, &mut weinan);
}

#[test]
fn nothing_is_believed_before_a_registry() {
    let mut fuzhou = City::empty(FUZHOU);
    let body = CommandBody::InstallItem(local_item());
    assert_eq!(
        fuzhou.act(&operator(FUZHOU), body),
        Err(Refusal::NoRegistry)
    );
    let report = fuzhou.report_of(voters_of(FUZHOU)[0], monday_morning());
    assert_eq!(fuzhou.report(&report).results, [Err(Refusal::NoRegistry)]);
}

#[test]
fn a_first_registry_is_the_pinned_one_signed_by_five_of_six() {
    let federation = Federation::get();
    let content = federation.registry.content();
    let refused = |file: Vec<u8>, code| {
        let mut fuzhou = City::empty(FUZHOU);
        let refusal = fuzhou.enter_registry(file);
        assert_eq!(refusal, Err(Refusal::RegistryRefused(code)));
    };
    let unsigned = RegistryFile::unsigned(federation.registry.clone()).encode();
    refused(unsigned, Code::REGISTRY_UNDERSIGNED);
    refused(
        signed_registry(content.clone(), 4),
        Code::REGISTRY_UNDERSIGNED,
    );
    let mut others = content.clone();
    others
        .governance
        .insert(city_code(FUZHOU), stranger().public());
    refused(signed_registry(others, 6), Code::REGISTRY_NOT_PINNED);
    let altered = String::from_utf8(federation.file.clone()).unwrap();
    refused(
        altered.replacen("渭南", "渭北", 1).into_bytes(),
        Code::SIGNATURE_INVALID,
    );
    refused(b"{}".to_vec(), Code::REGISTRY_MALFORMED);
    City::empty(FUZHOU)
        .enter_registry(signed_registry(content.clone(), 5))
        .unwrap();
}

#[test]
fn the_next_registry_follows_and_none_comes_back() {
    let federation = Federation::get();
    let mut fuzhou = City::open(FUZHOU);
    let second = registry_after(&federation.registry, |draft| {
        draft.enrol(&enrolment(node_of(FUZHOU, 2))).unwrap();
    });
    let read = RegistryFile::decode(&second).unwrap().registry().clone();
    let third = registry_after(&read, |_| ());
    let refused = |city: &mut City, file: &[u8]| match city.enter_registry(file.to_vec()) {
        Err(Refusal::RegistryRefused(code)) => code,
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(refused(&mut fuzhou, &third), Code::REGISTRY_SKIPPED);
    let few = signed_registry(read.content().clone(), 4);
    assert_eq!(refused(&mut fuzhou, &few), Code::REGISTRY_UNDERSIGNED);
    fuzhou.enter_registry(second.clone()).unwrap();
    assert_eq!(
        fuzhou.enter_registry(second),
        Ok(Reply::Done),
        "once more does no harm"
    );
    assert_eq!(
        refused(&mut fuzhou, &federation.file),
        Code::REGISTRY_ROLLED_BACK
    );
    fuzhou.enter_registry(third).unwrap();
    assert_eq!(tongban_machine::ground(&fuzhou.view).registry, 3);
}

#[test]
fn a_retired_command_key_gives_no_more_orders() {
    let mut fuzhou = City::open(FUZHOU);
    let node = node_of(FUZHOU, 1);
    let renewed = registry_after(&Federation::get().registry, |draft| {
        let mut new = enrolment(node);
        let key = governance_key(city_code(DINGXI)).public();
        assert_ne!(key, command_key(node).public());
        new.keys = [(tongban_types::KeyRole::Command, stranger().public())].into();
        draft.enrol(&new).unwrap();
    });
    fuzhou.enter_registry(renewed).unwrap();
    let command = collecting(&mut fuzhou);
    let old = batch(
        fuzhou.group(),
        command_key(node),
        std::slice::from_ref(&command),
    );
    assert_eq!(fuzhou.apply(old).results, [Err(Refusal::KeyWithoutRight)]);
    let new = batch(fuzhou.group(), stranger(), &[command]);
    assert!(
        fuzhou.apply(new).results[0].is_ok(),
        "the same act is signed again and taken"
    );
}

#[test]
fn an_id_used_for_something_else_is_noticed() {
    let mut fuzhou = City::open(FUZHOU);
    let first = collecting(&mut fuzhou);
    let mut second = collecting(&mut fuzhou);
    second.id = first.id;
    let results = fuzhou.submit(&[first, second]);
    assert!(results[0].is_ok());
    assert_eq!(results[1], Err(Refusal::IdReused));
    assert_ne!(
        CommandId::derive(b"a", b"bc"),
        CommandId::derive(b"ab", b"c")
    );
}
