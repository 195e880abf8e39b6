//! Each checker is put before a world that breaks its invariant, beside one that does not.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod small_world;

use std::collections::BTreeMap;
use std::time::Duration;

use tongban_machine::{CaseRecord, DocumentStage, Standpoint};
use tongban_runtime::{GroupReport, NodeReport, Request};
use tongban_sim::invariants::group_time::GroupTime;
use tongban_sim::invariants::log_hashes::LogHashes;
use tongban_sim::invariants::no_early_deadline::NoEarlyDeadline;
use tongban_sim::invariants::once_only::OnceOnly;
use tongban_sim::invariants::replicas_equal::Content;
use tongban_sim::invariants::{
    clean_logs, desks_empty, documents, nothing_lost, once_only, one_owner, reads, replicas_equal,
    served, standing,
};
use tongban_sim::runtime::World;
use tongban_sim::world::federation::{Federation, city, group, node};
use tongban_sim::world::oracle::{ActTaken, Asked, CarriedOut, Oracle};
use tongban_sim::world::sight::GroupSight;
use tongban_types::{
    CaseNumber, CaseState, CaseVersion, CivilDay, CommandId, Decision, GroupId, Hash, Timestamp,
};

use small_world::{AUTHORITY, INTAKE, decided, number, record, replica, told, world};

#[test]
fn two_states_at_one_index_are_found() {
    let mut hashes = LogHashes::default();
    assert!(
        hashes
            .on_applied(node(0), group(0), 5, Hash([1; 32]))
            .is_ok()
    );
    assert!(
        hashes
            .on_applied(node(1), group(0), 5, Hash([1; 32]))
            .is_ok()
    );
    assert!(
        hashes
            .on_applied(node(1), group(1), 5, Hash([2; 32]))
            .is_ok()
    );
    assert!(
        hashes
            .on_applied(node(2), group(0), 5, Hash([2; 32]))
            .is_err()
    );
    assert_eq!(hashes.reached(group(0)), 5);
}

#[test]
fn two_owners_no_owner_and_strangers_are_found() {
    use CaseState::{Accepted, Collected, InTransit, Received};
    let owner = |state| Some(record(Standpoint::Owner, state));
    let mirror = |state| Some(record(Standpoint::Mirror, state));
    assert!(one_owner::check(&world(owner(Collected), None)).is_ok());
    assert!(one_owner::check(&world(owner(InTransit), owner(Received))).is_ok());
    assert!(one_owner::check(&world(mirror(Received), owner(Accepted))).is_ok());
    assert!(one_owner::check(&world(owner(Collected), owner(Received))).is_err());
    assert!(one_owner::check(&world(mirror(Received), None)).is_err());
    assert!(one_owner::check(&world(owner(InTransit), mirror(Received))).is_err());
    let mut stranger = world(None, None);
    let cases = [record(Standpoint::Owner, Collected)];
    let sight = GroupSight {
        reached: 9,
        replicas: vec![replica(2, 9, &cases)],
    };
    stranger.groups.insert(group(2), sight);
    assert!(one_owner::check(&stranger).is_err());
}

#[test]
fn a_replica_that_replays_its_log_proves_nothing() {
    let mut behind = world(
        Some(record(Standpoint::Owner, CaseState::Collected)),
        Some(record(Standpoint::Owner, CaseState::Received)),
    );
    behind
        .groups
        .entry(group(INTAKE))
        .and_modify(|sight| sight.reached = 10);
    assert!(one_owner::check(&behind).is_ok());
}

#[test]
fn an_acknowledged_application_that_is_gone_is_found() {
    let past = nothing_lost::Histories::new();
    let whole = world(
        Some(record(Standpoint::Mirror, CaseState::Received)),
        Some(record(Standpoint::Owner, CaseState::Received)),
    );
    assert!(nothing_lost::check(&told(), &whole, &past).is_ok());
    let lost = world(None, Some(record(Standpoint::Owner, CaseState::Received)));
    assert!(nothing_lost::check(&told(), &lost, &past).is_err());
    let never_came = world(Some(record(Standpoint::Owner, CaseState::InTransit)), None);
    assert!(nothing_lost::check(&told(), &never_came, &past).is_err());
}

#[test]
fn an_acknowledged_act_that_is_gone_is_found() {
    let whole = world(
        Some(record(Standpoint::Mirror, CaseState::Accepted)),
        Some(record(Standpoint::Owner, CaseState::Accepted)),
    );
    let mut oracle = told();
    oracle.on_act(ActTaken {
        id: CommandId(Hash([2; 32])),
        case: number(),
        group: group(AUTHORITY),
        state: CaseState::Accepted,
        version: CaseVersion(3),
        decision: None,
    });
    let history = |states: &[CaseState]| {
        nothing_lost::Histories::from([((group(AUTHORITY), number()), states.to_vec())])
    };
    let kept = history(&[CaseState::Received, CaseState::Accepted]);
    assert!(nothing_lost::check(&oracle, &whole, &kept).is_ok());
    let gone = history(&[CaseState::Received]);
    assert!(nothing_lost::check(&oracle, &whole, &gone).is_err());
}

#[test]
fn a_number_given_twice_and_a_changed_decision_are_found() {
    let granted = decided(Decision::Grant, CaseState::Granted);
    let mut once = OnceOnly::default();
    assert!(once.check(&world(None, Some(granted.clone()))).is_ok());
    let refused = decided(Decision::Refuse, CaseState::Refused);
    assert!(once.check(&world(None, Some(refused))).is_err());
    let mut again = granted.clone();
    let decision = again.decision.as_mut().unwrap();
    decision.at = decision.at.plus_ms(1);
    assert!(once.check(&world(None, Some(again))).is_err());
    let mut other = granted.clone();
    other.envelope.form = Hash([9; 32]);
    assert!(once.check(&world(None, Some(other))).is_err());
    let mut back = granted;
    back.version = CaseVersion(2);
    assert!(once.check(&world(None, Some(back))).is_err());
}

#[test]
fn one_application_under_two_numbers_is_found() {
    let mut oracle = told();
    assert!(once_only::check_answers(&oracle).is_ok());
    let second = CaseNumber::new(city(INTAKE), number().day(), 1, 8).unwrap();
    let taken = *oracle.taken().next().unwrap().1;
    oracle.on_taken(CommandId(Hash([1; 32])), second, taken);
    assert!(once_only::check_answers(&oracle).is_err());
}

/// What the intake group carried out under an id.
fn entered(oracle: &mut Oracle, id: u8, sequence: u32) {
    let case = CaseNumber::new(city(INTAKE), number().day(), 1, sequence).unwrap();
    let id = CommandId(Hash([id; 32]));
    oracle.on_tried(id, group(INTAKE), Asked::Application);
    let done = CarriedOut {
        asked: Asked::Application,
        group: group(INTAKE),
        case,
        version: CaseVersion(1),
        state: CaseState::Collected,
    };
    oracle.on_carried_out(id, done);
}

#[test]
fn an_application_entered_twice_is_found() {
    let mut oracle = told();
    entered(&mut oracle, 1, 7);
    let mut held = world(Some(record(Standpoint::Owner, CaseState::Collected)), None);
    assert!(once_only::check_entered(&oracle, &held).is_ok());
    assert!(once_only::check_told(&oracle).is_ok());
    let mut second = record(Standpoint::Owner, CaseState::Collected);
    second.envelope.number = CaseNumber::new(city(INTAKE), number().day(), 1, 8).unwrap();
    let replica = &mut held.groups.get_mut(&group(INTAKE)).unwrap().replicas[0];
    replica.cases.insert(second.envelope.number, second);
    assert!(once_only::check_entered(&oracle, &held).is_err());
    // Two applications that are really two.
    entered(&mut oracle, 3, 8);
    assert!(once_only::check_entered(&oracle, &held).is_ok());
    // One of them told another number than the one it was entered under.
    let other = CaseNumber::new(city(INTAKE), number().day(), 1, 9).unwrap();
    let taken = *oracle.taken().next().unwrap().1;
    oracle.on_taken(CommandId(Hash([3; 32])), other, taken);
    assert!(once_only::check_told(&oracle).is_err());
    // Two applications under one number.
    entered(&mut oracle, 4, 8);
    assert!(once_only::check_entered(&oracle, &held).is_err());
}

#[test]
fn an_entered_application_that_is_gone_is_found() {
    let mut oracle = Oracle::default();
    entered(&mut oracle, 1, 7);
    assert!(once_only::check_entered(&oracle, &world(None, None)).is_err());
}

#[test]
fn an_act_that_is_refused_and_carried_out_and_a_false_answer_are_found() {
    let id = CommandId(Hash([2; 32]));
    let mut oracle = Oracle::default();
    oracle.on_tried(id, group(AUTHORITY), Asked::Act);
    let done = |version| CarriedOut {
        asked: Asked::Act,
        group: group(AUTHORITY),
        case: number(),
        version: CaseVersion(version),
        state: CaseState::Accepted,
    };
    oracle.on_refused(id, "accept".to_owned());
    assert!(once_only::check_answers(&oracle).is_ok());
    oracle.on_carried_out(id, done(3));
    assert!(once_only::check_answers(&oracle).is_err());
    let mut oracle = Oracle::default();
    oracle.on_act(ActTaken {
        id,
        case: number(),
        group: group(AUTHORITY),
        state: CaseState::Accepted,
        version: CaseVersion(3),
        decision: None,
    });
    assert!(once_only::check_told(&oracle).is_err());
    oracle.on_carried_out(id, done(4));
    assert!(once_only::check_told(&oracle).is_err());
    oracle.on_carried_out(id, done(3));
    assert!(once_only::check_told(&oracle).is_ok());
}

#[test]
fn a_stale_read_is_found() {
    use reads::{Shown, Told};
    let told = |version| Told {
        case: number(),
        version,
    };
    let (two, three) = (CaseVersion(2), CaseVersion(3));
    assert!(reads::check(told(Some(three)), Shown::At(three)).is_ok());
    assert!(reads::check(told(Some(three)), Shown::At(two)).is_err());
    assert!(reads::check(told(Some(two)), Shown::AtTheDesk).is_err());
    assert!(reads::check(told(None), Shown::AtTheDesk).is_ok());
    assert!(reads::check(told(None), Shown::At(two)).is_ok());
    assert!(reads::check(told(None), Shown::Nothing).is_err());
}

#[test]
fn silence_that_accepts_before_the_last_day_is_over_is_found() {
    let federation = {
        World::reset(1);
        Federation::draw()
    };
    let at = |month, day, ms| {
        let day = CivilDay::from_ymd(2026, month, day).unwrap();
        day.first_ms().plus_ms(ms)
    };
    // Received on a Friday; its next Monday is a holiday, so the fifth working day is a Monday again.
    let mut case = record(Standpoint::Owner, CaseState::Accepted);
    case.envelope.collected_at = at(4, 3, 9 * 3_600_000);
    let by = case.envelope.collected_by.clone();
    case.accepted = Some(tongban_machine::Acceptance {
        at: case.envelope.collected_at,
        by,
        deemed: true,
    });
    let check = |case: &CaseRecord, shown: Timestamp| {
        let shown = [(group(AUTHORITY), shown)].into();
        let sight = world(None, Some(case.clone()));
        NoEarlyDeadline::default().check(&sight, &shown, &federation.calendar)
    };
    assert!(check(&case, at(4, 14, 0)).is_ok());
    assert!(check(&case, at(4, 14, -1)).is_err());
    // A notice was given a day of work later, and corrected at once.
    case.noticed_at = Some(at(4, 7, 0));
    assert!(check(&case, at(4, 14, 0)).is_err());
    assert!(check(&case, at(4, 15, 0)).is_ok());
}

#[test]
fn an_acknowledged_decision_that_does_not_stand_is_found() {
    let mut oracle = told();
    oracle.on_act(ActTaken {
        id: CommandId(Hash([2; 32])),
        case: number(),
        group: group(AUTHORITY),
        state: CaseState::Granted,
        version: CaseVersion(3),
        decision: Some(Decision::Grant),
    });
    let granted = world(None, Some(decided(Decision::Grant, CaseState::Granted)));
    assert!(once_only::check_decisions(&oracle, &granted).is_ok());
    let refused = world(None, Some(decided(Decision::Refuse, CaseState::Refused)));
    assert!(once_only::check_decisions(&oracle, &refused).is_err());
}

#[test]
fn group_time_that_hurries_goes_back_or_is_stopped_is_found() {
    let shown = |ms| -> BTreeMap<GroupId, Timestamp> {
        [
            (group(INTAKE), Timestamp::from_unix_ms(ms)),
            (group(AUTHORITY), Timestamp::from_unix_ms(ms)),
        ]
        .into()
    };
    let now = world(None, None);
    assert!(GroupTime::default().check(&now, &shown(5_000)).is_ok());
    assert!(GroupTime::default().check(&now, &shown(4_999)).is_err());
    let mut later = now.clone();
    for sight in later.groups.values_mut() {
        sight.replicas[0].index = 10;
        sight.replicas[0].time = Timestamp::from_unix_ms(4_000);
    }
    let mut time = GroupTime::default();
    assert!(time.check(&now, &shown(5_000)).is_ok());
    assert!(time.check(&later, &shown(5_000)).is_err());
    let both_could_report = |ms| shown(ms);
    assert!(GroupTime::check_owed(&now, &both_could_report(5_000)).is_ok());
    assert!(GroupTime::check_owed(&now, &both_could_report(5_001)).is_err());
    assert!(GroupTime::check_calm(&now, Timestamp::from_unix_ms(20_000)).is_ok());
    assert!(GroupTime::check_calm(&now, Timestamp::from_unix_ms(20_001)).is_err());
}

#[test]
fn a_document_without_a_grant_and_one_that_does_not_verify_are_found() {
    World::reset(1);
    let federation = Federation::draw();
    let issued = DocumentStage::Issued {
        hash: Hash::default(),
    };
    let mut granted = decided(Decision::Grant, CaseState::Granted);
    granted.document = issued;
    assert!(documents::check(&world(None, Some(granted.clone()))).is_ok());
    let mut refused = decided(Decision::Refuse, CaseState::Refused);
    refused.document = issued;
    assert!(documents::check(&world(None, Some(refused))).is_err());
    let now = Timestamp::from_unix_ms(1_772_413_300_000);
    let shown = |text| documents::check_issued(&granted, text, &federation.registry, now);
    assert!(shown(Some("not a document")).is_err());
    assert!(shown(None).is_err());
}

#[test]
fn whatever_waits_in_a_calm_world_is_found() {
    let whole = world(None, Some(record(Standpoint::Owner, CaseState::Received)));
    assert!(desks_empty::check(&[(node(0), 0)], &whole).is_ok());
    assert!(desks_empty::check(&[(node(0), 1)], &whole).is_err());
    let mut packets = whole.clone();
    packets
        .groups
        .entry(group(AUTHORITY))
        .and_modify(|sight| sight.replicas[0].unanswered = 1);
    assert!(desks_empty::check(&[], &packets).is_err());
    let mut behind = whole.clone();
    behind
        .groups
        .entry(group(AUTHORITY))
        .and_modify(|sight| sight.reached = 10);
    assert!(desks_empty::check(&[], &behind).is_err());
    let mut asked = record(Standpoint::Mirror, CaseState::Granted);
    asked.pending = Some(Request::Delivery);
    assert!(desks_empty::check(&[], &world(Some(asked), None)).is_err());
    let mut owed = decided(Decision::Grant, CaseState::Granted);
    owed.document = DocumentStage::Owed;
    assert!(desks_empty::check(&[], &world(None, Some(owed))).is_err());
}

#[test]
fn replicas_that_differ_are_found() {
    let content = |place, index, byte| Content {
        node: node(place),
        index,
        hash: Hash([byte; 32]),
    };
    let check = |contents: &[Content]| replicas_equal::check(group(0), contents);
    assert!(check(&[content(0, 5, 1), content(1, 5, 1), content(2, 5, 1)]).is_ok());
    assert!(check(&[content(0, 5, 1), content(1, 5, 1), content(2, 5, 2)]).is_err());
    assert!(check(&[content(0, 5, 1), content(1, 6, 1)]).is_err());
    assert!(check(&[]).is_err());
}

#[test]
fn a_city_that_does_not_serve_is_found() {
    let soon = Some(Duration::from_secs(1));
    assert!(served::check(&[(city(0), soon), (city(1), soon)]).is_ok());
    assert!(served::check(&[(city(0), soon), (city(1), None)]).is_err());
    assert!(served::check(&[(city(0), Some(served::BOUND * 2))]).is_err());
}

#[test]
fn a_node_that_gives_up_is_found() {
    let report = |failed, stopped, evidence| {
        let status = tongban_runtime::ports::GroupStatus {
            stopped,
            ..Default::default()
        };
        let group = GroupReport {
            group: group(0),
            status,
            time: Timestamp::default(),
            cases: 0,
            unanswered: 0,
            refused: BTreeMap::new(),
            evidence,
            in_touch: 0,
            has_quorum: false,
            can_lose: 0,
            diverged: false,
        };
        NodeReport {
            node: node(0),
            groups: vec![group],
            connected: Vec::new(),
            desk_waiting: 0,
            desk_refused: 0,
            case_keys: 0,
            registry: 1,
            refused_to_peers: BTreeMap::new(),
            relayed: 0,
            draining: false,
            failed,
        }
    };
    assert!(standing::check(&report(false, false, 0)).is_ok());
    assert!(standing::check(&report(true, false, 0)).is_err());
    assert!(standing::check(&report(false, true, 0)).is_err());
    assert!(standing::check(&report(false, false, 1)).is_err());
    assert!(standing::check_start(node(0), None).is_ok());
    assert!(standing::check_start(node(0), Some("damage".to_owned())).is_err());
}

#[test]
fn an_error_in_the_logs_is_found() {
    assert!(clean_logs::check(&[]).is_ok());
    assert!(clean_logs::check(&["node 1 ERROR".to_owned()]).is_err());
}
