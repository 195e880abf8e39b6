//! Before anything is signed, its exact signing input is committed, so that signing again after a
//! crash gives the same document. While nothing is issued, whoever holds the lease may prepare it
//! anew: the input names the key that signs it, and a node or its key may be gone. Only one input
//! is ever signed into the log, for issuing names the input that is committed.

use tongban_types::{PrepareDocument, PublicKey, SealedUse};

use super::collect::check_document;
use super::take_lease::require_lease;
use crate::context::{Context, standing};
use crate::keyspace;
use crate::record::DocumentStage;
use crate::refusal::Refusal;
use crate::reply::Reply;

pub(super) fn on_prepare_document(
    context: &mut Context<'_>,
    signer: PublicKey,
    order: &PrepareDocument,
) -> Result<Reply, Refusal> {
    require_lease(context, signer, order.lease)?;
    let mut record = context.case_to_decide(order.on)?;
    match record.document {
        DocumentStage::Owed | DocumentStage::Prepared { .. } => {}
        DocumentStage::None | DocumentStage::Issued { .. } => return Err(Refusal::DocumentStage),
    }
    check_document(&order.signing_input, SealedUse::SigningInput)?;
    record.document = DocumentStage::Prepared {
        input: order.input_hash,
    };
    context
        .draft
        .store(keyspace::signing_input(order.on.case), &order.signing_input);
    context.touch_case(&mut record);
    Ok(standing(&record))
}
