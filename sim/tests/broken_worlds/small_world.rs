//! A world of two cities and one case, as the checkers see it.

use tongban_machine::{CaseRecord, DecisionRecord, DocumentStage, Standpoint};
use tongban_sim::world::federation::{city, group, node};
use tongban_sim::world::oracle::{Oracle, Taken};
use tongban_sim::world::sight::{GroupSight, ReplicaSight, Sight};
use tongban_types::{
    CaseEnvelope, CaseNumber, CaseState, CaseVersion, Channel, CivilDay, CommandId, Decision,
    Division, HandlingMode, Hash, ItemCode, ItemVersion, Role, Timestamp,
};

pub(crate) const INTAKE: usize = 0;
pub(crate) const AUTHORITY: usize = 4;

pub(crate) fn number() -> CaseNumber {
    let day = CivilDay::from_ymd(2026, 3, 2).unwrap();
    CaseNumber::new(city(INTAKE), day, 1, 7).unwrap()
}

pub(crate) fn record(standpoint: Standpoint, state: CaseState) -> CaseRecord {
    let actor = tongban_types::Actor {
        city: city(INTAKE),
        person: tongban_types::PersonId::new("clerk-1").unwrap(),
        role: Role::Clerk,
    };
    let envelope = CaseEnvelope {
        number: number(),
        item: ItemVersion {
            code: ItemCode::new("000109900001").unwrap(),
            version: 1,
        },
        item_file: Hash::default(),
        mode: HandlingMode::CollectedElsewhere,
        intake: city(INTAKE),
        authority: city(AUTHORITY),
        authority_division: Division::new(city(AUTHORITY).number()).unwrap(),
        subject: Hash::default(),
        channel: Channel::Window,
        collected_at: Timestamp::from_unix_ms(1_000),
        collected_by: actor,
        form: Hash::default(),
    };
    CaseRecord {
        form: envelope.form,
        standpoint,
        state,
        version: CaseVersion(3),
        since: envelope.collected_at,
        transfers: 1,
        transfer_refused: None,
        received_at: None,
        noticed_at: None,
        notice_from: envelope.collected_at,
        in_log_at: envelope.collected_at,
        notice_due: None,
        accepted: None,
        review: None,
        decision: None,
        promise_due: None,
        statutory_due: None,
        document: DocumentStage::None,
        pending: None,
        request_refused: None,
        envelope,
    }
}

pub(crate) fn decided(decision: Decision, state: CaseState) -> CaseRecord {
    let mut decided = record(Standpoint::Owner, state);
    let by = decided.envelope.collected_by.clone();
    decided.decision = Some(DecisionRecord {
        at: Timestamp::from_unix_ms(2_000),
        by,
        decision,
    });
    decided
}

pub(crate) fn replica(place: usize, index: u64, cases: &[CaseRecord]) -> ReplicaSight {
    ReplicaSight {
        node: node(place),
        index,
        time: Timestamp::from_unix_ms(5_000),
        state: Hash::default(),
        cases: cases
            .iter()
            .map(|one| (one.envelope.number, one.clone()))
            .collect(),
        unanswered: 0,
        evidence: 0,
    }
}

/// A world in which the two cities hold these records.
pub(crate) fn world(at_intake: Option<CaseRecord>, at_authority: Option<CaseRecord>) -> Sight {
    let sight = |place: usize, cases: Option<CaseRecord>| {
        let replicas = vec![replica(place, 9, cases.as_slice())];
        (
            group(place),
            GroupSight {
                reached: 9,
                replicas,
            },
        )
    };
    Sight {
        groups: [sight(INTAKE, at_intake), sight(AUTHORITY, at_authority)].into(),
    }
}

pub(crate) fn told() -> Oracle {
    let mut oracle = Oracle::default();
    let taken = Taken {
        intake: city(INTAKE),
        authority: city(AUTHORITY),
        handed_over: true,
        replicated: true,
    };
    oracle.on_taken(CommandId(Hash([1; 32])), number(), taken);
    oracle
}
