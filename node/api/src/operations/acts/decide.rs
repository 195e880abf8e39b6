//! `POST /api/v1/cases/{number}/decide`: 核, the decision, by another person than the reviewer.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::{Order, decision};
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn decide(State(api): State<Shared>, request: Request) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::Decide).await?;
    let decision = decision(&mut fields, "decision")?;
    let reason = fields.optional_words("reason")?;
    fields.end()?;
    let act = Act::Decide { decision, reason };
    order.carry_out(&api, act).await
}
