//! A file of a case in JSON.

use serde::Serialize;
use tongban_types::Attachment;
use utoipa::ToSchema;

/// A file as the case names it; its bytes are at `attachments/{hash}` below the case.
#[derive(Serialize, ToSchema)]
#[schema(as = Attachment)]
pub(crate) struct AttachmentView<'a> {
    name: &'a str,
    media_type: &'a str,
    size: u64,
    hash: String,
}

impl<'a> From<&'a Attachment> for AttachmentView<'a> {
    fn from(file: &'a Attachment) -> Self {
        Self {
            name: &file.name,
            media_type: &file.media_type,
            size: file.size,
            hash: file.blob.to_string(),
        }
    }
}
