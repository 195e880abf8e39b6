//! `attachments` of a body: files that the asker uploaded before, or that the case has already, by their
//! hashes.

use axum::http::StatusCode;
use tongban_trust::Json;
use tongban_types::{Attachment, BlobHash, Code, CommandId, Hash, limits::ATTACHMENTS_MAX};

use utoipa::ToSchema;

use crate::problem::Problem;
use crate::request::{BodyFields, shape};
use crate::said::Said;
use crate::state::ApiState;

/// A file as a body names it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
pub(super) struct AttachmentNamed {
    name: String,
    #[schema(example = "application/pdf")]
    media_type: String,
    /// BLAKE3.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
}

/// Takes the list, where there is one; `known` are the files the case has. A file this order named
/// when it was sent before is known too, whatever became of its upload: a repeat is answered as the
/// first was.
pub(crate) async fn take_attachments(
    api: &ApiState,
    (owner, id): (Hash, CommandId),
    fields: &mut BodyFields,
    known: &[Attachment],
) -> Result<Option<Vec<Attachment>>, Problem> {
    let Some(value) = fields.optional("attachments") else {
        return Ok(None);
    };
    let Json::List(named) = value else {
        let says = Said::new("应为列表", "must be a list");
        return Err(shape("/attachments", says));
    };
    if named.len() > ATTACHMENTS_MAX {
        let says = Said::new(
            format!("最多 {ATTACHMENTS_MAX} 个附件"),
            format!("must have {ATTACHMENTS_MAX} files or fewer"),
        );
        return Err(shape("/attachments", says));
    }
    let mut files = Vec::with_capacity(named.len());
    for (place, value) in named.into_iter().enumerate() {
        let pointer = format!("/attachments/{place}");
        let mut fields = BodyFields::of(value, &pointer)?;
        let (name, media_type) = (fields.text("name")?, fields.text("media_type")?);
        let hash = fields.text("hash")?;
        fields.end()?;
        let blob: BlobHash = hash.parse().map_err(|_| {
            let says = Said::new(
                "应为 64 位十六进制的 BLAKE3 哈希",
                "must be a BLAKE3 hash in 64 hexadecimal digits",
            );
            shape(&format!("{pointer}/hash"), says)
        })?;
        let of_case = known.iter().find(|file| file.blob == blob);
        let attachments = api.node.attachments();
        let size = match of_case.map(|file| file.size) {
            Some(size) => Some(size),
            None => match attachments.uploaded(owner, blob) {
                Some(size) => Some(size),
                None => attachments.named_by(id, blob).await,
            },
        };
        let size = size.ok_or_else(|| not_uploaded(&pointer))?;
        let file = Attachment::new(name, media_type, size, blob).map_err(|malformed| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, malformed.code()).at(&pointer, "attachment", malformed.into())
        })?;
        files.push(file);
    }
    Ok(Some(files))
}

fn not_uploaded(pointer: &str) -> Problem {
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::ATTACHMENT_UNKNOWN);
    let pointer = format!("{pointer}/hash");
    let says = Said::new(
        "先用同一令牌完成上传",
        "must first be uploaded whole with the same token",
    );
    problem.at(&pointer, "attachment", says)
}
