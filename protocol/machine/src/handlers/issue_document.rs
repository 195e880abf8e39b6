//! A document is signed only after the grant and its signing input have committed; here the signed
//! one enters, and the receiving city gets it.

use tongban_types::{IssueDocument, PublicKey, SealedUse};

use super::collect::check_document;
use super::take_lease::require_lease;
use super::tell::tell_intake;
use crate::context::{Context, standing};
use crate::keyspace;
use crate::record::DocumentStage;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_issue_document(
    context: &mut Context<'_>,
    signer: PublicKey,
    order: &IssueDocument,
) -> Result<Reply, Refusal> {
    require_lease(context, signer, order.lease)?;
    let mut record = context.case_to_decide(order.on)?;
    if record.document
        != (DocumentStage::Prepared {
            input: order.input_hash,
        })
    {
        return Err(Refusal::DocumentStage);
    }
    check_document(&order.document, SealedUse::Document)?;
    record.document = DocumentStage::Issued {
        hash: order.document_hash,
    };
    context
        .draft
        .store(keyspace::document(order.on.case), &order.document);
    context.draft.delete(keyspace::owed(order.on.case));
    context.touch_case(&mut record);
    tell_intake(context, &record);
    Ok(standing(&record))
}
