//! Every answer that is not a success: `application/problem+json` (RFC 9457) with a code of the one
//! table, what happened, and what to do next. Nothing that was sent is repeated in it.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tongban_types::{Code, MalformedId};
use utoipa::ToSchema;

use crate::catalogue::FieldFault;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::openapi::CodeKind;
use crate::rendering::CaseView;
use crate::said::Said;
use crate::trace::TraceId;

/// What an operation answers.
pub(crate) type Answer = Result<Response, Problem>;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Code,
    detail: Said,
    errors: Vec<FieldFault>,
    current: Option<Box<Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What an answer that is not a success says (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'p> {
    #[serde(rename = "type")]
    /// Leads to the explanation of its code.
    #[schema(example = "/problems/TB3012", format = "uri-reference")]
    kind: String,
    title: &'static str,
    title_en: &'static str,
    status: u16,
    /// What happened here, in Chinese.
    detail: &'p str,
    /// The same in English.
    detail_en: &'p str,
    #[schema(value_type = CodeKind)]
    code: String,
    errors: Vec<ErrorBody<'p>>,
    /// The id of the request in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Of a stale version: the case as it stands, whose `version` the next try is based on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CaseView>)]
    current: Option<&'p Value>,
    help: Help,
}

/// One place that is wrong. Its code is the problem's: what differs is the rule it breaks.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemError)]
struct ErrorBody<'p> {
    #[schema(value_type = CodeKind)]
    code: String,
    #[serde(flatten)]
    fault: &'p FieldFault,
}

/// What to do next.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemHelp)]
struct Help {
    zh: &'static str,
    en: &'static str,
}

impl Problem {
    /// A problem told by its code alone.
    pub(crate) fn new(status: StatusCode, code: Code) -> Self {
        let detail = code
            .entry()
            .map_or_else(Said::default, |entry| Said::new(entry.zh, entry.en));
        Self {
            status,
            code,
            detail,
            errors: Vec::new(),
            current: None,
            headers: Vec::new(),
        }
    }

    /// Its code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// With another status: the same refusal may answer different questions.
    #[must_use]
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With what happened here.
    #[must_use]
    pub(crate) fn detail(mut self, says: Said) -> Self {
        self.detail = says;
        self
    }

    /// With the places that are wrong.
    #[must_use]
    pub(crate) fn errors(mut self, errors: Vec<FieldFault>) -> Self {
        self.errors = errors;
        self
    }

    /// With one place that is wrong.
    #[must_use]
    pub(crate) fn at(self, pointer: &str, keyword: &str, says: Said) -> Self {
        self.errors(vec![FieldFault::new(pointer, keyword, says)])
    }

    /// With the case as it stands.
    #[must_use]
    pub(crate) fn current(mut self, case: &CaseView<'_>) -> Self {
        let case = serde_json::to_value(case).expect("views hold only texts, numbers and lists");
        self.current = Some(Box::new(case));
        self
    }

    /// With a header.
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Passing by itself: the same request may succeed in a moment.
    #[must_use]
    pub(crate) fn retry_later(self) -> Self {
        self.header(
            header::RETRY_AFTER,
            HeaderValue::from_static(RETRY_AFTER_SECONDS),
        )
    }
}

/// An identifier in an address or body that is not well formed.
impl From<MalformedId> for Problem {
    fn from(malformed: MalformedId) -> Self {
        Self::new(StatusCode::BAD_REQUEST, malformed.code()).detail(Said::of_identifier(&malformed))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let entry = self.code.entry();
        let body = ProblemBody {
            kind: format!("/problems/{}", self.code),
            title: entry.map_or("", |entry| entry.zh),
            title_en: entry.map_or("", |entry| entry.en),
            status: self.status.as_u16(),
            detail: &self.detail.zh,
            detail_en: &self.detail.en,
            code: self.code.to_string(),
            errors: self
                .errors
                .iter()
                .map(|fault| ErrorBody {
                    code: self.code.to_string(),
                    fault,
                })
                .collect(),
            trace_id: TraceId::current().map(|id| id.to_string()),
            current: self.current.as_deref(),
            help: Help {
                zh: entry.map_or("", |entry| entry.cure_zh),
                en: entry.map_or("", |entry| entry.cure_en),
            },
        };
        let body = serde_json::to_vec(&body).expect("texts and numbers always serialise");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response.extensions_mut().insert(self.code);
        response
    }
}
