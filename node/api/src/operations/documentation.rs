//! What explains the API: its `OpenAPI` description, and a page that shows it, served from this program
//! alone. The page is Swagger UI, whose style sheets stand in its markup: here alone the policy of the
//! browser allows that.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tongban_types::Code;
use utoipa_swagger_ui::{Config, serve};

use crate::openapi::{openapi_json, tag};
use crate::problem::{Answer, Problem, ProblemBody};
use crate::request::Query;

/// Where the description is.
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// Scripts and requests of this origin only; nothing is loaded from anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

static PAGE: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new([DESCRIPTION]).display_request_duration(true);
    Arc::new(config.use_base_layout())
});

/// 接口说明 · This description, `OpenAPI` 3.1. Open to anybody.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "readDescription", tag = tag::SELF,
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn description(request: Request) -> Answer {
    Query::of(request.uri(), &[])?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], openapi_json()).into_response())
}

/// 接口说明页 · The page that shows it. Open to anybody.
#[utoipa::path(
    get, path = "/docs", operation_id = "showDescription", tag = tag::SELF,
    responses((status = 200, description = "页面 · The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn page(request: Request) -> Answer {
    Query::of(request.uri(), &[])?;
    let page = part("index.html")?;
    // Its own parts stand under `/docs/`, which is not the folder of an address without a slash.
    let text = String::from_utf8_lossy(&page.bytes).replace("\"./", "\"/docs/");
    Ok(shown(
        text.replace("href=\"index.css\"", "href=\"/docs/index.css\""),
        page.kind,
    ))
}

/// 页面的文件 · A part of that page.
#[utoipa::path(
    get, path = "/docs/{file}", operation_id = "showDescriptionPart", tag = tag::SELF,
    params(("file" = String, Path, description = "文件名 · Its name", example = "swagger-ui.css")),
    responses(
        (status = 200, description = "文件 · The file", content(
            (String = "text/css"), (String = "text/javascript"), (String = "text/html"),
            (String = "image/png"), (String = "application/json"), (String = "application/octet-stream"),
        )),
        (status = 404, description = "没有 · There is none", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn file(Path(name): Path<String>, request: Request) -> Answer {
    Query::of(request.uri(), &[])?;
    let part = part(&name)?;
    Ok(shown(part.bytes, part.kind))
}

struct Part {
    bytes: Vec<u8>,
    kind: String,
}

fn part(name: &str) -> Result<Part, Problem> {
    let found = serve(name, PAGE.clone()).ok().flatten();
    let found = found.filter(|_| !name.is_empty() && name != "/");
    found
        .map(|file| Part {
            kind: file.content_type,
            bytes: file.bytes.into_owned(),
        })
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, Code::NO_SUCH_RESOURCE))
}

fn shown(body: impl Into<axum::body::Body>, kind: String) -> Response {
    let policy = HeaderValue::from_static(POLICY);
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if let Ok(kind) = HeaderValue::try_from(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}
