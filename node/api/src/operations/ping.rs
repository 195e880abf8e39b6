//! `GET /api/v1/peers/{node}/ping`: one real round trip from this node to a peer.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::{Code, NodeId};
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::openapi::{NodeIdKind, NodePath, PingProblems, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::json;
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Ping)]
pub(crate) struct PingView {
    schema: &'static str,
    #[schema(value_type = NodeIdKind)]
    node: String,
    round_trip_us: u64,
}

/// 测对端往返 · Measures one round trip to a peer, dialing it if need be.
#[utoipa::path(
    get, path = "/api/v1/peers/{node}/ping", operation_id = "pingPeer", tag = tag::NODE,
    params(NodePath),
    responses((status = 200, description = "往返 · The round trip", body = PingView), PingProblems),
    security(("token" = [])),
)]
pub(crate) async fn ping(State(api): State<Shared>, request: Request) -> Answer {
    let mut call = Call::open(&api, request, Operation::PingPeer)?;
    call.query(&[])?;
    // A name that no node can have names none either.
    let node: NodeId = match call.raw_path("node").await?.parse() {
        Ok(node) => node,
        Err(_) => return Err(Problem::new(StatusCode::NOT_FOUND, Code::PEER_NOT_ENROLLED)),
    };
    if node == api.node.node() {
        // It is listed among the peers of others, not among its own.
        return Err(Problem::new(StatusCode::NOT_FOUND, Code::NO_SUCH_RESOURCE));
    }
    let measured = api.links.ping(node).await;
    let round_trip = measured.map_err(|code| match code {
        Code::PEER_NOT_ENROLLED => Problem::new(StatusCode::NOT_FOUND, code),
        Code::PEER_TIMED_OUT => Problem::new(StatusCode::GATEWAY_TIMEOUT, code).retry_later(),
        _ => Problem::new(StatusCode::SERVICE_UNAVAILABLE, code).retry_later(),
    })?;
    let view = PingView {
        schema: "tongban.ping/v1",
        node: node.to_string(),
        round_trip_us: u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX),
    };
    Ok(json(StatusCode::OK, &view))
}
