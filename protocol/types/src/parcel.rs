//! What groups tell each other. A parcel is a packet or the answer to one; a majority of the
//! sending group's voters sign batches of them, so that the receiver knows they were committed,
//! not merely said.

use serde::{Deserialize, Serialize};

use crate::case::{CaseEnvelope, CaseState, DueTime};
use crate::codec::{Record, encode};
use crate::hash::{Hash, leaf_hash, merkle_paths, merkle_root, sha256};
use crate::keys::Signature;
use crate::people::Actor;
use crate::sealed::Sealed;
use crate::time::Timestamp;
use crate::{CaseNumber, Code, GroupId, NodeId};

/// One thing said by one group to another. Tags are permanent; new ones are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parcel {
    /// Something new.
    Packet(Box<Packet>),
    /// The answer to a packet.
    Answer(Answer),
}

impl Parcel {
    /// The group it is for.
    pub fn to(&self) -> GroupId {
        match self {
            Self::Packet(packet) => packet.to,
            Self::Answer(answer) => answer.to,
        }
    }

    /// The group it is from.
    pub fn from(&self) -> GroupId {
        match self {
            Self::Packet(packet) => packet.from,
            Self::Answer(answer) => answer.from,
        }
    }

    /// The case it is about.
    pub fn case(&self) -> CaseNumber {
        match self {
            Self::Packet(packet) => packet.case,
            Self::Answer(answer) => answer.case,
        }
    }
}

/// A packet, in order per (from, to, case).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packet {
    /// The sending group.
    pub from: GroupId,
    /// The receiving group.
    pub to: GroupId,
    /// The case.
    pub case: CaseNumber,
    /// From 0, without gaps, for (from, to, case).
    pub sequence: u32,
    /// Past this moment of the receiver's group time it is answered *not received*.
    pub deadline: Timestamp,
    /// What it says.
    pub body: PacketBody,
}

/// What a packet says. Tags are permanent; new ones are appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PacketBody {
    /// A case handed over to its authority.
    Transfer {
        /// What stands in the clear.
        envelope: CaseEnvelope,
        /// The filled form.
        form: Sealed,
    },
    /// The applicant's correction, collected by the receiving city.
    Correction {
        /// The corrected form.
        form: Sealed,
        /// Its salted hash.
        form_hash: Hash,
        /// When it was handed in.
        at: Timestamp,
        /// Who took it.
        actor: Actor,
    },
    /// The applicant withdraws; the owner decides whether it came in time.
    Withdrawal {
        /// Why.
        reason: Sealed,
        /// When it was asked.
        at: Timestamp,
        /// Who took it.
        actor: Actor,
    },
    /// The result is in the applicant's hands.
    Delivery {
        /// When.
        at: Timestamp,
        /// Who handed it over.
        actor: Actor,
    },
    /// How the case stands at its owner.
    Standing(Box<Standing>),
}

/// How a case stands at its owner, whole, so that a later one makes up for every earlier one lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Every step at the owner, oldest first, from *received* to where the case stands now; at most
    /// `STEPS_MAX`, for no state is come to twice.
    pub steps: Vec<Step>,
    /// Salted hash of the form as last corrected.
    pub form: Hash,
    /// From when the time for a notice runs.
    pub notice_from: Timestamp,
    /// Silence until then counts as acceptance, while it may.
    pub notice_due: Option<DueTime>,
    /// Accepted because the law counts silence as acceptance.
    pub deemed: bool,
    /// Promised by.
    pub promise_due: Option<DueTime>,
    /// Due by law.
    pub statutory_due: Option<DueTime>,
    /// The document, once issued.
    pub document: Option<IssuedDocument>,
}

/// One step of a case at its owner, as the receiving city may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The state it came to.
    pub state: CaseState,
    /// When.
    pub at: Timestamp,
    /// Who brought it there.
    pub actor: Actor,
    /// The notice, or the reasons of an end; a reviewer's opinion stays with the authority.
    pub words: Option<Sealed>,
}

/// A signed document on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedDocument {
    /// The compact form.
    pub document: Sealed,
    /// SHA-256 of the compact form.
    pub hash: Hash,
}

/// The answer to one packet. It means *entered in my log* or why not, never a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The group that answers.
    pub from: GroupId,
    /// The group that sent the packet.
    pub to: GroupId,
    /// The case.
    pub case: CaseNumber,
    /// The packet's sequence.
    pub sequence: u32,
    /// SHA-256 of the encoded parcel that held the packet; zero if it was never seen.
    pub packet: Hash,
    /// What became of it.
    pub verdict: Verdict,
    /// Group time of the answering group.
    pub at: Timestamp,
}

/// What became of a packet. Tags are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Entered in the log and carried out.
    Entered,
    /// Entered in the log and refused.
    Refused(Code),
    /// Not received by its deadline; it never will be.
    NotReceived,
}

/// What voters sign: parcels of their group's outbox that travel together. Whoever carries them says which;
/// who signs looks each of them up in its own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelBatch {
    /// The sending group.
    pub group: GroupId,
    /// Position of the first in the outbox, counted from 0 over the life of the group.
    pub first: u64,
    /// How many.
    pub count: u32,
    /// RFC 6962 root over the leaves, each the bytes of one encoded parcel.
    pub root: Hash,
}

impl ParcelBatch {
    /// Over encoded parcels, by their leaves.
    pub fn over(group: GroupId, first: u64, leaves: &[Hash]) -> Self {
        Self::of_root(group, first, leaves.len(), merkle_root(leaves))
    }

    /// Over encoded parcels, each with its place in it.
    pub fn place(group: GroupId, first: u64, parcels: Vec<Vec<u8>>) -> (Self, Vec<PlacedParcel>) {
        let leaves: Vec<Hash> = parcels.iter().map(|bytes| leaf_hash(bytes)).collect();
        let (root, paths) = merkle_paths(&leaves);
        let placed = (0..).zip(paths).zip(parcels);
        let placed = placed.map(|((index, path), bytes)| PlacedParcel { index, path, bytes });
        (
            Self::of_root(group, first, leaves.len(), root),
            placed.collect(),
        )
    }

    fn of_root(group: GroupId, first: u64, count: usize, root: Hash) -> Self {
        Self {
            group,
            first,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            root,
        }
    }

    /// The bytes that are signed under `Purpose::ParcelBatch`.
    pub fn signed_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}

/// A parcel with its place in its batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedParcel {
    /// Its index within the batch.
    pub index: u32,
    /// RFC 6962 path to the root, lowest first.
    pub path: Vec<Hash>,
    /// The encoded parcel, as its leaf was hashed.
    #[serde(with = "crate::run")]
    pub bytes: Vec<u8>,
}

impl PlacedParcel {
    /// SHA-256 of the encoded parcel.
    pub fn hash(&self) -> Hash {
        sha256(&self.bytes)
    }
}

/// Parcels of one batch, or some of them, with the voters' signatures over it: proves itself, so that any
/// replica may carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedParcels {
    /// What was signed.
    pub batch: ParcelBatch,
    /// A majority of the voters of the sending group, in node order.
    pub signatures: Vec<(NodeId, Signature)>,
    /// One or more parcels of the batch, in index order.
    pub parcels: Vec<PlacedParcel>,
}

/// Two certified packets at one sequence: a portable proof that a group's voters lied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equivocation {
    /// One of them.
    pub first: CertifiedParcels,
    /// The other.
    pub second: CertifiedParcels,
}

const _: fn() = || {
    fn is_record<T: Record>() {}
    is_record::<Parcel>();
};
