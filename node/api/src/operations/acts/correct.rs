//! `POST /api/v1/cases/{number}/correct`: 补正, the corrected form. It is checked by the version of
//! the item the case was collected under, and stays an application of the same person to the same
//! authority: another one is another case.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::Value;
use tongban_runtime::{Act, OpenedCase};
use tongban_types::{Code, ItemVersion};
use utoipa::ToSchema;

use super::super::attachment_list::{AttachmentNamed, take_attachments};
use super::order::{ActedView, Order};
use crate::authorization::Operation;
use crate::catalogue::{CheckedForm, Item};
use crate::openapi::{ActProblems, CasePath, FormKind, IdempotencyKey, IfMatch, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::receipt_body;
use crate::said::Said;
use crate::state::Shared;

/// What is sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read member by member, so that each fault is told by its place"
)]
struct CorrectBody {
    /// The version the act is based on, unless `If-Match` says it.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 4_294_967_295_u32)]
    expected_version: Option<u32>,
    /// The whole form as corrected, by the rules of the item.
    #[schema(value_type = FormKind)]
    form: Value,
    /// Files that the same token uploaded before.
    #[schema(value_type = Vec<AttachmentNamed>, required = false, max_items = 32)]
    attachments: Option<Vec<AttachmentNamed>>,
}

/// 补正 · The corrected form.
#[utoipa::path(
    post, path = "/api/v1/cases/{number}/correct", operation_id = "correctCase", tag = tag::ACTS,
    params(CasePath, IdempotencyKey, IfMatch),
    request_body = CorrectBody,
    responses((status = 200, description = "已办理 · Done", body = ActedView), ActProblems),
    security(("token" = [])),
)]
pub(in crate::operations) async fn correct(State(api): State<Shared>, request: Request) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::Correct).await?;
    let form = fields.take("form")?;
    let known = api.node.case_to_correct(order.case).await?;
    let asker = (order.asker, order.id);
    let attachments = take_attachments(&api, asker, &mut fields, &known.attachments).await?;
    fields.end()?;
    let item = item_of(&known)
        .and_then(|version| api.catalogue.item(version))
        .ok_or_else(|| Problem::unknown_item(StatusCode::UNPROCESSABLE_ENTITY))?;
    let form = item
        .check_form(form)
        .map_err(|fault| Problem::of_form(fault, "/form"))?;
    check_unchanged(item, &known, &form)?;
    order
        .carry_out(
            &api,
            Act::Correct {
                form: form.bytes,
                attachments,
            },
        )
        .await
}

fn item_of(known: &OpenedCase) -> Option<ItemVersion> {
    let in_record = known.record.as_ref().map(|record| record.envelope.item);
    let in_receipt = || Some(receipt_body(known.receipt.as_ref()?)?.item);
    in_record.or_else(in_receipt)
}

fn check_unchanged(item: &Item, known: &OpenedCase, form: &CheckedForm) -> Result<(), Problem> {
    let changed = |pointer: &str, keyword: &str, says: Said| {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::FORM_INVALID);
        problem.at(&format!("/form{pointer}"), keyword, says)
    };
    let record = known.record.as_ref();
    if record.is_some_and(|record| record.envelope.authority_division != form.authority) {
        let says = Said::new(
            "补正不得改变属地, 请另行申请",
            "must lead to the same authority as before; another one is another application",
        );
        return Err(changed(item.authority_pointer(), "authority", says));
    }
    let before = known.form.as_deref().map(|bytes| item.read_form(bytes));
    if matches!(before, Some(Ok(before)) if before.subject != form.subject) {
        let says = Said::new(
            "补正不得改变申请人, 请另行申请",
            "must name the same person as before; another one is another application",
        );
        return Err(changed(item.subject_pointer(), "subject", says));
    }
    Ok(())
}
