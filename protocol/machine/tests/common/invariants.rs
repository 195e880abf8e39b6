//! What must hold after every entry, whoever sent it.

use tongban_machine::{
    Applied, CaseRecord, MemoryView, Standpoint, Write, cases_in_state, ground, list_cases,
    load_case, movements,
};
use tongban_types::{CaseState, GroupId, limits};

/// What one step may not do.
pub(crate) fn check_entry(before: &MemoryView, applied: &Applied, after: &MemoryView) {
    let (was, is) = (ground(before), ground(after));
    assert!(is.time >= was.time, "group time never goes back");
    assert!(is.registry >= was.registry, "the registry never goes back");
    assert!(is.calendar >= was.calendar, "the calendar never goes back");
    assert!(
        is.lease_number >= was.lease_number,
        "a fencing number is never given twice"
    );
    assert!(
        is.outbox_next >= was.outbox_next,
        "a position is never given twice"
    );
    for (key, write) in &applied.writes {
        assert!(key.len() <= 128, "keys are short");
        if let Write::Put(bytes) = write {
            assert!(
                bytes.len() <= limits::VALUE_BYTES_MAX,
                "{} bytes under {key:?}",
                bytes.len()
            );
        }
    }
    for record in list_cases(before, None, 1_000).cases {
        let now = load_case(after, record.envelope.number).expect("a case is never lost");
        check_step(&record, &now);
    }
}

fn check_step(before: &CaseRecord, after: &CaseRecord) {
    assert!(after.version >= before.version, "a version never goes back");
    // A day reckoned by a newer calendar is no change of the case.
    let changed = CaseRecord {
        notice_due: after.notice_due,
        promise_due: after.promise_due,
        statutory_due: after.statutory_due,
        ..before.clone()
    } != *after;
    assert!(
        !changed || after.version > before.version,
        "a change counts up the version"
    );
    let ends = [CaseState::Withdrawn, CaseState::Delivered];
    if ends.contains(&before.state) && before.standpoint == Standpoint::Owner {
        assert_eq!(after.state, before.state, "an ended case stays ended");
    }
    if before.state.is_decided() && before.standpoint == Standpoint::Owner {
        assert!(after.state.is_decided(), "a decision is not undone");
    }
    let returns = before.standpoint == Standpoint::Mirror && after.standpoint == Standpoint::Owner;
    assert!(!returns, "a case handed over does not come back by itself");
}

/// What every state of a group looks like.
pub(crate) fn check_view(view: &MemoryView, group: GroupId) {
    let ground = ground(view);
    let listing = list_cases(view, None, 10_000);
    assert_eq!(
        listing.cases.len() as u64,
        ground.cases,
        "every case is counted once"
    );
    let mut listed = 0;
    for state in CaseState::ALL {
        let in_state = cases_in_state(view, state, None, 10_000).cases;
        assert!(in_state.iter().all(|case| case.state == state));
        listed += in_state.len();
    }
    assert_eq!(
        listed,
        listing.cases.len(),
        "every case stands in the list of its state alone"
    );
    for case in &listing.cases {
        check_case(view, case, group);
    }
}

fn check_case(view: &MemoryView, case: &CaseRecord, group: GroupId) {
    let envelope = &case.envelope;
    let is_party = [envelope.intake, envelope.authority].contains(&group.city());
    assert!(is_party, "a group keeps the cases of its own city");
    if envelope.authority == group.city() {
        assert_eq!(
            case.standpoint,
            Standpoint::Owner,
            "an authority follows nobody"
        );
    } else if case.standpoint == Standpoint::Owner {
        let before = [
            CaseState::Collected,
            CaseState::InTransit,
            CaseState::Withdrawn,
        ];
        assert!(
            before.contains(&case.state),
            "an intake city owns it only before the authority"
        );
    }
    let steps = movements(view, envelope.number, 10_000);
    let last = steps.last().expect("a case came to its state by a step");
    assert_eq!(
        (last.state, last.at),
        (case.state, case.since),
        "the last step led here"
    );
    assert!(
        steps.len() as u64 <= u64::from(case.version.0),
        "each step is a version"
    );
    let on_its_way = [CaseState::Collected, CaseState::InTransit].contains(&case.state);
    let waits = on_its_way || [CaseState::Received, CaseState::Corrected].contains(&case.state);
    if case.standpoint == Standpoint::Owner {
        assert_eq!(
            case.notice_due.is_some(),
            waits,
            "the notice's clock runs while it must"
        );
        assert_eq!(
            case.decision.is_some(),
            is_after_decision(case),
            "decided when it says so"
        );
    }
    if let (Some(review), Some(decision)) = (&case.review, &case.decision) {
        assert_ne!(review.by.person, decision.by.person, "two people decide");
    }
}

fn is_after_decision(case: &CaseRecord) -> bool {
    match case.state {
        CaseState::Granted | CaseState::Refused => true,
        // What was not accepted is delivered too.
        CaseState::Delivered => case.decision.is_some(),
        _ => false,
    }
}
