//! `POST /api/v1/cases`: 收件. Takes an application in and gives its receipt.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use tongban_runtime::{Application, Collected, Wait};
use tongban_trust::Json;
use tongban_types::{Channel, ItemVersion, Receipt};

use super::attachment_list::take_attachments;
use crate::authorization::Operation;
use crate::problem::{Answer, Problem};
use crate::rendering::{ReceiptView, json, mark_replayed};
use crate::request::{BodyFields, Call, shape};
use crate::state::{ApiState, Shared};

#[derive(Serialize)]
struct CollectedView {
    case: String,
    repeated: bool,
    receipt: ReceiptView,
}

pub(crate) async fn collect(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::Collect)?;
    call.query(&[])?;
    let id = call.command_id()?;
    let wait = call.wait();
    let (session, mut fields) = call.body().await?;
    let attachments = take_attachments(&api, session.token_hash, &mut fields, &[])?;
    let mut application = read(&api, fields)?;
    application.attachments = attachments.unwrap_or_default();
    let collected = api
        .node
        .collect(session.actor, id, application, wait)
        .await?;
    Ok(answer(&collected, wait))
}

fn read(api: &ApiState, mut fields: BodyFields) -> Result<Application, Problem> {
    let mut named = fields.object("item")?;
    let code = named.text("code")?.parse()?;
    let version = named
        .optional_count("version")?
        .ok_or_else(|| shape("/item/version", "缺少此项"))?;
    named.end()?;
    let form = fields.take("form")?;
    let channel = channel(&mut fields)?;
    let hand_over = fields.switch("hand_over", true)?;
    fields.end()?;
    let item = api
        .catalogue
        .item(ItemVersion { code, version })
        .ok_or_else(|| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::unknown_item(status).at("/item", "item", "目录中没有该事项版本")
        })?;
    let form = item
        .check_form(form)
        .map_err(|fault| Problem::of_form(fault, "/form"))?;
    Ok(Application {
        item: item.terms.item,
        item_file: item.terms.file,
        mode: item.terms.mode,
        authority_division: form.authority,
        subject: form.subject,
        form: form.bytes,
        attachments: Vec::new(),
        channel,
        hand_over,
    })
}

fn channel(fields: &mut BodyFields) -> Result<Channel, Problem> {
    match fields.optional("channel") {
        None => Ok(Channel::Window),
        Some(Json::Text(name)) if name == "window" => Ok(Channel::Window),
        Some(Json::Text(name)) if name == "online" => Ok(Channel::Online),
        Some(Json::Text(name)) if name == "terminal" => Ok(Channel::Terminal),
        Some(_) => Err(shape("/channel", "应为 window、online 或 terminal")),
    }
}

fn answer(collected: &Collected, wait: Wait) -> axum::response::Response {
    let is_replicated = matches!(collected.receipt, Receipt::Replicated(_));
    let status = if is_replicated {
        StatusCode::CREATED
    } else {
        StatusCode::ACCEPTED
    };
    let view = CollectedView {
        case: collected.case.to_string(),
        repeated: collected.repeated,
        receipt: (&collected.receipt).into(),
    };
    let mut response = json(status, &view);
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/cases/{}", collected.case)) {
        headers.insert(header::LOCATION, location);
    }
    if is_replicated && wait == Wait::Replicated {
        headers.insert(
            HeaderName::from_static("preference-applied"),
            HeaderValue::from_static("wait=replicated"),
        );
    }
    if collected.repeated {
        mark_replayed(&mut response);
    }
    response
}
