//! Files as the API and the console see them.

use async_trait::async_trait;
use bytes::Bytes;
use tongban_types::{Attachment, BlobHash, CaseNumber, CommandId, Hash};

use crate::blob_store::{BlobError, Upload, UploadId};
use crate::handle::NodeError;

/// Uploads, and files of cases. `owner` is the hash of the token that asks.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Opens an upload of `length` bytes.
    async fn begin_upload(&self, owner: Hash, length: u64) -> Result<Upload, BlobError>;

    /// Takes a piece of at most 4 MiB at `offset`; not durable yet. Returns where the upload stands.
    async fn append(
        &self,
        owner: Hash,
        id: UploadId,
        offset: u64,
        piece: Bytes,
    ) -> Result<u64, BlobError>;

    /// Makes durable what was taken, and stores a whole upload under its hash; how it stands.
    async fn commit(&self, owner: Hash, id: UploadId) -> Result<Upload, BlobError>;

    /// Forgets an upload.
    async fn cancel(&self, owner: Hash, id: UploadId) -> Result<(), BlobError>;

    /// The length of a file that this owner uploaded as a whole, and may name in a case.
    fn uploaded(&self, owner: Hash, blob: BlobHash) -> Option<u64>;

    /// The length of a file that this order named when it was given before, and may name again.
    async fn named_by(&self, id: CommandId, blob: BlobHash) -> Option<u64>;

    /// A file that a case names, where this node can open the case.
    fn attachment(&self, case: CaseNumber, blob: BlobHash) -> Result<Attachment, NodeError>;

    /// Verified bytes of a file of a case, at most 1 MiB, fewer only at its end; fetched from another
    /// party of the case if they are not here.
    async fn read_attachment(
        &self,
        case: CaseNumber,
        file: &Attachment,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, NodeError>;
}
