//! A router before a recording node, with one token a role, and what comes back of a request.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tongban_api::{
    ApiState, Catalogue, Rates, RatesInForce, RequestMetrics, RequestTrace, Session, TakeUpTrace,
    TokenBook, router,
};
use tongban_runtime::seams::WallClock;
use tongban_trust::testing::{SAMPLE_NOW, SampleFederation};
use tongban_types::{Actor, CityCode, PersonId, Role, Timestamp, sha256};
use tower::ServiceExt;

use crate::backup::two_pieces;
use crate::links::OneLink;
use crate::node::{Asked, RecordingNode};

/// A filled form of the item of `case::item`, for Weinan.
pub(crate) const FORM: &str =
    include_str!("../../../../protocol/items/national/000109900001/1.example.json");

/// Read only, so that every world may share it.
static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::built_in()));

/// A token that has expired.
pub(crate) const EXPIRED: &str = "expired";

/// A token of a clerk of another city.
pub(crate) const OTHER_CITY: &str = "other-city";

/// Tokens are the names of roles.
struct Tokens;

impl TokenBook for Tokens {
    fn find(&self, token: &str) -> Option<Session> {
        let session = |city: CityCode, role: Role, expires: Timestamp| Session {
            actor: Actor {
                city,
                person: PersonId::new("lin").unwrap(),
                role,
            },
            token_hash: sha256(token.as_bytes()),
            expires,
        };
        let (here, later) = (SampleFederation::city(0), SAMPLE_NOW.plus_ms(1));
        match token {
            EXPIRED => Some(session(here, Role::Clerk, SAMPLE_NOW)),
            OTHER_CITY => Some(session(SampleFederation::city(1), Role::Clerk, later)),
            name => Some(session(here, name.parse().ok()?, later)),
        }
    }
}

struct Clock;

impl WallClock for Clock {
    fn now(&self) -> Timestamp {
        SAMPLE_NOW
    }
}

pub(crate) struct World {
    pub(crate) node: Arc<RecordingNode>,
    pub(crate) state: ApiState,
    pub(crate) router: Router,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem; of one that answers HEAD nothing but its status comes.
    pub(crate) fn problem_of(&self, method: &Method, status: u16, code: &str) {
        if method == Method::HEAD {
            assert_eq!(self.status.as_u16(), status, "{self:?}");
        } else {
            self.problem(status, code);
        }
    }

    /// Asserts a whole problem of this status and code, and gives it.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(
            problem["trace_id"],
            self.header("x-request-id"),
            "{problem}"
        );
        assert_eq!(self.header("x-request-id").len(), 32);
        for error in problem["errors"].as_array().unwrap() {
            assert_eq!(error["code"], code, "{problem}");
            let says = |name: &str| error[name].as_str().unwrap_or_default();
            let (zh, en) = (says("message"), says("message_en"));
            assert!(!zh.is_empty() && !en.is_empty(), "{problem}");
            assert!(en.is_ascii() && !zh.is_ascii(), "{problem}");
        }
        for words in [
            "/title",
            "/title_en",
            "/detail",
            "/detail_en",
            "/help/zh",
            "/help/en",
        ] {
            let words = problem.pointer(words).and_then(Value::as_str);
            assert!(words.is_some_and(|words| !words.is_empty()), "{problem}");
        }
        problem
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Rates::UNBOUNDED)
    }

    /// One that bounds how often its callers ask.
    pub(crate) fn with(rates: impl Into<RatesInForce>) -> Self {
        let node = Arc::new(RecordingNode::new());
        let requests = RequestMetrics::default();
        let mut registry = Registry::default();
        requests.register(&mut registry);
        let state = ApiState {
            node: node.clone(),
            links: Arc::new(OneLink),
            catalogue: Arc::clone(&CATALOGUE),
            tokens: Arc::new(Tokens),
            clock: Arc::new(Clock),
            rates: rates.into(),
            requests,
            backup: Arc::new(|| Ok(two_pieces())),
            metrics: Arc::new(move || {
                let mut text = String::new();
                encode(&mut text, &registry).unwrap();
                text
            }),
            traces: Arc::new(|_: &tracing::Span, _: &RequestTrace| false),
        };
        Self {
            router: router(state.clone()),
            node,
            state,
        }
    }

    /// The same, with other items.
    pub(crate) fn offering(self, catalogue: Catalogue) -> Self {
        let state = ApiState {
            catalogue: Arc::new(catalogue),
            ..self.state
        };
        Self {
            router: router(state.clone()),
            node: self.node,
            state,
        }
    }

    /// The same, with somebody who collects traces.
    pub(crate) fn traced(self, traces: Arc<TakeUpTrace>) -> Self {
        let state = ApiState {
            traces,
            ..self.state
        };
        Self {
            router: router(state.clone()),
            node: self.node,
            state,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// Sends a request and goes away as soon as the node was asked.
    pub(crate) async fn hang_up(&self, request: Request<Body>) {
        let mut answering = std::pin::pin!(self.router.clone().oneshot(request));
        while self.node.asked.lock().unwrap().is_empty() {
            let answered = poll_once(answering.as_mut()).await;
            assert!(answered.is_pending(), "answered before the node was asked");
            tokio::task::yield_now().await;
        }
    }

    /// What comes back, its body still to be read.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, role: &str, address: &str) -> Reply {
        self.send(
            request(Method::GET, role, address)
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    /// Posts JSON under an idempotency key, with further headers.
    pub(crate) async fn post(
        &self,
        role: &str,
        address: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        self.send(order(role, address, body, headers)).await
    }

    /// What the node was asked; exactly one thing.
    pub(crate) fn asked_one(&self) -> Asked {
        let mut asked = self.node.take_asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }
}

pub(crate) fn request(method: Method, role: &str, address: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(address);
    if role.is_empty() {
        request
    } else {
        request.header(header::AUTHORIZATION, format!("Bearer {role}"))
    }
}

/// A request that posts JSON under an idempotency key, with further headers.
pub(crate) fn order(
    role: &str,
    address: &str,
    body: &Value,
    headers: &[(&str, &str)],
) -> Request<Body> {
    let mut request = request(Method::POST, role, address)
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", "key-1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// The body of a good application.
pub(crate) fn application() -> Value {
    let form: Value = serde_json::from_str(FORM).unwrap();
    json!({"item": {"code": "000109900001", "version": 1}, "form": form})
}
