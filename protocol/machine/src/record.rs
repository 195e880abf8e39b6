//! What is stored under the keys.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tongban_types::{
    Actor, CaseEnvelope, CaseState, CaseVersion, CertifiedParcels, Code, Decision, DueTime, Hash,
    NodeId, RequestTag, Sealed, Timestamp,
};

use crate::reply::Reply;

/// The one record every entry reads: counters and what is known of the group as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Group time; before the first reports, 1970.
    pub time: Timestamp,
    /// Version of the registry in force; 0 before the first.
    pub registry: u64,
    /// Version of the calendar in force; 0 before the first.
    pub calendar: u32,
    /// Position of the next parcel.
    pub outbox_next: u64,
    /// Command ids remembered.
    pub remembered: u64,
    /// Items in the catalogue.
    pub items: u64,
    /// Evidence of equivocation kept.
    pub evidence: u64,
    /// The number of the last lease given; 0 before the first.
    pub lease_number: u64,
    /// Who holds it.
    pub lease: Option<Lease>,
    /// Cases collected or received by this group.
    pub cases: u64,
}

/// The right to carry out the city's effects, until a moment of group time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who.
    pub holder: NodeId,
    /// Until when.
    pub until: Timestamp,
}

/// Whether this group decides about the case or follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standpoint {
    /// This group owns the case.
    Owner,
    /// Another group does; this record follows it.
    Mirror,
}

/// A case as one group keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// What was fixed at collecting.
    pub envelope: CaseEnvelope,
    /// Salted hash of the form as last corrected.
    pub form: Hash,
    /// Owner or mirror.
    pub standpoint: Standpoint,
    /// Where it is in its life.
    pub state: CaseState,
    /// How often this record changed.
    pub version: CaseVersion,
    /// When it came to its state.
    pub since: Timestamp,
    /// How often it was handed over to its authority.
    pub transfers: u32,
    /// Why the authority did not take it in.
    pub transfer_refused: Option<Code>,
    /// At the authority: when the package was entered, in group time.
    pub received_at: Option<Timestamp>,
    /// When the one notice was given.
    pub noticed_at: Option<Timestamp>,
    /// From when the time for a notice runs: the citizen's time of receipt, or of correction.
    pub notice_from: Timestamp,
    /// When the package, or its correction, came into the log of whoever must answer, in group time.
    pub in_log_at: Timestamp,
    /// Silence until then counts as acceptance; at a city that is not the authority it is only shown.
    pub notice_due: Option<DueTime>,
    /// When and how it was accepted.
    pub accepted: Option<Acceptance>,
    /// Who reviewed it and what they recommend.
    pub review: Option<ReviewRecord>,
    /// Who decided and what.
    pub decision: Option<DecisionRecord>,
    /// Promised by.
    pub promise_due: Option<DueTime>,
    /// Due by law.
    pub statutory_due: Option<DueTime>,
    /// The document a grant owes.
    pub document: DocumentStage,
    /// A request to the owner that is not answered yet.
    pub pending: Option<Request>,
    /// The owner's last refusal of a request.
    pub request_refused: Option<Code>,
}

/// When and how a case was accepted (受理).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// When; a deemed acceptance counts from the day of receipt or of correction (行政许可法 art. 32(4)),
    /// and the step's `committed_at` says when silence made it so.
    pub at: Timestamp,
    /// Who; the node itself where the law accepts.
    pub by: Actor,
    /// The law accepts, not a person.
    pub deemed: bool,
}

/// A review (审).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What they recommend.
    pub recommend: Decision,
}

/// A decision (核).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What.
    pub decision: Decision,
}

/// How far the document of a granted case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocumentStage {
    /// None is due, or none yet.
    None,
    /// Its signing input is to be prepared.
    Owed,
    /// Its signing input is fixed.
    Prepared {
        /// SHA-256 of the signing input.
        input: Hash,
    },
    /// It is issued.
    Issued {
        /// SHA-256 of the compact form.
        hash: Hash,
    },
}

/// What a mirror asked the owner for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// To take in a correction.
    Correction,
    /// To withdraw the case.
    Withdrawal,
    /// To note the delivery.
    Delivery,
}

/// One step of a case's life: actor, role, city, time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The state it came to.
    pub state: CaseState,
    /// When, by the act's author.
    pub at: Timestamp,
    /// Group time when it was committed.
    pub committed_at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The words that go with it.
    pub words: Option<Sealed>,
}

/// A command carried out, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// What was asked, so that an id used for something else is noticed.
    pub request: RequestTag,
    /// The reply.
    pub reply: Reply,
}

/// Where the sealed form of a case stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FormPlace<'a> {
    /// Here.
    Here(Cow<'a, Sealed>),
    /// In the packet that was taken in from the case's intake city at this sequence, which is kept with its
    /// certificate: once is enough for the largest thing a case has.
    InPacket(u32),
}

/// A packet taken in: what it was, and where its answer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceivedPacket {
    /// SHA-256 of the encoded parcel.
    pub hash: Hash,
    /// Position of the answer in our outbox.
    pub answer: u64,
    /// The packet under its certificate, kept as one half of a possible proof of fraud; of one that was
    /// not entered about a case that is not here, nothing is kept.
    pub certificate: Option<CertifiedParcels>,
    /// Another packet came at this sequence, and the proof of it is kept.
    pub is_contested: bool,
}
