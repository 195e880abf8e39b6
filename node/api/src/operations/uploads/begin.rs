//! `POST /api/v1/uploads`: opens an upload of `Upload-Length` bytes. What else a client says of the file
//! (`Upload-Metadata`) is passed over: its name and kind are told where a case names it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};

use super::protocol::{UPLOAD_LENGTH, check_version, count, standing, tus};
use crate::authorization::Operation;
use crate::openapi::{TusResumable, UploadLength, tag};
use crate::problem::{Answer, ProblemBody};
use crate::request::{Call, carried_out};
use crate::state::Shared;

/// 开始上传 · Opens an upload of so many bytes (tus 1.0.0, creation).
#[utoipa::path(
    post, path = "/api/v1/uploads", operation_id = "beginUpload", tag = tag::FILES,
    params(TusResumable, UploadLength),
    responses(
        (status = 201, description = "已开始 · It is open", headers(
            ("Location" = String, description = "上传 · The upload"),
            ("Upload-Offset" = String, description = "已有的字节数 · Bytes that are here"),
            ("Upload-Length" = String, description = "总字节数 · Bytes in all"),
            ("Upload-Expires" = String, description = "此后作废 · Forgotten after that"),
        )),
        (status = 412, description = "tus 版本不符 · Another version of tus is spoken", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "过大 · Too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "TB5403 上传过多, 先完成或取消一些; TB7020 过于频繁, 见 Retry-After · Too many uploads, finish or cancel some first; or too often, Retry-After says when", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "TB4005 全部令牌的上传合计已满, 见 Retry-After · As many uploads of everybody as are kept; Retry-After says when", body = ProblemBody, content_type = "application/problem+json"),
        (status = 507, description = "TB5405 附件存储空间不足 · There is no room for the file", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("token" = [])),
)]
pub(in crate::operations) async fn begin(State(api): State<Shared>, request: Request) -> Answer {
    tus(opened(&api, request).await)
}

async fn opened(api: &Shared, request: Request) -> Answer {
    let call = Call::open(api, request, Operation::Collect)?;
    call.query(&[])?;
    check_version(&call)?;
    let length = count(&call, &UPLOAD_LENGTH)?;
    let (node, owner) = (Arc::clone(&api.node), call.session.token_hash);
    let order = async move {
        let files = node.attachments();
        let upload = files.begin_upload(owner, length).await?;
        if length > 0 {
            return Ok(upload);
        }
        files.commit(owner, upload.id).await
    };
    let upload = carried_out(order).await??;
    let mut response = standing(StatusCode::CREATED, &upload);
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/uploads/{}", upload.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}
