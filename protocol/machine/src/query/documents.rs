//! Documents: what of them is there, and what is still owed.

use tongban_types::{CaseNumber, Sealed};

use super::cases::{listing_of, numbers_below};
use super::{CaseListing, load_case};
use crate::keyspace;
use crate::record::DocumentStage;
use crate::view::{View, load};

/// Something the city owes the world until a command says it is done. Doing one twice does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Fix the signing input of a granted case's document.
    PrepareDocument(CaseNumber),
    /// Sign the input that is fixed, and enter the document.
    IssueDocument(CaseNumber),
}

/// How far the documents of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentList {
    /// Granted, and not signed yet: known where the case is owned.
    Pending,
    /// Issued.
    Issued,
}

/// The sealed signing input of a case's document, once fixed.
pub fn signing_input_of(view: &dyn View, number: CaseNumber) -> Option<Sealed> {
    load(view, &keyspace::signing_input(number))
}

/// The sealed document of a case, once issued.
pub fn issued_document(view: &dyn View, number: CaseNumber) -> Option<Sealed> {
    load(view, &keyspace::document(number))
}

/// Cases with a document, or with one that is to come, from a number on, in order. Read from lists of their own,
/// whatever else the group holds.
pub fn cases_with_document(
    view: &dyn View,
    list: Option<DocumentList>,
    from: Option<CaseNumber>,
    limit: usize,
) -> CaseListing {
    // The first of each list hold the first of both.
    let most = limit.saturating_add(1);
    let mut numbers = Vec::new();
    if list != Some(DocumentList::Issued) {
        let first = from.map(keyspace::owed);
        numbers.extend(numbers_below(view, keyspace::OWED, first, most));
    }
    if list != Some(DocumentList::Pending) {
        let first = from.map(keyspace::document);
        numbers.extend(numbers_below(view, keyspace::DOCUMENTS, first, most));
    }
    numbers.sort_unstable();
    numbers.dedup();
    listing_of(view, &numbers, limit)
}

/// What the city owes the world, from a case on, in order of case numbers.
pub fn effects(
    view: &dyn View,
    from: Option<CaseNumber>,
    limit: usize,
) -> impl Iterator<Item = Effect> {
    let numbers = numbers_below(view, keyspace::OWED, from.map(keyspace::owed), limit);
    let owed: Vec<Effect> = numbers
        .into_iter()
        .filter_map(|number| match load_case(view, number)?.document {
            DocumentStage::Owed => Some(Effect::PrepareDocument(number)),
            DocumentStage::Prepared { .. } => Some(Effect::IssueDocument(number)),
            DocumentStage::None | DocumentStage::Issued { .. } => None,
        })
        .collect();
    owed.into_iter()
}
