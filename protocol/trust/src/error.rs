//! Why a key, a signature or a set of signatures is not believed.

use thiserror::Error;
use tongban_types::{Code, DecodeError, GroupId, NodeId, PublicKey, SealingPublicKey, Timestamp};

/// Why something signed is not believed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TrustError {
    /// The 32 bytes are no point of the curve.
    #[error("key {key} is no point of the curve")]
    KeyNotAPoint {
        /// The key.
        key: PublicKey,
    },
    /// The bytes are a second spelling of another key.
    #[error("key {key} is not in canonical encoding")]
    KeyNotCanonical {
        /// The key.
        key: PublicKey,
    },
    /// A point of small order: anybody can sign for it.
    #[error("key {key} is weak: a point of small order")]
    KeyWeak {
        /// The key.
        key: PublicKey,
    },
    /// A point with a torsion part: verifiers would disagree about its signatures.
    #[error("key {key} has a torsion part")]
    KeyMixedOrder {
        /// The key.
        key: PublicKey,
    },
    /// A sealing key in a second spelling, or of small order.
    #[error("a sealing key is not canonical or of small order")]
    SealingKeyRefused {
        /// The key.
        key: SealingPublicKey,
    },
    /// The signature is not of this key over these bytes.
    #[error("the signature by {signer} does not verify")]
    SignatureInvalid {
        /// The key that is said to have signed.
        signer: PublicKey,
    },
    /// The signature verifies, and what it covers is not the record expected.
    #[error("what {signer} signed is not the record expected")]
    SignedRecordMalformed {
        /// The key that signed.
        signer: PublicKey,
        /// What is wrong.
        #[source]
        source: DecodeError,
    },
    /// The path does not lead from the bytes to a root.
    #[error("the Merkle path does not fit the index and the size of its batch")]
    PathMalformed,
    /// No such group in the registry.
    #[error("the registry knows no group {group}")]
    UnknownGroup {
        /// The group.
        group: GroupId,
    },
    /// A signature in a certificate by a node that has no vote.
    #[error("{node} has no vote in group {group}")]
    NotAVoter {
        /// The node.
        node: NodeId,
        /// The group.
        group: GroupId,
    },
    /// One voter signs twice in one certificate.
    #[error("{node} signs twice in one certificate")]
    VoterRepeated {
        /// The node.
        node: NodeId,
    },
    /// Fewer voters than a majority signed.
    #[error("{found} voters of group {group} signed, {needed} are needed")]
    NoMajority {
        /// The group.
        group: GroupId,
        /// Voters needed.
        needed: usize,
        /// Voters that signed.
        found: usize,
    },
    /// A voter signs with a key that may not sign at that time.
    #[error("the voter key of {node} may not sign at {at:?}")]
    KeyOutOfTime {
        /// The node.
        node: NodeId,
        /// The time it is judged by.
        at: Timestamp,
    },
}

impl TrustError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::KeyNotAPoint { .. }
            | Self::KeyNotCanonical { .. }
            | Self::KeyWeak { .. }
            | Self::KeyMixedOrder { .. }
            | Self::SealingKeyRefused { .. } => Code::KEY_NOT_ADMISSIBLE,
            Self::SignatureInvalid { .. } | Self::PathMalformed => Code::SIGNATURE_INVALID,
            Self::SignedRecordMalformed { source, .. } => source.code(),
            Self::UnknownGroup { .. }
            | Self::NotAVoter { .. }
            | Self::VoterRepeated { .. }
            | Self::NoMajority { .. } => Code::MAJORITY_MISSING,
            Self::KeyOutOfTime { .. } => Code::KEY_OUT_OF_TIME,
        }
    }
}
