//! `GET /problems/{code}`: what a problem's `type` leads to. Open to anybody.

use axum::extract::Request;
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::Code;
use utoipa::ToSchema;

use crate::openapi::{CodeKind, tag};
use crate::problem::{Answer, Problem, ProblemBody};
use crate::rendering::json;
use crate::request::{Query, raw_path};

#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationView {
    #[schema(value_type = CodeKind)]
    code: String,
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    cure_zh: &'static str,
    cure_en: &'static str,
}

/// 代码解释 · What a problem's `type` leads to. Open to anybody.
#[utoipa::path(
    get, path = "/problems/{code}", operation_id = "explainCode", tag = tag::SELF,
    params(("code" = CodeKind, Path, description = "代码 · The code")),
    responses(
        (status = 200, description = "解释 · What it means and what to do", body = ExplanationView),
        (status = 404, description = "没有这个代码 · No such code", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn explain(request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    Query::of(&parts.uri, &[])?;
    let code = raw_path(&mut parts, "code").await?;
    let entry = code.parse::<Code>().ok().and_then(Code::entry);
    let Some(entry) = entry else {
        return Err(Problem::new(StatusCode::NOT_FOUND, Code::NO_SUCH_RESOURCE));
    };
    let view = ExplanationView {
        code: entry.code.to_string(),
        name: entry.name,
        zh: entry.zh,
        en: entry.en,
        cure_zh: entry.cure_zh,
        cure_en: entry.cure_en,
    };
    Ok(json(StatusCode::OK, &view))
}
