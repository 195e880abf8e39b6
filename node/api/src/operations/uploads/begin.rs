//! `POST /api/v1/uploads`: opens an upload of `Upload-Length` bytes. What else a client says of the file
//! (`Upload-Metadata`) is passed over: its name and kind are told where a case names it.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};

use super::protocol::{UPLOAD_LENGTH, check_version, count, standing, tus};
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::request::Call;
use crate::state::{ApiState, Shared};

pub(super) async fn begin(State(api): State<Shared>, request: Request) -> Answer {
    tus(opened(&api, request).await)
}

async fn opened(api: &ApiState, request: Request) -> Answer {
    let call = Call::open(api, request, Operation::Collect)?;
    call.query(&[])?;
    check_version(&call)?;
    let length = count(&call, &UPLOAD_LENGTH)?;
    let (files, owner) = (api.node.attachments(), call.session.token_hash);
    let mut upload = files.begin_upload(owner, length).await?;
    if length == 0 {
        upload = files.commit(owner, upload.id).await?;
    }
    let mut response = standing(StatusCode::CREATED, &upload);
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1/uploads/{}", upload.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}
