//! `GET /api/v1/federation`: the member cities, their nodes, and which of them are connected.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::Code;
use utoipa::ToSchema;

use crate::authorization::Operation;
use crate::openapi::{DivisionKind, Moment, NoRegistryProblem, NodeIdKind, tag};
use crate::problem::{Answer, Problem};
use crate::rendering::{china_time, json};
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Federation)]
struct FederationView<'a> {
    registry_version: u64,
    #[schema(value_type = Moment)]
    registry_expires: String,
    #[schema(value_type = NodeIdKind)]
    this_node: String,
    cities: Vec<CityView<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = City)]
struct CityView<'a> {
    #[schema(value_type = DivisionKind)]
    code: String,
    name: &'a str,
    divisions: &'a [String],
    issuer: &'a str,
    nodes: Vec<NodeView>,
    #[schema(value_type = Vec<NodeIdKind>)]
    voters: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Node)]
struct NodeView {
    #[schema(value_type = NodeIdKind)]
    id: String,
    connected: bool,
}

/// 联盟 · The member cities, their nodes, and which of them are connected.
#[utoipa::path(
    get, path = "/api/v1/federation", operation_id = "readFederation", tag = tag::FEDERATION,
    responses((status = 200, description = "成员 · The members", body = FederationView), NoRegistryProblem),
    security(("token" = [])),
)]
pub(crate) async fn show(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadFederation)?;
    call.query(&[])?;
    let Some(registry) = api.node.registry() else {
        return Err(no_registry());
    };
    let (here, connected) = (api.node.node(), api.node.connected());
    let cities = registry.cities().map(|(code, city)| CityView {
        code: code.to_string(),
        name: &city.name,
        divisions: &city.divisions,
        issuer: &city.issuer,
        nodes: city
            .nodes
            .keys()
            .map(|node| NodeView {
                id: node.to_string(),
                connected: *node == here || connected.contains(node),
            })
            .collect(),
        voters: city.voters.iter().map(ToString::to_string).collect(),
    });
    let view = FederationView {
        registry_version: registry.version(),
        registry_expires: china_time(registry.expires()),
        this_node: here.to_string(),
        cities: cities.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

/// No registry has come yet; one will.
pub(super) fn no_registry() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::NO_REGISTRY).retry_later()
}
