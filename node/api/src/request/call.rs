//! A request that is allowed: its asker is known and may ask for this.

use axum::RequestPartsExt;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tongban_runtime::Wait;
use tongban_trust::{JsonFault, read_strict};
use tongban_types::{CaseVersion, Code, CommandId, MalformedId, Role};

use super::body_fields::BodyFields;
use super::headers;
use super::query::Query;
use crate::authorization::{Operation, Session};
use crate::limits::{BODY_BYTES_MAX, BODY_TIME_MAX};
use crate::places::AllPlaces;
use crate::problem::Problem;
use crate::said::Said;
use crate::state::{ApiState, Shared};
use crate::streaming::{Listening, Stopping, last_event_id};

/// A request whose asker may ask for it.
#[derive(Debug)]
pub(crate) struct Call {
    /// Who asks.
    pub session: Session,
    parts: Parts,
    body: Body,
}

impl Call {
    /// Checks the token (RFC 6750) and the role.
    pub(crate) fn open(
        api: &ApiState,
        request: Request,
        operation: Operation,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        // Found at the door already, or told here what is wrong with it.
        let session = match parts.extensions.get::<Session>() {
            Some(session) => session.clone(),
            None => session_of(api, &parts.headers)?,
        };
        if session.actor.city != api.node.city() {
            let problem = Problem::new(StatusCode::FORBIDDEN, Code::OTHER_CITY);
            return Err(challenge(problem, "insufficient_scope"));
        }
        if !operation.is_open_to(session.actor.role) {
            let roles: Vec<&str> = operation.roles().map(Role::name).collect();
            let roles = roles.join(", ");
            let problem = Problem::new(StatusCode::FORBIDDEN, Code::NOT_ALLOWED).detail(Said::new(
                format!("该岗位无权使用此接口, 有权的岗位: {roles}"),
                format!("This role may not use this operation; these may: {roles}."),
            ));
            return Err(challenge(problem, "insufficient_scope"));
        }
        Ok(Self {
            session,
            parts,
            body,
        })
    }

    /// A part of the path.
    pub(crate) async fn path<T>(&mut self, name: &str) -> Result<T, Problem>
    where
        T: std::str::FromStr<Err = MalformedId>,
    {
        Ok(self.raw_path(name).await?.parse()?)
    }

    /// A part of the path as text.
    pub(crate) async fn raw_path(&mut self, name: &str) -> Result<String, Problem> {
        raw_path(&mut self.parts, name).await
    }

    /// The query; only these parameters are known.
    pub(crate) fn query(&self, known: &[&str]) -> Result<Query, Problem> {
        Query::of(&self.parts.uri, known)
    }

    /// What the request is carried out under: once, as long as the group remembers it (24 hours).
    pub(crate) fn command_id(&self) -> Result<CommandId, Problem> {
        let key = headers::idempotency_key(&self.parts.headers)?;
        Ok(CommandId::derive(
            &self.session.token_hash.0,
            key.as_bytes(),
        ))
    }

    /// How safe the answer must be.
    pub(crate) fn wait(&self) -> Wait {
        headers::wait(&self.parts.headers)
    }

    /// The one value of a header.
    pub(crate) fn header(&self, name: &HeaderName) -> Result<Option<&str>, Problem> {
        headers::single(&self.parts.headers, name)
    }

    /// The body as it comes, for what is too large to be read as a whole.
    pub(crate) fn into_body(self) -> Body {
        self.body
    }

    /// The version named by `If-Match`.
    pub(crate) fn if_match(&self) -> Result<Option<CaseVersion>, Problem> {
        headers::if_match(&self.parts.headers)
    }

    /// The last event the client saw.
    pub(crate) fn last_event_id(&self) -> Option<&str> {
        last_event_id(&self.parts.headers)
    }

    /// The places of the node.
    pub(crate) fn places(&self) -> AllPlaces {
        let kept = self.parts.extensions.get::<AllPlaces>();
        kept.cloned().unwrap_or_default()
    }

    /// What a stream needs of its request: its place, and what it must look at again and again, whether
    /// the token still opens it.
    pub(crate) fn listening(&self, operation: Operation) -> Result<Listening, Problem> {
        let streams = self.places().streams;
        let place = streams.take(self.session.token_hash, Code::TOO_MANY_STREAMS)?;
        let mut headers = HeaderMap::new();
        if let Some(sent) = self.parts.headers.get(header::AUTHORIZATION) {
            headers.insert(header::AUTHORIZATION, sent.clone());
        }
        let may = move |api: &Shared| {
            let session = session_of(api, &headers);
            session.is_ok_and(|session| operation.is_open_to(session.actor.role))
        };
        Ok(Listening {
            may: Box::new(may),
            stopping: self.parts.extensions.get::<Stopping>().cloned(),
            place,
        })
    }

    /// The body, a JSON object read strictly; no body at all counts as an object without members.
    pub(crate) async fn body(self) -> Result<(Session, BodyFields), Problem> {
        let kind = headers::single(&self.parts.headers, &header::CONTENT_TYPE)?;
        let is_json = kind.is_some_and(is_json);
        let announced = self.parts.headers.get(header::CONTENT_LENGTH);
        let length = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > BODY_BYTES_MAX) {
            return Err(too_large());
        }
        if kind.is_some() && !is_json {
            return Err(wrong_media_type());
        }
        let bytes = read_whole(self.body).await?;
        if bytes.is_empty() && kind.is_none() {
            return Ok((self.session, BodyFields::empty()));
        }
        if !is_json {
            return Err(wrong_media_type());
        }
        let value = read_strict(&bytes, BODY_BYTES_MAX).map_err(|error| {
            // JSON all the same, but of a kind that not every reader holds exactly.
            let status = match error.fault {
                JsonFault::NotAnInteger | JsonFault::IntegerTooLarge => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                _ => StatusCode::BAD_REQUEST,
            };
            let at = error.offset;
            Problem::new(status, error.code()).detail(Said::new(
                format!("请求体第 {at} 字节处不是严格的 JSON"),
                format!("The body is not strict JSON at byte {at}."),
            ))
        })?;
        Ok((self.session, BodyFields::of(value, "")?))
    }
}

/// A part of a path as text, for operations anybody may call.
pub(crate) async fn raw_path(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let bad = || Problem::new(StatusCode::BAD_REQUEST, Code::BAD_PATH);
    let found: RawPathParams = parts.extract().await.map_err(|_| bad())?;
    found
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
        .ok_or_else(bad)
}

/// Who the holder of a request's token is (RFC 6750).
pub(crate) fn session_of(api: &ApiState, headers: &HeaderMap) -> Result<Session, Problem> {
    let refused = |code| Problem::new(StatusCode::UNAUTHORIZED, code);
    let Some(value) = headers::single(headers, &header::AUTHORIZATION)? else {
        let problem = refused(Code::NO_TOKEN);
        let plain = HeaderValue::from_static("Bearer realm=\"tongban\"");
        return Err(problem.header(header::WWW_AUTHENTICATE, plain));
    };
    value
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| api.tokens.find(token.trim()))
        .filter(|session| api.clock.now() < session.expires)
        .ok_or_else(|| challenge(refused(Code::TOKEN_REFUSED), "invalid_token"))
}

fn challenge(problem: Problem, error: &'static str) -> Problem {
    let value = format!("Bearer realm=\"tongban\", error=\"{error}\"");
    match HeaderValue::try_from(value) {
        Ok(value) => problem.header(header::WWW_AUTHENTICATE, value),
        Err(_) => problem,
    }
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn wrong_media_type() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::WRONG_MEDIA_TYPE)
        .header(header::ACCEPT, HeaderValue::from_static("application/json"))
        .detail(Said::new(
            "请求体应为 application/json",
            "The body must be application/json.",
        ))
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TOO_LARGE).detail(Said::new(
        format!("请求体最多 {BODY_BYTES_MAX} 字节"),
        format!("The body may have {BODY_BYTES_MAX} bytes at most."),
    ))
}

async fn read_whole(body: Body) -> Result<Bytes, Problem> {
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_TIME_MAX, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, Code::BODY_BROKEN_OFF)),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            Code::BODY_TOO_SLOW,
        )),
    }
}
