//! A document is issued for a granted case only, and what is issued verifies by the registry.

use tongban_machine::{CaseRecord, DocumentStage};
use tongban_trust::{Indication, Registry, verify_document};
use tongban_types::{CaseNumber, CaseState, Decision, Timestamp};

use super::Violation;
use crate::world::sight::Sight;

const NAME: &str = "documents for granted cases only";

/// Judges the newest states.
pub fn check(sight: &Sight) -> Result<(), Violation> {
    for (_, record) in sight.records() {
        let is_granted = matches!(record.state, CaseState::Granted | CaseState::Delivered)
            && record
                .decision
                .as_ref()
                .is_some_and(|made| made.decision == Decision::Grant);
        if record.document != DocumentStage::None && !is_granted {
            return broken(
                record.envelope.number,
                &format!("has one and is {}", record.state),
            );
        }
    }
    Ok(())
}

/// Judges a document that a party's node shows.
pub fn check_issued(
    record: &CaseRecord,
    text: Option<&str>,
    registry: &Registry,
    at: Timestamp,
) -> Result<(), Violation> {
    let number = record.envelope.number;
    match (&record.document, text) {
        (DocumentStage::Issued { .. }, Some(text)) => {
            let report = verify_document(text.as_bytes(), registry, at);
            if report.indication == Indication::TotalPassed {
                return Ok(());
            }
            broken(
                number,
                &format!("does not verify: {:?}", report.sub_indication),
            )
        }
        (DocumentStage::Issued { .. }, None) => broken(number, "cannot be opened by its city"),
        (_, Some(_)) => broken(number, "is shown though none is issued"),
        (_, None) => Ok(()),
    }
}

fn broken(case: CaseNumber, what: &str) -> Result<(), Violation> {
    Err(Violation::new(
        NAME,
        format!("the document of {case} {what}"),
    ))
}
