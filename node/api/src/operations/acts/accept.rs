//! `POST /api/v1/cases/{number}/accept`: 受理, by the authority.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::Order;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn accept(State(api): State<Shared>, request: Request) -> Answer {
    let order = Order::read_bare(&api, request, Operation::Accept).await?;
    order.carry_out(&api, Act::Accept).await
}
