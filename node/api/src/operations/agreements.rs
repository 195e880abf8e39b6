//! `GET /api/v1/agreements`: with which cities each item is handled across. It follows from what all have
//! signed and published: the registry says who the cities are, an item's file how far it reaches.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::HandlingMode;
use utoipa::ToSchema;

use super::federation::no_registry;
use crate::authorization::Operation;
use crate::catalogue::{Names, Reach};
use crate::openapi::{HandlingModeKind, ItemCodeKind, NoRegistryProblem, Sha256Kind, tag};
use crate::problem::Answer;
use crate::rendering::{PlaceView, json};
use crate::request::Call;
use crate::state::Shared;

#[derive(Serialize, ToSchema)]
#[schema(as = Agreements)]
struct AgreementsView<'a> {
    /// The registry it follows from.
    registry_version: u64,
    agreements: Vec<AgreementView<'a>>,
}

/// One version of an item, and the cities with which this one handles it.
#[derive(Serialize, ToSchema)]
#[schema(as = Agreement)]
struct AgreementView<'a> {
    #[schema(value_type = ItemCodeKind)]
    code: String,
    version: u32,
    name: &'a Names,
    /// SHA-256 of the item's file, which every party has.
    #[schema(value_type = Sha256Kind)]
    file_sha256: String,
    /// How far it reaches: `nationwide`, `cross-province`, `cross-city` (within a province), `cross-county`
    /// (within a city).
    #[schema(value_type = String)]
    reach: Reach,
    #[schema(value_type = HandlingModeKind)]
    handling_mode: HandlingMode,
    /// This city among them.
    cities: Vec<PlaceView>,
}

/// 通办约定 · With which cities each item is handled across.
#[utoipa::path(
    get, path = "/api/v1/agreements", operation_id = "listAgreements", tag = tag::ITEMS,
    responses((status = 200, description = "约定 · Who handles what together", body = AgreementsView), NoRegistryProblem),
    security(("token" = [])),
)]
pub(crate) async fn list(State(api): State<Shared>, request: Request) -> Answer {
    let call = Call::open(&api, request, Operation::ReadItems)?;
    call.query(&[])?;
    let registry = api.node.registry().ok_or_else(no_registry)?;
    let here = api.node.city();
    let agreements = api.catalogue.items().map(|item| AgreementView {
        code: item.terms.item.code.to_string(),
        version: item.terms.item.version,
        name: &item.name,
        file_sha256: item.terms.file.to_string(),
        reach: item.guide.reach,
        handling_mode: item.terms.mode,
        cities: registry
            .cities()
            .map(|(city, _)| city)
            .filter(|city| item.guide.reach.has_both(here, *city))
            .map(PlaceView::from)
            .collect(),
    });
    let view = AgreementsView {
        registry_version: registry.version(),
        agreements: agreements.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}
