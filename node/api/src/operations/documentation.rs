//! What explains the API: its `OpenAPI` description, and a page that shows it, served from this program
//! alone. The page is Swagger UI, whose style sheets stand in its markup: here alone the policy of the
//! browser allows that.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use tongban_types::Code;
use utoipa_swagger_ui::{Config, serve};

use crate::openapi::{openapi_json, tag};
use crate::problem::{Answer, Problem, ProblemBody};
use crate::request::{Query, raw_path};

/// Where the description is.
const DESCRIPTION: &str = "/api/v1/openapi.json";

/// Scripts and requests of this origin only; nothing is loaded from anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new([DESCRIPTION]).display_request_duration(true);
    Arc::new(config.use_base_layout())
});

/// The page, made once.
static PAGE: LazyLock<Option<Part>> = LazyLock::new(|| {
    let page = found("index.html")?;
    // Its own parts stand under `/docs/`, which is not the folder of an address without a slash.
    let text = String::from_utf8_lossy(&page.bytes).replace("\"./", "\"/docs/");
    let text = text.replace("href=\"index.css\"", "href=\"/docs/index.css\"");
    let text = text.replace("<title>Swagger UI</title>", "<title>通办 · Tongban</title>");
    Some(Part {
        bytes: text.into(),
        kind: page.kind,
    })
});

/// The one part that is written from the configuration, written once.
static INITIALIZER: LazyLock<Option<Part>> = LazyLock::new(|| found(INITIALIZER_NAME));
const INITIALIZER_NAME: &str = "swagger-initializer.js";

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
    PAGE.clone().map(shown).ok_or_else(no_such_part)
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
pub(crate) async fn file(request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    Query::of(&parts.uri, &[])?;
    let name = raw_path(&mut parts, "file").await?;
    part(&name).map(shown).ok_or_else(no_such_part)
}

/// A file of the page. Its bytes are those of the program, however many read it and however slowly.
#[derive(Clone)]
struct Part {
    bytes: Bytes,
    kind: String,
}

fn part(name: &str) -> Option<Part> {
    match name {
        "" | "/" => None,
        INITIALIZER_NAME => INITIALIZER.clone(),
        name => found(name),
    }
}

fn found(name: &str) -> Option<Part> {
    let file = serve(name, CONFIG.clone()).ok().flatten()?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Some(Part {
        bytes,
        kind: file.content_type,
    })
}

fn no_such_part() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Code::NO_SUCH_RESOURCE)
}

fn shown(part: Part) -> Response {
    let policy = HeaderValue::from_static(POLICY);
    let mut response = Response::new(part.bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if let Ok(kind) = HeaderValue::try_from(part.kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_read_the_page_its_bytes_are_in_memory_once() {
        let names = ["swagger-ui-bundle.js", "swagger-ui.css", INITIALIZER_NAME];
        for name in names {
            let (first, second) = (part(name).unwrap().bytes, part(name).unwrap().bytes);
            assert!(!first.is_empty());
            assert_eq!(first.as_ptr(), second.as_ptr(), "{name}");
        }
        let page = || PAGE.clone().unwrap().bytes;
        assert_eq!(page().as_ptr(), page().as_ptr());
    }
}
