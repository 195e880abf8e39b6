//! `POST /api/v1/cases/{number}/ask-correction`: 一次性告知, of everything that must be corrected.

use axum::extract::{Request, State};
use tongban_runtime::Act;

use super::order::Order;
use crate::authorization::Operation;
use crate::problem::Answer;
use crate::state::Shared;

pub(in crate::operations) async fn ask_correction(
    State(api): State<Shared>,
    request: Request,
) -> Answer {
    let (order, mut fields) = Order::read(&api, request, Operation::AskCorrection).await?;
    let notice = fields.words("notice")?;
    fields.end()?;
    order.carry_out(&api, Act::AskCorrection { notice }).await
}
