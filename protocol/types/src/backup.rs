//! What a backup of a node says of itself in the clear: whose it is, to which recovery key it is sealed,
//! and, signed behind its last part, what it holds. Nothing personal; what is sealed is the runtime's.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::ids::{GroupId, NodeId};
use crate::keys::SealingPublicKey;
use crate::records;
use crate::time::Timestamp;

/// The first bytes of a backup file, its format's version among them.
pub const BACKUP_MAGIC: &[u8; 8] = b"TBBAK\x00\x00\x01";

/// Where a backup begins, in the clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupHead {
    /// Whose backup it is.
    pub node: NodeId,
    /// When it was begun, by that node's clock.
    pub begun_at: Timestamp,
    /// The recovery key it is sealed to.
    pub recovery: SealingPublicKey,
    /// The HPKE encapsulation of the key its parts are sealed under.
    pub encapped: [u8; 32],
}

/// What one part of a backup holds. Variants are only appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupPart {
    /// One table of the node's own records.
    Records {
        /// The table's number.
        table: u8,
        /// How many pairs.
        pairs: u64,
    },
    /// The applied state of a group, as a snapshot file.
    State(BackedUpState),
    /// A small file of the data folder.
    File {
        /// Its name, without folders.
        name: String,
    },
}

/// The state of a group in a backup, as its replica stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUpState {
    /// Which group.
    pub group: GroupId,
    /// Index of the last entry applied.
    pub index: u64,
    /// The group's state hash there (0001).
    pub state_hash: Hash,
    /// Digest over every pair of the state in key order.
    pub content: Hash,
}

/// A part, and the bytes that hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPiece {
    /// What it holds.
    pub part: BackupPart,
    /// How many sealed chunks it is cut into, at least one.
    pub chunks: u32,
    /// SHA-256 over its frames as they stand in the file.
    pub sealed: Hash,
}

/// What a backup holds, signed by the node's receipt key under `Purpose::BackupManifest`. A file without
/// one is not whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    /// SHA-256 of the encoded [`BackupHead`].
    pub head: Hash,
    /// When the last part was written.
    pub ended_at: Timestamp,
    /// Whether the node's own group confirmed, while the backup was made, that it holds everything
    /// acknowledged as replicated before.
    pub caught_up: bool,
    /// Files of cases that the node knew of and that are not in the backup.
    pub attachments: u64,
    /// The parts, in the order of the file.
    pub pieces: Vec<BackupPiece>,
}

records! {
    BackupHead = 210 v 1 "head of a backup";
    BackupManifest = 211 v 1 "manifest of a backup";
}
