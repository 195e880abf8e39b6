//! `POST /api/v1/cases/{number}/withdraw`: 撤回, asked by the applicant.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::Order;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn withdraw(State(api): State<Shared>, request: Request) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::Withdraw).await?;
    let reason = fields.words("reason")?;
    fields.end()?;
    order.carry_out(&api, Act::Withdraw { reason }).await
}
