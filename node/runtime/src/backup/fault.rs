//! Why a backup is not made, not believed, not opened or not put back.

use thiserror::Error;
use tongban_types::{Code, NodeId, PublicKey};

use crate::ports::{LogFailed, StateFailed};

/// Why a backup cannot be made or used.
#[derive(Debug, Error)]
pub enum BackupFault {
    /// Nothing can be sealed to the key.
    #[error("the recovery key is no X25519 key")]
    NoRecoveryKey,
    /// The node holds no key to sign a backup with.
    #[error("the node holds no receipt key")]
    NoReceiptKey,
    /// The state of a group cannot be read.
    #[error("the state of a group")]
    State(#[from] StateFailed),
    /// The node's own records cannot be written.
    #[error("the records of the node")]
    Log(#[from] LogFailed),
    /// The file, or whoever takes it, fails.
    #[error("the backup cannot be read or written further")]
    Io(#[from] std::io::Error),
    /// More is to be backed up than the format has room for.
    #[error("{what} is more than a backup takes")]
    TooMuch {
        /// What it is.
        what: &'static str,
    },
    /// It does not begin as one.
    #[error("the file does not begin as a backup of this version")]
    NoBackup,
    /// It ends before its signed manifest.
    #[error("the backup ends at byte {at}, before its signed manifest")]
    NotWhole {
        /// Where it ends.
        at: u64,
    },
    /// Something in it is not as it was signed.
    #[error("{what} (byte {at})")]
    Altered {
        /// Where.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The registry at hand does not know who signed it.
    #[error("the registry enrols no receipt key {signer} of node {node}")]
    OfUnknown {
        /// Whose backup it says it is.
        node: NodeId,
        /// Who signed it.
        signer: PublicKey,
    },
    /// It was sealed to another recovery key.
    #[error("the backup was sealed to another recovery key, {made_for}")]
    NotOpened {
        /// The public half of that key, in hexadecimal.
        made_for: String,
    },
    /// What is sealed in it is not of this version of the program.
    #[error("{what} in the backup is nothing this version knows")]
    Strange {
        /// What it is.
        what: &'static str,
    },
}

impl BackupFault {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        match self {
            Self::NoRecoveryKey => Code::KEY_NOT_ADMISSIBLE,
            Self::NoReceiptKey => Code::KEY_FILE_MISSING,
            Self::State(_) | Self::Log(_) => Code::NODE_FAILED,
            Self::Io(_) => Code::FILE_UNUSABLE,
            Self::TooMuch { .. } => Code::TOO_LARGE,
            Self::NoBackup | Self::NotWhole { .. } => Code::BACKUP_NOT_WHOLE,
            Self::Altered { .. } => Code::BACKUP_ALTERED,
            Self::OfUnknown { .. } => Code::BACKUP_OF_UNKNOWN,
            Self::NotOpened { .. } => Code::BACKUP_NOT_OPENED,
            Self::Strange { .. } => Code::MALFORMED_RECORD,
        }
    }
}
