//! The operations, one a file, and the addresses they answer at.
//!
//! To add one: a file with its handler, `#[utoipa::path(...)]` above it (summary, `operation_id`,
//! `tag`, parameters, body, answers, `security(("token" = []))` where it asks for a token), and a line
//! `.routes(routes!(file::handler))` here. Several methods of one address go into one `routes!`.

mod acts;
mod agreements;
mod attachment;
mod attachment_list;
mod backup;
mod case;
mod case_events;
mod cases;
mod collect;
mod document;
mod document_list;
mod documentation;
mod drain;
mod events;
mod federation;
mod groups;
mod health;
mod item;
mod items;
mod looking;
mod metrics;
mod peers;
mod ping;
mod problem;
mod receipt;
mod registry;
mod status;
mod uploads;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use tongban_types::Code;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Answer, Problem};
use crate::state::Shared;

pub(crate) use acts::ActedView;
pub(crate) use case::OpenedCaseView;
pub(crate) use collect::CollectedView;
pub(crate) use document_list::ListedDocument;
pub(crate) use drain::DrainView;
pub(crate) use groups::{GroupView, MembersView, OrderBody, PlacedView, PlanView};
pub(crate) use peers::{PeerView, PeersView};
pub(crate) use ping::PingView;
pub(crate) use status::StatusView;
pub use status::status_json;

/// The addresses of all operations, with what each says of itself.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(cases::list, collect::collect))
        .routes(routes!(case::show))
        .routes(routes!(case_events::follow))
        .routes(routes!(events::follow))
        .routes(routes!(document_list::list))
        .routes(routes!(document::show))
        .routes(routes!(receipt::show))
        .routes(routes!(attachment::show))
        .routes(routes!(uploads::begin::begin, uploads::said::said))
        .routes(routes!(
            uploads::stands::stands,
            uploads::show::show,
            uploads::append::append,
            uploads::append::overridden,
            uploads::cancel::cancel,
            uploads::said::said_of_one
        ))
        .routes(routes!(acts::transfer::transfer))
        .routes(routes!(acts::ask_correction::ask_correction))
        .routes(routes!(acts::correct::correct))
        .routes(routes!(acts::accept::accept))
        .routes(routes!(acts::refuse_to_accept::refuse_to_accept))
        .routes(routes!(acts::review::review))
        .routes(routes!(acts::decide::decide))
        .routes(routes!(acts::deliver::deliver))
        .routes(routes!(acts::withdraw::withdraw))
        .routes(routes!(items::list))
        .routes(routes!(item::show))
        .routes(routes!(agreements::list))
        .routes(routes!(federation::show))
        .routes(routes!(registry::show))
        .routes(routes!(status::show))
        .routes(routes!(backup::make))
        .routes(routes!(peers::list))
        .routes(routes!(ping::ping))
        .routes(routes!(groups::list::list))
        .routes(routes!(groups::show::show))
        .routes(routes!(groups::plan::plan))
        .routes(routes!(groups::place::place))
        .routes(routes!(groups::hand_over::hand_over))
        .routes(routes!(drain::show::show, drain::begin::begin))
        .routes(routes!(drain::end::end))
        .routes(routes!(problem::explain))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::started))
        .routes(routes!(metrics::show))
        .routes(routes!(documentation::description))
        .routes(routes!(documentation::page))
        .routes(routes!(documentation::file))
}

pub(crate) async fn no_such_resource(_: Request) -> Answer {
    Err(Problem::new(StatusCode::NOT_FOUND, Code::NO_SUCH_RESOURCE))
}

/// The router adds the `Allow` header, which is all that `OPTIONS` asks for.
pub(crate) async fn method_not_allowed(request: Request) -> Answer {
    if request.method() == Method::OPTIONS {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::METHOD_NOT_ALLOWED,
    ))
}
