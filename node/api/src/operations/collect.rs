//! `POST /api/v1/cases`: 收件. Takes an application in and gives its receipt.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tongban_runtime::{Application, Collected, Wait};
use tongban_trust::Json;
use tongban_types::{Channel, Code, Division, ItemVersion, Receipt};
use utoipa::ToSchema;

use super::attachment_list::{AttachmentNamed, take_attachments};
use crate::authorization::Operation;
use crate::catalogue::Item;
use crate::openapi::{
    CaseNumberKind, ChannelKind, CollectProblems, FormKind, IdempotencyKey, ItemCodeKind, Prefer,
    tag,
};
use crate::problem::{Answer, Problem};
use crate::rendering::{ReceiptView, json as answer_json, mark_replayed};
use crate::request::{BodyFields, Call, carried_out, missing, shape};
use crate::said::Said;
use crate::state::{ApiState, Shared};

/// What is sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
struct CollectBody {
    item: CollectedItem,
    /// The filled form, by the JSON Schema `form` of the item's file.
    #[schema(value_type = FormKind)]
    form: Value,
    /// Files that the same token uploaded before.
    #[schema(value_type = Vec<AttachmentNamed>, required = false, max_items = 32)]
    attachments: Option<Vec<AttachmentNamed>>,
    /// How it came; `window` where it is left out.
    #[schema(value_type = ChannelKind, required = false)]
    channel: Option<String>,
    /// The package is complete: hand it over to the authority at once; `true` where it is left out.
    #[schema(value_type = bool, required = false)]
    hand_over: Option<bool>,
}

/// The version of the item the form was filled by.
#[derive(ToSchema)]
#[schema(as = ItemNamed)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
struct CollectedItem {
    #[schema(value_type = ItemCodeKind)]
    code: String,
    #[schema(minimum = 0, maximum = 4_294_967_295_u32)]
    version: u32,
}

/// The sample form of the first item: what it names is nobody.
fn example() -> Value {
    let form = include_str!("../../../../protocol/items/national/000109900001/1.example.json");
    let form: Value = serde_json::from_str(form).expect("a test loads every sample");
    json!({"item": {"code": "000109900001", "version": 1}, "form": form})
}

/// What collecting answers.
#[derive(Serialize, ToSchema)]
#[schema(as = Collected)]
pub(crate) struct CollectedView {
    #[schema(value_type = CaseNumberKind)]
    case: String,
    repeated: bool,
    receipt: ReceiptView,
}

/// 收件 · Takes an application in and gives its receipt.
///
/// 201 once a majority has it, 202 while only this node has it; the receipt says which.
#[utoipa::path(
    post, path = "/api/v1/cases", operation_id = "collectCase", tag = tag::CASES,
    params(IdempotencyKey, Prefer),
    request_body(content = CollectBody, example = json!(example())),
    responses(
        (status = 201, description = "已由多数副本落盘 · A majority has it", body = CollectedView, headers(
            ("Location" = String, description = "办件 · The case"),
            ("Preference-Applied" = String, description = "wait=replicated"),
        )),
        (status = 202, description = "已在本节点落盘 · Durable at this node", body = CollectedView, headers(
            ("Location" = String, description = "办件 · The case"),
        )),
        CollectProblems,
    ),
    security(("token" = [])),
)]
pub(crate) async fn collect(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::Collect)?;
    call.query(&[])?;
    let id = call.command_id()?;
    let wait = call.wait();
    let (session, mut fields) = call.body().await?;
    let asker = (session.token_hash, id);
    let attachments = take_attachments(&api, asker, &mut fields, &[]).await?;
    let mut application = read(&api, fields)?;
    application.attachments = attachments.unwrap_or_default();
    let order = async move {
        let node = &api.node;
        node.collect(session.actor, id, application, wait).await
    };
    Ok(answer(&carried_out(order).await??, wait))
}

fn read(api: &ApiState, mut fields: BodyFields) -> Result<Application, Problem> {
    let mut named = fields.object("item")?;
    let code = named.text("code")?.parse()?;
    let version = named
        .optional_count("version")?
        .ok_or_else(|| missing("/item/version"))?;
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
            let says = Said::new("目录中没有该事项版本", "is in no catalogue of this node");
            Problem::unknown_item(status).at("/item", "item", says)
        })?;
    let form = item
        .check_form(form)
        .map_err(|fault| Problem::of_form(fault, "/form"))?;
    check_reach(api, item, form.authority)?;
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

/// An item is taken in for the cities that `/api/v1/agreements` lists with it. Whether a city of the
/// federation answers for the division at all is the node's to say.
fn check_reach(api: &ApiState, item: &Item, authority: Division) -> Result<(), Problem> {
    let registry = api.node.registry();
    let there = registry.and_then(|registry| registry.city_of_division(authority.number()));
    let here = api.node.city();
    if there.is_none_or(|there| item.guide.reach.has_both(here, there)) {
        return Ok(());
    }
    let at = format!("/form{}", item.authority_pointer());
    let says = Said::new(
        "该事项不在与该市的通办范围内",
        "leads to a city that this item is not handled with",
    );
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Err(Problem::new(status, Code::OUT_OF_REACH).at(&at, "reach", says))
}

fn channel(fields: &mut BodyFields) -> Result<Channel, Problem> {
    match fields.optional("channel") {
        None => Ok(Channel::Window),
        Some(Json::Text(name)) if name == "window" => Ok(Channel::Window),
        Some(Json::Text(name)) if name == "online" => Ok(Channel::Online),
        Some(Json::Text(name)) if name == "terminal" => Ok(Channel::Terminal),
        Some(_) => {
            let says = Said::new(
                "应为 window、online 或 terminal",
                "must be window, online or terminal",
            );
            Err(shape("/channel", says))
        }
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
    let mut response = answer_json(status, &view);
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
