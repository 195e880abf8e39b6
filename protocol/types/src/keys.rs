//! Public halves of keys, the role each has, and signatures. Bytes only: the arithmetic is in
//! `tongban-trust`.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::hash::{Hash, sha256};

/// What a key may sign. One Ed25519 key has one role; no public key stands twice in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyRole {
    /// The libp2p identity of a node.
    Transport,
    /// Commands of the node's city.
    Command,
    /// Reports of time, parcel certificates, state hashes of a replica.
    Voter,
    /// Receipts, and what a backup of the node holds.
    Receipt,
    /// Documents.
    Issuer,
    /// Status lists.
    Status,
    /// Checkpoints of the city's log.
    Log,
    /// Cosignatures over other cities' checkpoints.
    Witness,
    /// The registry and membership changes; held offline.
    Governance,
}

impl KeyRole {
    /// All roles.
    pub const ALL: [Self; 9] = [
        Self::Transport,
        Self::Command,
        Self::Voter,
        Self::Receipt,
        Self::Issuer,
        Self::Status,
        Self::Log,
        Self::Witness,
        Self::Governance,
    ];

    /// Its name in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Command => "command",
            Self::Voter => "voter",
            Self::Receipt => "receipt",
            Self::Issuer => "issuer",
            Self::Status => "status",
            Self::Log => "log",
            Self::Witness => "witness",
            Self::Governance => "governance",
        }
    }
}

impl std::fmt::Display for KeyRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// An Ed25519 public key, 32 bytes (RFC 8032). Not yet known to be a point of the curve: the
/// registry admits only keys that are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The RFC 7638 SHA-256 thumbprint of the key as a JWK, base64url, 43 characters.
    pub fn thumbprint(&self) -> String {
        let jwk = format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            BASE64URL_NOPAD.encode(&self.0)
        );
        BASE64URL_NOPAD.encode(&sha256(jwk.as_bytes()).0)
    }

    /// SHA-256 of the 32 bytes.
    pub fn hash(&self) -> Hash {
        sha256(&self.0)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// An X25519 public key, 32 bytes (RFC 7748), to which case keys are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealingPublicKey(pub [u8; 32]);

/// An Ed25519 signature, 64 bytes (RFC 8032).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({}…)", HEXLOWER.encode(&self.0[..4]))
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (left, right) = self.0.split_at(32);
        (
            <[u8; 32]>::try_from(left).expect("half of 64"),
            <[u8; 32]>::try_from(right).expect("half of 64"),
        )
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (left, right) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&left);
        bytes[32..].copy_from_slice(&right);
        Ok(Self(bytes))
    }
}

/// What a raw signature is for: the first bytes of the signed message name it, so that no signature
/// made for one thing passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A batch of commands of one group.
    CommandBatch,
    /// A voter's report of time and state hash.
    VoterReport,
    /// A voter's signature over a batch of parcels.
    ParcelBatch,
    /// A receipt that an application is stored at one node.
    ReceiptLocal,
    /// A batch of receipts that applications are replicated.
    ReceiptReplicated,
    /// Where the replicas of a group stand.
    PlacementOrder,
    /// What a backup of a node holds.
    BackupManifest,
}

impl Purpose {
    /// Every purpose there is.
    pub const ALL: [Self; 7] = [
        Self::CommandBatch,
        Self::VoterReport,
        Self::ParcelBatch,
        Self::ReceiptLocal,
        Self::ReceiptReplicated,
        Self::PlacementOrder,
        Self::BackupManifest,
    ];

    /// Its name inside the signed bytes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CommandBatch => "command-batch",
            Self::VoterReport => "voter-report",
            Self::ParcelBatch => "parcel-batch",
            Self::ReceiptLocal => "receipt-local",
            Self::ReceiptReplicated => "receipt-replicated",
            Self::PlacementOrder => "placement-order",
            Self::BackupManifest => "backup-manifest",
        }
    }

    /// The role whose keys sign it.
    pub const fn role(self) -> KeyRole {
        match self {
            Self::CommandBatch => KeyRole::Command,
            Self::VoterReport | Self::ParcelBatch => KeyRole::Voter,
            Self::ReceiptLocal | Self::ReceiptReplicated | Self::BackupManifest => KeyRole::Receipt,
            Self::PlacementOrder => KeyRole::Governance,
        }
    }

    /// The bytes to sign for `content`: `tongban/<purpose>/v1\n` + content.
    pub fn message(self, content: &[u8]) -> Vec<u8> {
        let name = self.name();
        let mut message = Vec::with_capacity(name.len() + content.len() + 12);
        message.extend_from_slice(b"tongban/");
        message.extend_from_slice(name.as_bytes());
        message.extend_from_slice(b"/v1\n");
        message.extend_from_slice(content);
        message
    }
}

/// `{purpose, signer, bytes, signature}`: bytes as they were signed and sent, never re-encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The key that signed.
    pub signer: PublicKey,
    /// The signature over `Purpose::message(bytes)`; the purpose is given by where it is read.
    pub signature: Signature,
    /// What was signed.
    #[serde(with = "crate::run")]
    pub bytes: Vec<u8>,
}
