//! What the runtime asks of the room that keeps large files. Bytes lie there once, under their hash;
//! who may see them, which case names them and where else they are is the runtime's to know.

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;
use tongban_types::{BlobHash, Code, Hash, MalformedId, Timestamp};

/// Names an upload: 128 random bits, unguessable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(pub [u8; 16]);

impl std::fmt::Display for UploadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for UploadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadId")
    }
}

impl std::str::FromStr for UploadId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            what: "upload",
            what_zh: "上传编号",
            given: format!("{} bytes", text.len()),
            rule: "32 lower-case hexadecimal digits",
            rule_zh: "32 位小写十六进制数字",
        };
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(malformed());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| malformed())?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// A file on its way in from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub id: UploadId,
    /// Hash of the token it came with: nobody else sees or uses it.
    pub owner: Hash,
    /// Bytes announced.
    pub length: u64,
    /// Bytes durable so far.
    pub offset: u64,
    /// It is forgotten from then on.
    pub expires: Timestamp,
    /// Which file it is, once it is whole and stored.
    pub blob: Option<BlobHash>,
}

/// Why the store does not do what it is asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BlobError {
    /// There is no such upload, or it is another's.
    #[error("there is no such upload")]
    UploadUnknown,
    /// A piece does not begin where the upload stands.
    #[error("the upload stands at {stands}, the piece begins at {given}")]
    Offset {
        /// Bytes taken so far.
        stands: u64,
        /// Where the piece begins.
        given: u64,
    },
    /// The owner has as many uploads as one may have under way, or whole and not yet expired.
    #[error(
        "there are {most} uploads of this token already, under way or whole and not yet expired"
    )]
    TooMany {
        /// The bound.
        most: usize,
    },
    /// Larger than a file may be, or than was announced.
    #[error("the file is larger than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// Quota or free space does not allow it.
    #[error("there is no room for {bytes} bytes")]
    NoSpace {
        /// Bytes asked for.
        bytes: u64,
    },
    /// It is not here, or not as far as asked for.
    #[error("the file is not here")]
    NotHere,
    /// What lies here does not match its hash.
    #[error("the stored file does not match its hash at byte {offset}")]
    Damaged {
        /// Where reading began.
        offset: u64,
    },
    /// What came from another node does not belong to the file.
    #[error("what came does not belong to the file at byte {offset}")]
    Lied {
        /// Where the range began.
        offset: u64,
    },
    /// As many files are being received, or as many uploads of everybody together are kept, as may be.
    #[error("as many files and uploads are here as may be at once")]
    Busy,
    /// Disk or object store failed.
    #[error("the store of files failed: {0}")]
    Failed(String),
}

impl BlobError {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        match self {
            Self::UploadUnknown => Code::UPLOAD_UNKNOWN,
            Self::Offset { .. } => Code::UPLOAD_OFFSET,
            Self::TooMany { .. } => Code::UPLOADS_TOO_MANY,
            Self::TooLarge { .. } => Code::UPLOAD_TOO_LARGE,
            Self::NoSpace { .. } => Code::BLOB_SPACE,
            Self::NotHere => Code::ATTACHMENT_UNKNOWN,
            Self::Damaged { .. } => Code::BLOB_DAMAGED,
            Self::Lied { .. } => Code::BLOB_LIED,
            Self::Busy => Code::NODE_BUSY,
            Self::Failed(_) => Code::BLOB_STORE_FAILED,
        }
    }
}

/// Keeps files by their BLAKE3 hash. Memory does not grow with a file: bytes pass in pieces of at
/// most a few MiB. Offsets and lengths of ranges are in bytes; a range begins at a multiple of the
/// verified group (16 KiB) and ends at one or at the end of the file.
#[async_trait]
pub trait BlobStore: Send + Sync + 'static {
    /// Opens an upload of `length` bytes and sets its room aside.
    async fn begin_upload(
        &self,
        id: UploadId,
        owner: Hash,
        length: u64,
        expires: Timestamp,
    ) -> Result<Upload, BlobError>;

    /// How an upload stands.
    fn upload(&self, id: UploadId) -> Option<Upload>;

    /// All uploads that are not forgotten.
    fn uploads(&self) -> Vec<Upload>;

    /// Takes the piece at `offset`, which must be where the upload stands; not durable yet.
    /// Returns where it stands then.
    async fn append(&self, id: UploadId, offset: u64, piece: Bytes) -> Result<u64, BlobError>;

    /// Makes what was taken durable; an upload that is whole is hashed and stored. Only what this
    /// returns may be answered to a client.
    async fn commit(&self, id: UploadId) -> Result<Upload, BlobError>;

    /// Forgets an upload; a file it became stays until it is removed.
    async fn forget_upload(&self, id: UploadId) -> Result<(), BlobError>;

    /// The length of a file that is here as a whole.
    async fn size_of(&self, blob: BlobHash) -> Result<Option<u64>, BlobError>;

    /// Bytes of a file that is here at least so far, verified as they are read.
    async fn read(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError>;

    /// The same with their proof: a BLAKE3 verified slice without the length in front.
    async fn prove(&self, blob: BlobHash, offset: u64, length: u64) -> Result<Bytes, BlobError>;

    /// Gets ready to take a file from another node; returns from where it is missing, its length if
    /// it is here as a whole. What was begun with another size is ended.
    async fn begin_receive(&self, blob: BlobHash, size: u64) -> Result<u64, BlobError>;

    /// Verifies and keeps a proven range that begins where the file is missing; returns from where it
    /// is missing then. With its last range it is here as a whole, durably; if that fails, it can be
    /// tried again with an empty one.
    async fn receive(&self, blob: BlobHash, length: u64, proof: Bytes) -> Result<u64, BlobError>;

    /// Ends the receiving of a file that is not whole: what came stays here, and the room of what did
    /// not is given back. Nothing to do for one that is not being received.
    async fn end_receive(&self, blob: BlobHash) -> Result<(), BlobError>;

    /// Removes a file, or what came of it so far; `false` if it stays, because an upload that is not
    /// forgotten became this file.
    async fn remove(&self, blob: BlobHash) -> Result<bool, BlobError>;

    /// Files that are here as a whole or in part, behind one, in order of their hashes.
    async fn list(&self, after: Option<BlobHash>, limit: usize)
    -> Result<Vec<BlobHash>, BlobError>;
}

/// A node that keeps no files: it refuses each as out of room.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlobs;

#[async_trait]
impl BlobStore for NoBlobs {
    async fn begin_upload(
        &self,
        _: UploadId,
        _: Hash,
        length: u64,
        _: Timestamp,
    ) -> Result<Upload, BlobError> {
        Err(BlobError::NoSpace { bytes: length })
    }

    fn upload(&self, _: UploadId) -> Option<Upload> {
        None
    }

    fn uploads(&self) -> Vec<Upload> {
        Vec::new()
    }

    async fn append(&self, _: UploadId, _: u64, _: Bytes) -> Result<u64, BlobError> {
        Err(BlobError::UploadUnknown)
    }

    async fn commit(&self, _: UploadId) -> Result<Upload, BlobError> {
        Err(BlobError::UploadUnknown)
    }

    async fn forget_upload(&self, _: UploadId) -> Result<(), BlobError> {
        Err(BlobError::UploadUnknown)
    }

    async fn size_of(&self, _: BlobHash) -> Result<Option<u64>, BlobError> {
        Ok(None)
    }

    async fn read(&self, _: BlobHash, _: u64, _: u64) -> Result<Bytes, BlobError> {
        Err(BlobError::NotHere)
    }

    async fn prove(&self, _: BlobHash, _: u64, _: u64) -> Result<Bytes, BlobError> {
        Err(BlobError::NotHere)
    }

    async fn begin_receive(&self, _: BlobHash, size: u64) -> Result<u64, BlobError> {
        Err(BlobError::NoSpace { bytes: size })
    }

    async fn receive(&self, _: BlobHash, _: u64, _: Bytes) -> Result<u64, BlobError> {
        Err(BlobError::NotHere)
    }

    async fn end_receive(&self, _: BlobHash) -> Result<(), BlobError> {
        Ok(())
    }

    async fn remove(&self, _: BlobHash) -> Result<bool, BlobError> {
        Ok(true)
    }

    async fn list(&self, _: Option<BlobHash>, _: usize) -> Result<Vec<BlobHash>, BlobError> {
        Ok(Vec::new())
    }
}
