//! The one case of the recording node, in the shapes it is answered in: stored at the desk alone, waiting
//! for a correction, or granted; and the receipts it may have.

use tongban_runtime::{
    CaseRecord, DecisionRecord, DocumentStage, Movement, OpenedCase, OpenedMovement, Standpoint,
    StoredCase,
};
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_types::{
    Actor, CaseEnvelope, CaseNumber, CaseState, CaseVersion, Channel, Code, Decision, DueTime,
    HandlingMode, Hash, ItemVersion, PersonId, PublicKey, Receipt, ReceiptBody, ReplicatedReceipt,
    Role, Signature, Signed, encode,
};

use crate::world::FORM;

/// A case that waits at the desk because its item is not in the group's catalogue yet.
pub(crate) fn stored_case() -> StoredCase {
    let envelope = record().envelope;
    StoredCase {
        number: envelope.number,
        item: envelope.item,
        authority: envelope.authority,
        channel: envelope.channel,
        collected_at: envelope.collected_at,
        collected_by: envelope.collected_by,
        refused: Some(Code::UNKNOWN_ITEM),
    }
}

pub(crate) fn number() -> CaseNumber {
    let node = SampleFederation::node(0);
    CaseNumber::new(node.city(), SAMPLE_NOW.china_day(), node.number(), 1).unwrap()
}

fn item() -> ItemVersion {
    ItemVersion {
        code: "000109900001".parse().unwrap(),
        version: 1,
    }
}

fn receipt_body() -> ReceiptBody {
    ReceiptBody {
        case: number(),
        item: item(),
        authority: SampleFederation::city(4),
        collected_at: SAMPLE_NOW,
        form: Hash([7; 32]),
        node: SampleFederation::node(0),
    }
}

pub(crate) fn stored_receipt() -> Receipt {
    Receipt::Stored(Signed {
        signer: PublicKey([1; 32]),
        signature: Signature([2; 64]),
        bytes: encode(&receipt_body()),
    })
}

pub(crate) fn replicated_receipt() -> Receipt {
    Receipt::Replicated(ReplicatedReceipt {
        signer: PublicKey([1; 32]),
        signature: Signature([2; 64]),
        body: encode(&receipt_body()),
        index: 1,
        count: 2,
        path: vec![Hash([3; 32])],
    })
}

fn clerk() -> Actor {
    Actor {
        city: SampleFederation::city(0),
        person: PersonId::new("lin").unwrap(),
        role: Role::Clerk,
    }
}

pub(crate) fn record() -> CaseRecord {
    CaseRecord {
        envelope: CaseEnvelope {
            number: number(),
            item: item(),
            item_file: Hash([3; 32]),
            mode: HandlingMode::CollectedElsewhere,
            intake: SampleFederation::city(0),
            authority: SampleFederation::city(4),
            authority_division: "610502".parse().unwrap(),
            subject: Hash([9; 32]),
            channel: Channel::Window,
            collected_at: SAMPLE_NOW,
            collected_by: clerk(),
            form: Hash([7; 32]),
        },
        standpoint: Standpoint::Mirror,
        state: CaseState::CorrectionAsked,
        version: CaseVersion(3),
        since: SAMPLE_NOW,
        transfers: 1,
        transfer_refused: None,
        received_at: Some(SAMPLE_NOW),
        noticed_at: Some(SAMPLE_NOW),
        notice_from: SAMPLE_NOW,
        in_log_at: SAMPLE_NOW,
        notice_due: Some(DueTime {
            at: SAMPLE_NOW,
            provisional: true,
            calendar: 1,
        }),
        accepted: None,
        review: None,
        decision: None,
        promise_due: None,
        statutory_due: None,
        document: DocumentStage::None,
        pending: None,
        request_refused: None,
        form: Hash([7; 32]),
    }
}

/// The same case, granted, with its document.
pub(crate) fn granted() -> CaseRecord {
    CaseRecord {
        state: CaseState::Granted,
        decision: Some(DecisionRecord {
            at: SAMPLE_NOW,
            by: clerk(),
            decision: Decision::Grant,
        }),
        document: DocumentStage::Issued {
            hash: Hash([1; 32]),
        },
        ..record()
    }
}

pub(crate) fn opened() -> OpenedCase {
    let movement = Movement {
        state: CaseState::CorrectionAsked,
        at: SAMPLE_NOW,
        committed_at: SAMPLE_NOW,
        actor: clerk(),
        words: None,
    };
    let words = Some("请补交结婚证".to_owned());
    OpenedCase {
        record: Some(record()),
        stored: None,
        number: number(),
        history: vec![OpenedMovement { movement, words }],
        form: Some(FORM.as_bytes().to_vec()),
        attachments: Vec::new(),
        document: None,
        receipt: Some(stored_receipt()),
    }
}
