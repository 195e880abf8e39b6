//! One group owns a case: never two where both could act, never none, and never a third city's.

use tongban_machine::{CaseRecord, Standpoint};
use tongban_types::{CaseState, GroupId};

use super::Violation;
use crate::world::sight::Sight;

const NAME: &str = "one owner a case";

/// Judges the newest states of all groups.
pub fn check(sight: &Sight) -> Result<(), Violation> {
    for (group, record) in sight.records() {
        let envelope = &record.envelope;
        let (intake, authority) = (GroupId(envelope.intake), GroupId(envelope.authority));
        if group != intake && group != authority {
            return broken(
                record,
                &format!("is in the log of {group}, which is no party"),
            );
        }
        if group == authority && record.standpoint != Standpoint::Owner {
            return broken(record, "is not owned by its authority, which holds it");
        }
        if group == intake && intake != authority {
            check_pair(record, sight, authority)?;
        }
    }
    Ok(())
}

/// The receiving city's record beside the authority's.
fn check_pair(record: &CaseRecord, sight: &Sight, authority: GroupId) -> Result<(), Violation> {
    let Some(there) = sight.newest(authority) else {
        return Ok(());
    };
    let is_there = there.cases.contains_key(&record.envelope.number);
    match record.standpoint {
        // In transit the receiving city acts no more; the authority may own it already.
        Standpoint::Owner if is_there && record.state != CaseState::InTransit => broken(
            record,
            &format!("has two owners, {} in the first", record.state),
        ),
        Standpoint::Mirror if !is_there => broken(record, "has no owner"),
        _ => Ok(()),
    }
}

fn broken(record: &CaseRecord, what: &str) -> Result<(), Violation> {
    Err(Violation::new(
        NAME,
        format!("{} {what}", record.envelope.number),
    ))
}
