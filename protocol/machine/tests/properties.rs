//! What holds of every log whatsoever. Counts are chosen so that all of it takes seconds: every
//! step signs and verifies.

use proptest::prelude::*;
use tongban_machine::{
    CaseRecord, CheckedEntry, Machine, MemoryView, Standpoint, is_about_places, is_of_parcels,
    list_cases, load_case, movements,
};
use tongban_types::{
    BatchHead, CaseState, CommandBatch, Entry, Purpose, Record, VoterReport, decode, encode, limits,
};

use crate::arbitrary::{World, honest_steps, lying_steps};
use crate::common::prelude::*;

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(few(400))]

    #[test]
    fn any_bytes_are_applied_without_panic(
        kind in prop_oneof![Just(Entry::KIND), any::<u16>()],
        tag in 0_u8..6,
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend(Entry::VERSION.to_le_bytes());
        bytes.push(tag);
        bytes.extend(rest);
        apply_anywhere(bytes);
    }

    #[test]
    fn a_damaged_entry_is_applied_without_panic(
        which in 0_usize..6,
        damage in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4),
        cut in any::<u16>(),
    ) {
        let mut bytes = sound_entries().swap_remove(which);
        for (at, byte) in damage {
            let at = usize::from(at) % bytes.len();
            bytes[at] ^= byte;
        }
        let length = bytes.len();
        if usize::from(cut) % 4 == 0 {
            bytes.truncate(usize::from(cut) % length);
        }
        apply_anywhere(bytes);
    }
}

/// On an empty state and on one that is set up.
fn apply_anywhere(bytes: Vec<u8>) {
    static SET_UP: std::sync::LazyLock<(Machine, MemoryView)> = std::sync::LazyLock::new(|| {
        let city = City::open(FUZHOU);
        let machine = Machine::new(city.group(), Federation::get().genesis);
        (machine, city.view)
    });
    let (machine, view) = &*SET_UP;
    let entry = CheckedEntry::check(machine.group(), bytes);
    for view in [&MemoryView::default(), view] {
        let applied = machine.apply(view, 1_000, &entry);
        assert!(!applied.reply.results.is_empty() || entry.refusal().is_some());
    }
}

/// One of each kind.
fn sound_entries() -> Vec<Vec<u8>> {
    static MADE: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(|| {
        let (mut fuzhou, weinan) = (City::open(FUZHOU), City::open(WEINAN));
        in_transit(&mut fuzhou, &weinan);
        let packet = packets_for(&fuzhou, weinan.group())[0];
        let report = fuzhou.report_of(voters_of(FUZHOU)[0], fuzhou.time());
        let signed = voter_key(report.voter).sign(Purpose::VoterReport, encode(&report));
        vec![
            fuzhou.log.last().expect("it collected").clone(),
            encode(&Entry::Report(signed)),
            encode(&Entry::Parcels(certify(&fuzhou, packet))),
            encode(&Entry::Registry(Federation::get().file.clone())),
            encode(&Entry::Registries(vec![
                Federation::get().file.clone(),
                registry_after(&Federation::get().registry, |_| {}),
            ])),
            encode(&signed_placement(&placement(FUZHOU, 1))),
        ]
    });
    MADE.clone()
}

/// Its tag tells what an entry is about, and is told by number there: a kind that is added is to be
/// put among the sound ones above, and thought of in both questions.
#[test]
fn the_tag_alone_tells_what_is_about_places_or_of_parcels() {
    let mut tags = Vec::new();
    for bytes in sound_entries() {
        let (tag, told) = match decode(&bytes).expect("it is sound") {
            Entry::Commands(_) => (0, (false, false)),
            Entry::Report(_) => (1, (false, false)),
            Entry::Parcels(_) => (2, (false, true)),
            Entry::Registry(_) => (3, (true, false)),
            Entry::Registries(_) => (4, (true, false)),
            Entry::Placement(_) => (5, (true, false)),
        };
        assert_eq!((is_about_places(&bytes), is_of_parcels(&bytes)), told);
        tags.push(tag);
    }
    assert_eq!(tags, [0, 1, 2, 3, 4, 5], "one of each kind");
}

proptest! {
    #![proptest_config(few(12))]

    #[test]
    fn every_case_has_one_owner_and_comes_home(steps in honest_steps(100)) {
        let mut world = World::open();
        for step in &steps {
            world.step(step);
            world.assert_one_owner();
        }
        for city in &world.towns {
            assert_replays(city);
            assert_batches_do_not_matter(city);
        }
        bring_home(&mut world);
    }

    #[test]
    fn even_lies_certified_by_whole_groups_break_no_invariant(steps in lying_steps(60)) {
        let mut world = World::open();
        for step in &steps {
            world.step(step);
        }
        for city in &world.towns {
            assert_replays(city);
        }
    }
}

/// A replica that applies the same log comes to the same state, to the byte.
fn assert_replays(city: &City) {
    let mut replica = City::empty(city.code);
    for bytes in &city.log {
        let index = replica.index + 1;
        let entry = CheckedEntry::check(replica.group(), bytes.clone());
        let applied = replica.machine.apply(&replica.view, index, &entry);
        replica.view.commit(&applied.writes);
        replica.index = index;
    }
    assert_eq!(replica.hash(), city.hash());
    assert_eq!(replica.view, city.view);
}

/// The same commands one by one lead to the same cases.
fn assert_batches_do_not_matter(city: &City) {
    let mut single = City::empty(city.code);
    let mut enter = |bytes: Vec<u8>| {
        single.index += 1;
        let entry = CheckedEntry::check(single.group(), bytes);
        let applied = single.machine.apply(&single.view, single.index, &entry);
        single.view.commit(&applied.writes);
    };
    for bytes in &city.log {
        match decode(bytes) {
            Ok(Entry::Commands(batch)) => {
                for command in batch.commands {
                    enter(signed_alone(city, command));
                }
            }
            _ => enter(bytes.clone()),
        }
    }
    let cases = list_cases(&city.view, None, 1_000);
    assert_eq!(list_cases(&single.view, None, 1_000), cases);
    for case in &cases.cases {
        let number = case.envelope.number;
        assert_eq!(
            movements(&single.view, number, 1_000),
            movements(&city.view, number, 1_000)
        );
    }
}

fn signed_alone(city: &City, command: Vec<u8>) -> Vec<u8> {
    let commands = vec![command];
    let head = BatchHead::of(city.group(), &commands).signed_bytes();
    let signed = command_key(node_of(city.code, 1)).sign(Purpose::CommandBatch, head);
    encode(&Entry::Commands(CommandBatch {
        signer: signed.signer,
        signature: signed.signature,
        commands,
    }))
}

/// Once the lines are whole and the clocks agree, nothing is left to say and every mirror shows what
/// its owner has.
fn bring_home(world: &mut World) {
    let is_quiet = (0..8).any(|_| {
        let time = world.towns.iter().map(City::time).max();
        let time = time.expect("there are towns");
        for town in &mut world.towns {
            // What a clock that ran ahead made a mirror miss is told again after a while.
            town.set_time(time.plus_ms(limits::RESEND_AFTER_MS + 1));
        }
        carry_everything(world) == 0
    });
    assert!(is_quiet, "somebody has always something to say");
    world.assert_one_owner();
    for case in &world.cases {
        let holds = |town: &&City| load_case(&town.view, *case).is_some();
        let holders: Vec<_> = world.towns.iter().filter(holds).collect();
        match holders[..] {
            [left, right] => {
                let (intake, authority) = match left.case(*case).standpoint {
                    Standpoint::Mirror => (left, right),
                    Standpoint::Owner => (right, left),
                };
                let mirror = intake.case(*case);
                assert_eq!(mirror.pending, None, "{case}");
                assert_eq!(mirror.standpoint, Standpoint::Mirror, "{case}");
                assert_tells_all(&mirror, intake, authority);
            }
            [only] => {
                let record = only.case(*case);
                assert_eq!(record.pending, None, "{case}");
                assert_ne!(record.state, CaseState::InTransit, "{case}");
            }
            [] => {}
            _ => panic!("{case} is known to {} cities", holders.len()),
        }
    }
}

fn assert_tells_all(mirror: &CaseRecord, intake: &City, authority: &City) {
    let number = mirror.envelope.number;
    let owner = authority.case(number);
    assert_eq!(mirror.state, owner.state, "{number}");
    assert_eq!(mirror.form, owner.form, "{number}");
    assert_eq!(
        (&mirror.accepted, &mirror.decision),
        (&owner.accepted, &owner.decision)
    );
    assert_eq!(
        (mirror.received_at, mirror.noticed_at, mirror.notice_due),
        (owner.received_at, owner.noticed_at, owner.notice_due)
    );
    let told = |city: &City| {
        let steps = city.steps(number).into_iter();
        let ours = [CaseState::Collected, CaseState::InTransit];
        steps
            .filter(|step| !ours.contains(&step.state))
            .map(|step| (step.state, step.at, step.actor))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(intake), told(authority), "{number}");
}

fn carry_everything(world: &mut World) -> usize {
    let mut all = 0;
    for _ in 0..50 {
        let mut carried = 0;
        for from in 0..world.towns.len() {
            for to in 0..world.towns.len() {
                if let Ok([from, to]) = world.towns.get_disjoint_mut([from, to]) {
                    carried += carry(from, to);
                }
            }
        }
        all += carried;
        if carried == 0 {
            return all;
        }
    }
    panic!("parcels give rise to parcels without end");
}

#[test]
fn a_report_of_a_time_that_cannot_be_changes_no_time() {
    for ms in [i64::MIN, -1, 0, 1, i64::MAX] {
        let mut fuzhou = City::open(FUZHOU);
        in_transit(&mut fuzhou, &City::empty(WEINAN));
        let before = fuzhou.time();
        for voter in voters_of(FUZHOU) {
            let time = tongban_types::Timestamp::from_unix_ms(ms);
            let report = VoterReport {
                time,
                ..fuzhou.report_of(voter, time)
            };
            fuzhou.report(&report);
        }
        assert_eq!(fuzhou.time(), before, "no key signs at {ms}");
    }
}

/// The generator must not pass by doing nothing.
#[test]
fn arbitrary_worlds_come_to_every_state() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let steps = honest_steps(120).new_tree(&mut runner).unwrap().current();
        let mut world = World::open();
        for step in &steps {
            world.step(step);
        }
        for city in &world.towns {
            for record in list_cases(&city.view, None, 1_000).cases {
                let steps = city.steps(record.envelope.number);
                reached.extend(steps.into_iter().map(|step| step.state));
            }
        }
    }
    let all: std::collections::BTreeSet<_> = CaseState::ALL.into_iter().collect();
    let missing: Vec<_> = all.difference(&reached).collect();
    assert!(missing.is_empty(), "never {missing:?}");
}
