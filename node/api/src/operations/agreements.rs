//! `GET /api/v1/agreements`: with which cities each item is handled across. It follows from what all have
//! signed and published: the registry says who the cities are, an item's file how far it reaches.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::{CityCode, Division, HandlingMode};
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
            .filter(|city| is_within(item.guide.reach, here, *city))
            .map(PlaceView::from)
            .collect(),
    });
    let view = AgreementsView {
        registry_version: registry.version(),
        agreements: agreements.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

/// Whether an item that reaches so far is handled across between two cities.
fn is_within(reach: Reach, here: CityCode, there: CityCode) -> bool {
    let province = |city: CityCode| Division::from(city).province();
    match reach {
        Reach::Nationwide | Reach::CrossProvince => true,
        Reach::CrossCity => province(here) == province(there),
        Reach::CrossCounty => here == there,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_handled_across_as_far_as_it_reaches() {
        let city = |code: &str| code.parse::<CityCode>().unwrap();
        let (fuzhou, putian, weinan) = (city("350100"), city("350300"), city("610500"));
        let with = |reach| [fuzhou, putian, weinan].map(|there| is_within(reach, fuzhou, there));
        assert_eq!(with(Reach::Nationwide), [true; 3]);
        assert_eq!(with(Reach::CrossProvince), [true; 3]);
        assert_eq!(with(Reach::CrossCity), [true, true, false]);
        assert_eq!(with(Reach::CrossCounty), [true, false, false]);
    }
}
