//! What arrives at a collector, and what a collector that does not answer may cost.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tongban_api::{CallingSpan, RequestTrace, SpanId, TraceId};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use super::{END_WAIT, Traces, WAITING_SPANS_MAX, take_up};

const NODE: &str = "350100-01";
const SECRET: &str = "陈小明";

/// What is posted is here by the time the exporter has ended; this is for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Head and body of a request.
type Posted = (String, Vec<u8>);

/// A collector, and what it takes.
fn collector() -> (SocketAddr, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (give, taken) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if give.send(take(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (address, taken)
}

fn take(mut stream: TcpStream) -> Posted {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a body of a known length");
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        .unwrap();
    (head, body)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn traces(to: SocketAddr, runtime: &Runtime) -> Traces {
    Traces::to(to, NODE.parse().unwrap(), runtime.handle())
}

fn asked(caller: Option<CallingSpan>) -> RequestTrace {
    RequestTrace {
        id: TraceId::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736).unwrap(),
        span: SpanId::new(0x0123_4567_89ab_cdef).unwrap(),
        caller,
    }
}

fn calling(is_sampled: bool) -> CallingSpan {
    let id = SpanId::new(0x00f0_67aa_0ba9_02b7).unwrap();
    CallingSpan { id, is_sampled }
}

fn has(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_trace_goes_on_at_the_collector_under_the_ids_of_the_log_and_nothing_else_is_told() {
    let (address, taken) = collector();
    let runtime = runtime();
    let traces = traces(address, &runtime);
    let trace = asked(Some(calling(true)));
    with_default(registry().with(traces.watching()), || {
        let span = tracing::info_span!(
            "request",
            trace = %trace.id,
            method = "GET",
            person = SECRET
        );
        assert!(take_up(&span, &trace));
        let _within = span.enter();
        tracing::warn!(status = 500, person = SECRET, "request not carried out");
        tracing::debug!(person = SECRET, "asked by {SECRET}");
        let _deeper = tracing::debug_span!("looking", person = SECRET).entered();
    });
    traces.end();
    let (head, body) = taken.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("application/x-protobuf"), "{head}");
    for told in [
        "service.name",
        "tongban",
        "service.instance.id",
        NODE,
        "request",
        "GET",
        "request not carried out",
    ] {
        assert!(has(&body, told.as_bytes()), "{told}");
    }
    let written = trace.id.to_string();
    assert!(has(&body, written.as_bytes()), "as the log writes it");
    assert!(has(&body, &trace.id.to_bytes()));
    assert!(has(&body, &trace.span.to_bytes()));
    assert!(has(&body, &calling(true).id.to_bytes()));
    for kept_back in [SECRET, "person", "looking", "asked by"] {
        assert!(!has(&body, kept_back.as_bytes()), "{kept_back}");
    }
}

#[test]
fn a_trace_that_begins_here_has_the_id_of_the_log_too_and_no_parent() {
    let (address, taken) = collector();
    let runtime = runtime();
    let traces = traces(address, &runtime);
    let trace = asked(None);
    with_default(registry().with(traces.watching()), || {
        let span = tracing::info_span!("request", trace = %trace.id);
        assert!(take_up(&span, &trace));
    });
    traces.end();
    let (_, body) = taken.recv_timeout(PATIENCE).unwrap();
    assert!(has(&body, &trace.id.to_bytes()));
    assert!(has(&body, &trace.span.to_bytes()));
    assert!(!has(&body, &calling(true).id.to_bytes()));
}

#[test]
fn what_the_asker_does_not_keep_is_not_sent() {
    let (address, taken) = collector();
    let runtime = runtime();
    let traces = traces(address, &runtime);
    with_default(registry().with(traces.watching()), || {
        let span = tracing::info_span!("request");
        assert!(!take_up(&span, &asked(Some(calling(false)))));
    });
    traces.end();
    assert!(taken.try_recv().is_err());
}

#[test]
fn without_a_collector_no_trace_is_taken_up() {
    with_default(registry(), || {
        let span = tracing::info_span!("request");
        assert!(!take_up(&span, &asked(Some(calling(true)))));
    });
}

#[test]
fn a_collector_that_never_answers_holds_up_neither_requests_nor_the_end_of_the_process() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let runtime = runtime();
    let traces = traces(silent.local_addr().unwrap(), &runtime);
    let began = Instant::now();
    with_default(registry().with(traces.watching()), || {
        for _ in 0..2 * WAITING_SPANS_MAX {
            let span = tracing::info_span!("request");
            assert!(take_up(&span, &asked(None)));
        }
    });
    // A batch is given two seconds, and there would be thirty-two.
    let took = began.elapsed();
    assert!(took < PATIENCE, "{took:?}");
    let ends = Instant::now();
    traces.end();
    let took = ends.elapsed();
    assert!(took < 2 * END_WAIT, "{took:?}");
}
