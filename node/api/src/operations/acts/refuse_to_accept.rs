//! `POST /api/v1/cases/{number}/refuse-to-accept`: 不予受理, with reasons.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::Order;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn refuse_to_accept(
    State(api): State<Shared>,
    request: Request,
) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::RefuseToAccept).await?;
    let reason = fields.words("reason")?;
    fields.end()?;
    order.carry_out(&api, Act::RefuseToAccept { reason }).await
}
