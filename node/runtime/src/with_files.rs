//! Orders that name files: their list is packed with the form, and the files stay while the order is
//! under way and as long as its case is.

use async_trait::async_trait;
use bytes::Bytes;
use tongban_types::{
    Actor, Attachment, BlobHash, CaseNumber, CaseVersion, CommandId, Hash, Package,
};

use crate::attachments::Attachments;
use crate::blob_store::{BlobError, Upload, UploadId};
use crate::core::Until;
use crate::handle::{Act, Acted, Application, Collected, NodeError, NodeHandle, OpenedCase, Wait};
use crate::running::RunningNode;
use crate::seams::Platform;

impl<P: Platform> RunningNode<P> {
    pub(crate) async fn collect_with_files(
        &self,
        actor: Actor,
        id: CommandId,
        mut application: Application,
        wait: Wait,
    ) -> Result<Collected, NodeError> {
        let files = std::mem::take(&mut application.attachments);
        if files.is_empty() {
            return self.desk.collect(actor, id, application, wait).await;
        }
        application.form = pack(application.form, &files);
        let fresh = self.files.pin(id, None, &files).await?;
        let collected = self.desk.collect(actor, id, application, wait).await;
        match &collected {
            Ok(done) => {
                let named = blobs_of(&files);
                self.files.unpin(id, Some(done.case), &named).await?;
            }
            Err(error) if is_final(error) => self.files.unpin(id, None, &fresh).await?,
            // It may still be taken in: the sweep finds out.
            Err(_) => {}
        }
        collected
    }

    pub(crate) async fn act_with_files(
        &self,
        actor: Actor,
        id: CommandId,
        case: CaseNumber,
        expected: CaseVersion,
        act: Act,
        due: &Until<P::Runtime>,
    ) -> Result<Acted, NodeError> {
        let Act::Correct { form, attachments } = act else {
            return self.acts.act(actor, id, case, expected, act, due).await;
        };
        let known = self.core().ask_of_case(due, || self.readable_case(case));
        let known = known.await?.attachments;
        let files = attachments.unwrap_or_else(|| known.clone());
        let mut new = files.clone();
        new.retain(|file| !known.iter().any(|old| old.blob == file.blob));
        let fresh = self.files.pin(id, Some(case), &new).await?;
        let act = Act::Correct {
            form: pack(form, &files),
            attachments: None,
        };
        let acted = self.acts.act(actor, id, case, expected, act, due).await;
        match &acted {
            Ok(_) => self.files.unpin(id, Some(case), &blobs_of(&new)).await?,
            Err(error) if is_final(error) => self.files.unpin(id, None, &fresh).await?,
            Err(_) => {}
        }
        acted
    }
}

impl<P: Platform> RunningNode<P> {
    /// A case with its form: without it, which files it has is not known.
    pub(crate) fn readable_case(&self, case: CaseNumber) -> Result<OpenedCase, NodeError> {
        let opened = self.case(case)?;
        if opened.form.is_none() && opened.record.is_some() {
            return Err(NodeError::NoKey(case));
        }
        Ok(opened)
    }
}

fn pack(form: Vec<u8>, files: &[Attachment]) -> Vec<u8> {
    let package = Package {
        form,
        attachments: files.to_vec(),
    };
    package.to_text()
}

fn blobs_of(files: &[Attachment]) -> Vec<BlobHash> {
    files.iter().map(|file| file.blob).collect()
}

/// Whether nothing can come of this attempt any more. What an attempt before it kept stays: another
/// text under its id is refused for good, and the first may still be taken in.
const fn is_final(error: &NodeError) -> bool {
    !matches!(
        error,
        NodeError::TimedOut | NodeError::NoQuorum | NodeError::UnderWay | NodeError::Failed(_)
    )
}

#[async_trait]
impl<P: Platform> Attachments for RunningNode<P> {
    async fn begin_upload(&self, owner: Hash, length: u64) -> Result<Upload, BlobError> {
        self.files.begin_upload(owner, length).await
    }

    async fn append(
        &self,
        owner: Hash,
        id: UploadId,
        offset: u64,
        piece: Bytes,
    ) -> Result<u64, BlobError> {
        self.files.append(owner, id, offset, piece).await
    }

    async fn commit(&self, owner: Hash, id: UploadId) -> Result<Upload, BlobError> {
        self.files.commit(owner, id).await
    }

    async fn cancel(&self, owner: Hash, id: UploadId) -> Result<(), BlobError> {
        self.files.cancel(owner, id).await
    }

    fn uploaded(&self, owner: Hash, blob: BlobHash) -> Option<u64> {
        self.files.uploaded(owner, blob)
    }

    async fn named_by(&self, id: CommandId, blob: BlobHash) -> Option<u64> {
        self.files.named_by(id, blob).await
    }

    fn attachment(&self, case: CaseNumber, blob: BlobHash) -> Result<Attachment, NodeError> {
        let mut files = self.readable_case(case)?.attachments.into_iter();
        files
            .find(|file| file.blob == blob)
            .ok_or(NodeError::File(BlobError::NotHere))
    }

    async fn read_attachment(
        &self,
        case: CaseNumber,
        file: &Attachment,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, NodeError> {
        self.files.read(case, file, offset, length).await
    }
}
