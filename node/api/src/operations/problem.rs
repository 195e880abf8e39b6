//! `GET /problems/{code}`: what a problem's `type` leads to. Open to anybody.

use axum::extract::Request;
use axum::http::StatusCode;
use serde::Serialize;
use tongban_types::Code;

use crate::problem::{Answer, Problem};
use crate::rendering::json;
use crate::request::{Query, raw_path};

#[derive(Serialize)]
struct ExplanationView {
    code: String,
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    cure_zh: &'static str,
    cure_en: &'static str,
}

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
