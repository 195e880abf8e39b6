//! The operations, one a file, and the addresses they answer at.

mod acts;
mod attachment;
mod attachment_list;
mod case;
mod cases;
mod collect;
mod document;
mod federation;
mod health;
mod item;
mod items;
mod metrics;
mod problem;
mod receipt;
mod registry;
mod status;
mod uploads;

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use tongban_types::Code;

use crate::problem::{Answer, Problem};
use crate::state::Shared;

pub use status::status_json;

/// The addresses of all operations.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/cases", get(cases::list).post(collect::collect))
        .route("/api/v1/cases/{number}", get(case::show))
        .route("/api/v1/cases/{number}/document", get(document::show))
        .route("/api/v1/cases/{number}/receipt", get(receipt::show))
        .route("/api/v1/cases/{number}/transfer", post(acts::transfer))
        .route(
            "/api/v1/cases/{number}/ask-correction",
            post(acts::ask_correction),
        )
        .route("/api/v1/cases/{number}/correct", post(acts::correct))
        .route("/api/v1/cases/{number}/accept", post(acts::accept))
        .route(
            "/api/v1/cases/{number}/refuse-to-accept",
            post(acts::refuse_to_accept),
        )
        .route("/api/v1/cases/{number}/review", post(acts::review))
        .route("/api/v1/cases/{number}/decide", post(acts::decide))
        .route("/api/v1/cases/{number}/deliver", post(acts::deliver))
        .route("/api/v1/cases/{number}/withdraw", post(acts::withdraw))
        .route("/api/v1/items", get(items::list))
        .route("/api/v1/items/{code}/{version}", get(item::show))
        .route("/api/v1/federation", get(federation::show))
        .route("/api/v1/registry", get(registry::show))
        .route("/api/v1/status", get(status::show))
        .route("/problems/{code}", get(problem::explain))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/startupz", get(health::started))
        .route("/metrics", get(metrics::show))
        .route(
            "/api/v1/cases/{number}/attachments/{hash}",
            get(attachment::show),
        )
        .route("/api/v1/uploads", uploads::all())
        .route("/api/v1/uploads/{id}", uploads::one())
        .fallback(no_such_resource)
        .method_not_allowed_fallback(method_not_allowed)
}

async fn no_such_resource(_: Request<axum::body::Body>) -> Answer {
    Err(Problem::new(StatusCode::NOT_FOUND, Code::NO_SUCH_RESOURCE))
}

/// The router adds the `Allow` header.
async fn method_not_allowed(_: Request<axum::body::Body>) -> Answer {
    Err(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::METHOD_NOT_ALLOWED,
    ))
}
