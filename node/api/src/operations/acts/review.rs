//! `POST /api/v1/cases/{number}/review`: 审, a reviewer's opinion.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::{Order, decision};
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn review(State(api): State<Shared>, request: Request) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::Review).await?;
    let recommend = decision(&mut fields, "recommend")?;
    let opinion = fields.words("opinion")?;
    fields.end()?;
    let act = Act::Review { recommend, opinion };
    order.carry_out(&api, act).await
}
