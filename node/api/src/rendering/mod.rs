//! How values of the domain look in JSON: codes as text beside their Chinese names, times as people
//! in China read them.

mod attachment;
mod case;
mod instant;
mod receipt;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tongban_types::{Actor, CityCode, Division};
use utoipa::ToSchema;

use crate::openapi::{CityKind, DivisionKind, RoleKind};

pub(crate) use attachment::AttachmentView;
pub(crate) use case::{CaseView, ItemView, MovementView, StoredView, stage_of};
pub(crate) use instant::china_time;
pub(crate) use receipt::{ReceiptView, receipt_body};

/// A JSON answer. What is read here is about persons or changes from moment to moment: never kept
/// by a cache.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("views hold only texts, numbers and lists");
    let kind = HeaderValue::from_static("application/json");
    let no_store = HeaderValue::from_static("no-store");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, no_store),
    ];
    (status, headers, body).into_response()
}

/// Says that this answers a repeat of a request answered before (the `Idempotency-Key` draft).
pub(crate) fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert(
        HeaderName::from_static("idempotency-replayed"),
        HeaderValue::from_static("true"),
    );
}

/// A city or division: six digits, and its name if known.
#[derive(Serialize, ToSchema)]
#[schema(as = Place)]
pub(crate) struct PlaceView {
    #[schema(value_type = DivisionKind)]
    code: String,
    name: Option<String>,
}

impl From<CityCode> for PlaceView {
    fn from(city: CityCode) -> Self {
        Self {
            code: city.to_string(),
            name: Division::from(city).name().map(str::to_owned),
        }
    }
}

impl From<Division> for PlaceView {
    fn from(division: Division) -> Self {
        Self {
            code: division.to_string(),
            name: Some(division.full_name()),
        }
    }
}

/// A person of a city in a role.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub(crate) struct ActorView<'a> {
    #[schema(value_type = CityKind)]
    city: String,
    person: &'a str,
    #[schema(value_type = RoleKind)]
    role: &'static str,
}

impl<'a> From<&'a Actor> for ActorView<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self {
            city: actor.city.to_string(),
            person: actor.person.as_str(),
            role: actor.role.name(),
        }
    }
}
