//! A page of a list that is narrowed by what nothing is sorted by.

use tongban_runtime::{CasePage, CaseRecord, NodeError};
use tongban_types::CaseNumber;

use crate::limits::{LOOKED_THROUGH_MAX, PAGE_MAX};
use crate::problem::Problem;

/// The first `limit` cases that are taken, read in pages of [`PAGE_MAX`], of which a bounded number is looked
/// through.
pub(super) fn look_through(
    mut from: Option<CaseNumber>,
    limit: usize,
    takes: impl Fn(&CaseRecord) -> bool,
    read: impl Fn(Option<CaseNumber>) -> Result<CasePage, NodeError>,
) -> Result<CasePage, Problem> {
    let mut found = Vec::new();
    for _ in 0..LOOKED_THROUGH_MAX / PAGE_MAX {
        let page = read(from)?;
        from = page.next;
        for record in page.cases.into_iter().filter(|record| takes(record)) {
            if found.len() == limit {
                let next = Some(record.envelope.number);
                return Ok(CasePage { cases: found, next });
            }
            found.push(record);
        }
        if from.is_none() {
            break;
        }
    }
    Ok(CasePage {
        cases: found,
        next: from,
    })
}
