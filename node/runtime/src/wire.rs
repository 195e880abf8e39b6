//! What nodes ask each other on the lanes above Raft.

use serde::{Deserialize, Serialize};
use tongban_types::{
    BlobHash, CaseNumber, CertifiedParcels, GroupId, NodeId, Signature, Signed, records,
};

/// Lane `Submit`: something for the leader of a group. Tags are permanent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SubmitRequest {
    /// Append this entry.
    Propose {
        /// The group.
        group: GroupId,
        /// The encoded entry.
        #[serde(with = "tongban_types::run")]
        entry: Vec<u8>,
    },
    /// Tell an index that holds everything acknowledged so far.
    ReadIndex {
        /// The group.
        group: GroupId,
    },
    /// Tell by which order the group is placed, and whether it stands so, committed.
    Standing {
        /// The group.
        group: GroupId,
    },
    /// Take note of the order by which a group is placed.
    Placed {
        /// The group.
        group: GroupId,
        /// The order in force.
        order: Signed,
        /// An earlier one by which the sender has its part in the group, if this one gives it none.
        naming: Option<Box<Signed>>,
    },
    /// Say whether you would take the lead of a group.
    MayLead {
        /// The group.
        group: GroupId,
    },
}

/// What the leader answers. Tags are permanent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SubmitAnswer {
    /// Applied; the encoded reply.
    Applied(#[serde(with = "tongban_types::run")] Vec<u8>),
    /// The index asked for.
    Index(u64),
    /// Not the leader; who is, as far as known.
    NotLeader(Option<NodeId>),
    /// Not known to be committed.
    TimedOut,
    /// The group has stopped there.
    Stopped,
    /// How it stands.
    Standing {
        /// The order in force; none before the first.
        order: Option<Signed>,
        /// Whether the members are those it names, committed.
        stands: bool,
    },
    /// Noted.
    Noted,
}

/// Lane `Certify`: sign these parcels of a group's outbox, which travel together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertifyRequest {
    /// The group.
    pub(crate) group: GroupId,
    /// Where they stand, at most `limits::DELIVERY_PARCELS_MAX`.
    pub(crate) positions: Vec<u64>,
}

/// A voter's signature; `None` if its replica lacks one of the parcels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertifyAnswer {
    /// Over the batch they make.
    pub(crate) signature: Option<Signature>,
}

/// Lane `Parcel`: certified parcels for a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParcelDelivery {
    /// The group they are for.
    pub(crate) to: GroupId,
    /// At most `limits::DELIVERY_PIECES_MAX`, in the order in which they are to be entered.
    pub(crate) pieces: Vec<CertifiedParcels>,
}

/// Lane `Parcel`: a delivery for the asked node to hand on, as the asking one does not reach the group it
/// is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParcelRelay {
    /// What is to be handed on.
    pub(crate) delivery: ParcelDelivery,
}

/// The certified answers to a delivery, as far as there are any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParcelAnswers {
    /// In the order in which they are to be entered.
    pub(crate) pieces: Vec<CertifiedParcels>,
}

/// Lane `Keys`. Tags are permanent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeysRequest {
    /// Send the keys of these cases, of which the asking node's city is a party.
    Ask(Vec<CaseNumber>),
    /// Keep these keys.
    Give(WrappedKeys),
}

/// Case keys wrapped under one pairwise key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrappedKeys {
    /// The HPKE encapsulation of the pairwise key.
    pub(crate) encapped: [u8; 32],
    /// Case, nonce, wrapped key.
    pub(crate) keys: Vec<(CaseNumber, [u8; 24], Vec<u8>)>,
}

/// Lane `File`: a range of a file of a case; the answer is its proof, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRequest {
    /// The case that names the file.
    pub(crate) case: CaseNumber,
    /// The file.
    pub(crate) blob: BlobHash,
    /// Where the range begins, at a border of verified groups.
    pub(crate) offset: u64,
    /// Its bytes, at most `limits::BLOB_RANGE_BYTES`.
    pub(crate) length: u64,
}

// 4xx: between nodes.
records! {
    SubmitRequest = 400 v 1 "submit request";
    SubmitAnswer = 401 v 1 "submit answer";
    CertifyRequest = 402 v 1 "certify request";
    CertifyAnswer = 403 v 1 "certify answer";
    ParcelDelivery = 404 v 1 "parcel delivery";
    ParcelAnswers = 405 v 1 "parcel answers";
    KeysRequest = 406 v 1 "keys request";
    WrappedKeys = 407 v 1 "wrapped keys";
    FileRequest = 408 v 1 "file request";
    ParcelRelay = 409 v 1 "parcel relay";
}
