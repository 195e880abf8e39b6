//! `POST /api/v1/cases/{number}/transfer`: 转送, of a case collected without handing it over.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::Order;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn transfer(State(api): State<Shared>, request: Request) -> Answer {
    let order = Order::read_bare(&api, request, Operation::Transfer).await?;
    order.carry_out(&api, Act::Transfer).await
}
