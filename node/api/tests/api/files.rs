//! The files of the recording node: it has none, and what becomes of uploads is tested with real processes.

use async_trait::async_trait;
use bytes::Bytes;
use tongban_runtime::{Attachments, BlobError, NodeError, Upload, UploadId};
use tongban_types::{Attachment, BlobHash, CaseNumber, CommandId, Hash};

use crate::node::RecordingNode;

#[async_trait]
impl Attachments for RecordingNode {
    async fn begin_upload(&self, _: Hash, length: u64) -> Result<Upload, BlobError> {
        Err(BlobError::NoSpace { bytes: length })
    }

    async fn append(&self, _: Hash, _: UploadId, _: u64, _: Bytes) -> Result<u64, BlobError> {
        Err(BlobError::UploadUnknown)
    }

    async fn commit(&self, _: Hash, _: UploadId) -> Result<Upload, BlobError> {
        Err(BlobError::UploadUnknown)
    }

    async fn cancel(&self, _: Hash, _: UploadId) -> Result<(), BlobError> {
        Err(BlobError::UploadUnknown)
    }

    fn uploaded(&self, _: Hash, _: BlobHash) -> Option<u64> {
        None
    }

    async fn named_by(&self, _: CommandId, _: BlobHash) -> Option<u64> {
        None
    }

    fn attachment(&self, _: CaseNumber, _: BlobHash) -> Result<Attachment, NodeError> {
        Err(BlobError::NotHere.into())
    }

    async fn read_attachment(
        &self,
        _: CaseNumber,
        _: &Attachment,
        _: u64,
        _: u64,
    ) -> Result<Bytes, NodeError> {
        Err(NodeError::FileUnreachable)
    }
}
