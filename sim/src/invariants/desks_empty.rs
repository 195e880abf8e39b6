//! Once the world is calm nothing waits: desks are empty, packets answered, requests met, documents
//! issued.

use tongban_machine::DocumentStage;
use tongban_types::NodeId;

use super::Violation;
use crate::world::sight::Sight;

const NAME: &str = "nothing waits";

/// Judges desks, by node, and the newest states.
pub fn check(desks: &[(NodeId, usize)], sight: &Sight) -> Result<(), Violation> {
    for (node, waiting) in desks {
        if *waiting > 0 {
            return broken(format!("{waiting} applications wait at the desk of {node}"));
        }
    }
    for (group, seen) in &sight.groups {
        let Some(newest) = seen.newest() else {
            return broken(format!("no replica of {group} is up to date"));
        };
        if newest.unanswered > 0 {
            return broken(format!(
                "{} packets of {group} are not answered",
                newest.unanswered
            ));
        }
    }
    for (group, record) in sight.records() {
        let number = record.envelope.number;
        if record.pending.is_some() {
            return broken(format!("{number}: a request of {group} is not answered"));
        }
        if matches!(
            record.document,
            DocumentStage::Owed | DocumentStage::Prepared { .. }
        ) {
            return broken(format!("{number}: the document is not issued"));
        }
    }
    Ok(())
}

fn broken(what: String) -> Result<(), Violation> {
    Err(Violation::new(NAME, what))
}
