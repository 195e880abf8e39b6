//! What the desk says of the applications that wait at it, and the receipts of those it took in.

use tongban_machine::load_case;
use tongban_types::{
    CaseNumber, Collect, Command, CommandBody, CommandId, Receipt, ReceiptBody, decode, encode,
};

use super::record::DeskRecord;
use super::{Desk, SALT_BYTES};
use crate::handle::{NodeError, StoredCase};
use crate::seams::Platform;

/// A case that waits at the desk, opened.
pub(crate) struct OpenedStored {
    pub(crate) stored: StoredCase,
    pub(crate) form: Option<Vec<u8>>,
    pub(crate) receipt: Receipt,
}

impl<P: Platform> Desk<P> {
    /// The case of an order that waits here, or was drawn here and is in the group.
    pub(crate) fn case_of(&self, id: CommandId) -> Option<CaseNumber> {
        let waiting = self.record_of(id).map(|record| record.case);
        waiting.or_else(|| self.drawn_case_of(id))
    }

    /// How many applications wait for their group, and how many of them it refused.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let shelf = self.shelf();
        (shelf.len(), shelf.refused())
    }

    /// What waits at the desk behind a number, in order of their numbers.
    pub(crate) fn stored_cases(&self, after: Option<CaseNumber>, limit: usize) -> Vec<StoredCase> {
        let ids = self.shelf().list(after, limit);
        let records = ids.into_iter().filter_map(|id| self.record_of(id));
        records.filter_map(|record| stored_case(&record)).collect()
    }

    /// A case that waits: what is said of it, its form where its key is here, and its receipt.
    pub(crate) fn open_stored(&self, case: CaseNumber) -> Option<OpenedStored> {
        let record = self.waiting_case(case)?;
        let stored = stored_case(&record)?;
        let form = collect_of(&record).and_then(|order| self.vault.open_sealed(case, &order.form));
        Some(OpenedStored {
            stored,
            form: form.and_then(|salted| salted.get(SALT_BYTES..).map(<[u8]>::to_vec)),
            receipt: Receipt::Stored(record.receipt),
        })
    }

    /// The desk's record of a case, while it waits.
    pub(super) fn waiting_case(&self, case: CaseNumber) -> Option<DeskRecord> {
        let id = self.shelf().id_of(case)?;
        self.record_of(id)
    }

    /// The receipt of a case this city collected: signed anew from the group's record, or the one
    /// given at the desk while it waits; an error where the group's record cannot be read.
    pub(crate) fn receipt_of(&self, case: CaseNumber) -> Result<Option<Receipt>, NodeError> {
        let own = self.core.own().ok_or(NodeError::NoQuorum)?;
        let record = own.replica.read(|view| load_case(view, case))?;
        let Some(record) = record.filter(|r| r.envelope.intake == self.core.city()) else {
            let waiting = self.waiting_case(case);
            return Ok(waiting.map(|record| Receipt::Stored(record.receipt)));
        };
        let envelope = record.envelope;
        let Ok(node) = tongban_types::NodeId::new(case.intake_city(), case.node_number()) else {
            return Ok(None);
        };
        let body = ReceiptBody {
            case,
            item: envelope.item,
            authority: envelope.authority,
            collected_at: envelope.collected_at,
            form: envelope.form,
            node,
        };
        let signed = crate::proposer::sign_leaves(&self.core, vec![encode(&body)]);
        Ok(signed.into_iter().next().map(Receipt::Replicated))
    }
}

fn collect_of(record: &DeskRecord) -> Option<Box<Collect>> {
    match decode::<Command>(&record.command).ok()?.body {
        CommandBody::Collect(order) => Some(order),
        _ => None,
    }
}

fn stored_case(record: &DeskRecord) -> Option<StoredCase> {
    let envelope = collect_of(record)?.envelope;
    Some(StoredCase {
        number: record.case,
        item: envelope.item,
        authority: envelope.authority,
        channel: envelope.channel,
        collected_at: envelope.collected_at,
        collected_by: envelope.collected_by,
        refused: record.refused,
    })
}
