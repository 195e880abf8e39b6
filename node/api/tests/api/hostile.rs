//! Whatever is sent: an answer comes, and one that is no success is a whole problem.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Uri};
use proptest::prelude::*;
use serde_json::Value;
use tokio::runtime::Builder;

use crate::case::number;
use crate::world::{World, application};

fn methods() -> impl Strategy<Value = Method> {
    prop::sample::select(vec![
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ])
}

fn addresses() -> impl Strategy<Value = String> {
    let case = format!("/api/v1/cases/{}", number());
    let known = prop::sample::select(vec![
        "/api/v1/cases".to_owned(),
        case.clone(),
        format!("{case}/accept"),
        format!("{case}/correct"),
        format!("{case}/review"),
        format!("{case}/decide"),
        format!("{case}/document"),
        "/api/v1/items/000109900001/1".to_owned(),
        "/problems/TB7001".to_owned(),
        "/readyz".to_owned(),
        "/metrics".to_owned(),
    ]);
    let query = prop_oneof![
        Just(String::new()),
        "[ -~]{0,40}".prop_map(|text| format!("?{text}")),
        "(limit|cursor|state|fresh)=[ -~]{0,20}".prop_map(|text| format!("?{text}")),
    ];
    prop_oneof![
        (known, query).prop_map(|(path, query)| path + &query),
        "/[ -~]{0,60}",
        "/api/v1/cases/[ -~]{0,30}/[a-z]{0,10}",
        "/api/v1/items/[ -~]{0,20}/[ -~]{0,12}",
    ]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let spoiled = (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(place, byte)| {
        let mut bytes = application().to_string().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        bytes
    });
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..200),
        "\\{\"(form|reason|notice|expected_version|decision|item)\":[ -~]{0,30}\\}"
            .prop_map(String::into_bytes),
        spoiled,
    ]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names = prop::sample::select(vec![
        "authorization",
        "content-type",
        "content-length",
        "idempotency-key",
        "if-match",
        "prefer",
        "accept",
    ]);
    let values = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[ -~]{0,40}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            &b"Bearer clerk"[..],
            b"Bearer officer",
            b"application/json",
            b"\"3\"",
            b"wait=replicated",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec((names, values), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sent_is_answered_and_no_success_is_a_whole_problem(
        method in methods(),
        address in addresses(),
        body in bodies(),
        headers in headers(),
        is_known in any::<bool>(),
    ) {
        let Ok(uri) = address.parse::<Uri>() else { return Ok(()) };
        let mut request = Request::builder().method(&method).uri(uri);
        if is_known {
            request = request
                .header("authorization", "Bearer clerk")
                .header("content-type", "application/json")
                .header("idempotency-key", "k");
        }
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request = request.header(name, value);
            }
        }
        let request = request.body(Body::from(body)).unwrap();
        let world = World::new();
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let reply = runtime.block_on(world.send(request));
        if !reply.status.is_success() {
            prop_assert_eq!(reply.header("content-type"), "application/problem+json");
            if method != Method::HEAD {
                let problem: Value = reply.json();
                prop_assert_eq!(&problem["status"], reply.status.as_u16());
                let code = problem["code"].as_str().unwrap();
                prop_assert!(code.parse::<tongban_types::Code>().is_ok());
            }
        }
    }
}
