//! `POST /api/v1/cases/{number}/deliver`: 送达, the result is in the applicant's hands.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::Order;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn deliver(State(api): State<Shared>, request: Request) -> Answer {
    let order = Order::read_bare(&api, request, Operation::Deliver).await?;
    order.carry_out(&api, Act::Deliver).await
}
