//! Why a registry is refused.

use thiserror::Error;
use tongban_types::{CityCode, Code, Hash, KeyRole, NodeId, PublicKey};

use super::key_id::KeyId;
use super::rule::{CityRule, GovernanceOf, Holder, NodeRule, WholeRule};
use crate::error::TrustError;
use crate::json::{JsonError, ShapeError};

/// Why a registry is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RegistryError {
    /// The file is not strict JSON.
    #[error("the registry file is not strict JSON")]
    Json(#[from] JsonError),
    /// The file is JSON of another form.
    #[error("the registry file has another form")]
    Shape(#[from] ShapeError),
    /// A key may not be enrolled.
    #[error("a key of {holder} may not be enrolled")]
    KeyRefused {
        /// Whose.
        holder: Holder,
        /// Why.
        #[source]
        source: TrustError,
    },
    /// One key stands twice.
    #[error("a key of {holder} stands twice in the registry")]
    KeyTwice {
        /// Where it stands the second time.
        holder: Holder,
    },
    /// A city that is not a member.
    #[error("city {city} is not in the registry")]
    UnknownCity {
        /// The city.
        city: CityCode,
    },
    /// A node that is not enrolled.
    #[error("node {node} is not in the registry")]
    UnknownNode {
        /// The node.
        node: NodeId,
    },
    /// Something a city's entry says breaks a rule.
    #[error("city {city}: {rule}")]
    City {
        /// The city.
        city: CityCode,
        /// The rule.
        rule: CityRule,
    },
    /// Something a node's entry says breaks a rule.
    #[error("node {node}: {rule}")]
    Node {
        /// The node.
        node: NodeId,
        /// The rule.
        rule: NodeRule,
    },
    /// A node has none or several active keys of a role.
    #[error("node {node} has {found} active {role} keys")]
    ActiveKeys {
        /// The node.
        node: NodeId,
        /// The role.
        role: KeyRole,
        /// How many.
        found: usize,
    },
    /// Something the registry as a whole says breaks a rule.
    #[error("{rule}")]
    Whole {
        /// The rule.
        rule: WholeRule,
    },
    /// The stated threshold is not the one the number of keys asks for.
    #[error("the threshold is {found}, for {keys} governance keys it must be {expected}")]
    Threshold {
        /// Governance keys.
        keys: usize,
        /// ⌊2n/3⌋+1.
        expected: usize,
        /// What the file says.
        found: i64,
    },
    /// One key signs twice.
    #[error("governance key {key} signs twice")]
    SignatureTwice {
        /// The key.
        key: KeyId,
    },
    /// A signature of a governance key does not verify.
    #[error("the signature of governance key {key} does not verify")]
    SignatureInvalid {
        /// The key.
        key: KeyId,
    },
    /// Fewer governance keys signed than needed.
    #[error("{found} of the {whose} governance keys signed, {needed} are needed")]
    Undersigned {
        /// Of which registry.
        whose: GovernanceOf,
        /// Signatures needed.
        needed: usize,
        /// Signatures there.
        found: usize,
    },
    /// The governance keys are not those pinned.
    #[error("the governance keys have hash {found}, {pinned} is pinned")]
    NotPinned {
        /// The hash expected.
        pinned: Hash,
        /// The hash of the file's keys.
        found: Hash,
    },
    /// Older than the registry held.
    #[error("the registry has version {found}, {current} is held")]
    RolledBack {
        /// The version held.
        current: u64,
        /// The version given.
        found: u64,
    },
    /// Another registry of the same version.
    #[error("another registry bears version {version} too")]
    Forked {
        /// The version.
        version: u64,
    },
    /// More than one version ahead.
    #[error("the registry has version {found}, next is {expected}")]
    Skipped {
        /// The version after the one held.
        expected: u64,
        /// The version given.
        found: u64,
    },
    /// The registry held already.
    #[error("registry {version} is held already")]
    AlreadyHeld {
        /// The version.
        version: u64,
    },
    /// An issuer key is gone, so its documents could not be checked any more.
    #[error("issuer key {key} is dropped: old keys stay, as retired")]
    KeyDropped {
        /// The key.
        key: PublicKey,
    },
    /// A key changed its holder or its role.
    #[error("key {key} has another holder or role than before")]
    KeyMoved {
        /// The key.
        key: PublicKey,
    },
    /// A retired key is active again.
    #[error("key {key} was retired and is active again")]
    KeyRevived {
        /// The key.
        key: PublicKey,
    },
    /// The voters of a group that exists are others than before.
    #[error("the voters of city {city} are others than before")]
    VotersChanged {
        /// The city.
        city: CityCode,
    },
}

impl RegistryError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::Json(error) if error.code() == Code::TOO_LARGE => Code::TOO_LARGE,
            Self::Json(_) | Self::Shape(_) => Code::REGISTRY_MALFORMED,
            Self::KeyRefused { source, .. } => source.code(),
            Self::KeyTwice { .. }
            | Self::UnknownCity { .. }
            | Self::UnknownNode { .. }
            | Self::City { .. }
            | Self::Node { .. }
            | Self::ActiveKeys { .. }
            | Self::Whole { .. }
            | Self::Threshold { .. } => Code::REGISTRY_RULE_BROKEN,
            Self::SignatureTwice { .. } | Self::SignatureInvalid { .. } => Code::SIGNATURE_INVALID,
            Self::Undersigned { .. } => Code::REGISTRY_UNDERSIGNED,
            Self::NotPinned { .. } => Code::REGISTRY_NOT_PINNED,
            Self::RolledBack { .. } => Code::REGISTRY_ROLLED_BACK,
            Self::Forked { .. } => Code::REGISTRY_FORKED,
            Self::Skipped { .. } => Code::REGISTRY_SKIPPED,
            Self::AlreadyHeld { .. } => Code::REGISTRY_ALREADY_HELD,
            Self::KeyDropped { .. } | Self::KeyMoved { .. } | Self::KeyRevived { .. } => {
                Code::REGISTRY_HISTORY_BROKEN
            }
            Self::VotersChanged { .. } => Code::REGISTRY_VOTERS_CHANGED,
        }
    }
}
