//! Silent clients of every kind, over a line in memory and with a clock that jumps.

use std::time::Duration;

use axum::routing::get;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;

/// What the line holds of what is not read yet.
const LINE_BYTES: usize = 64 * 1024;
const LARGE: &[u8] = &[b'x'; 4 * 1024 * 1024];
const LONGER_THAN_SILENCE: Duration = Duration::from_mins(5);

/// A connection that is served, and how long it was when it ended.
fn connect(is_http2: bool) -> (DuplexStream, JoinHandle<Duration>, watch::Sender<bool>) {
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/large", get(|| async { LARGE }))
        .route(
            "/slow",
            get(|| async {
                sleep(LONGER_THAN_SILENCE).await;
                "at last"
            }),
        );
    let (client, server) = duplex(LINE_BYTES);
    let (stop, stopped) = watch::channel(false);
    let began = Instant::now();
    let from = IpAddr::from([127, 0, 0, 1]);
    let serving = tokio::spawn(async move {
        speak(server, is_http2, from, router, stopped).await;
        began.elapsed()
    });
    (client, serving, stop)
}

#[track_caller]
fn assert_closed_for_silence(after: Duration) {
    let latest = SILENCE_MAX + ENDING_SILENCE_MAX + PING_EVERY;
    assert!(after >= SILENCE_MAX && after <= latest, "{after:?}");
}

/// What HTTP/2 begins with; with a window of no bytes where nothing is to be read.
fn opening(is_reading: bool) -> Vec<u8> {
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS; SETTINGS_INITIAL_WINDOW_SIZE is 4.
    let no_window: &[u8] = &[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    sent.extend_from_slice(if is_reading { settings } else { no_window });
    sent
}

/// HEADERS of `GET` of a path on stream 1, all there is of the request.
fn asking(path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    let mut block = vec![0x82, 0x86, 0x04, length];
    block.extend_from_slice(path.as_bytes());
    block.extend_from_slice(&[0x41, 1, b'x']);
    let mut frame = vec![0, 0, u8::try_from(block.len()).unwrap(), 1, 5, 0, 0, 0, 1];
    frame.append(&mut block);
    frame
}

/// Answers pings and reads whatever comes, until the line ends; gives the data that came.
async fn answer_pings(client: &mut DuplexStream) -> Vec<u8> {
    let mut data = Vec::new();
    let mut head = [0; 9];
    while client.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if client.read_exact(&mut payload).await.is_err() {
            break;
        }
        let (kind, is_reply) = (head[3], head[4] & 1 == 1);
        match kind {
            0 => data.append(&mut payload),
            6 if !is_reply => {
                let mut pong = vec![0, 0, 8, 6, 1, 0, 0, 0, 0];
                pong.append(&mut payload);
                if client.write_all(&pong).await.is_err() {
                    break;
                }
            }
            _ => {}
        }
    }
    data
}

#[tokio::test(start_paused = true)]
async fn a_client_that_chose_http_2_and_says_nothing_is_cut_off() {
    let (_client, serving, _stop) = connect(true);
    assert_closed_for_silence(serving.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_nothing_but_answer_pings_is_cut_off() {
    let (mut client, serving, _stop) = connect(true);
    let sent = [opening(true), asking("/")].concat();
    client.write_all(&sent).await.unwrap();
    assert_eq!(answer_pings(&mut client).await, b"hello");
    assert_closed_for_silence(serving.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_read_holds_no_place() {
    let (mut client, serving, _stop) = connect(false);
    client
        .write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert_closed_for_silence(serving.await.unwrap());
    let (mut client, serving, _stop) = connect(true);
    let sent = [opening(false), asking("/large")].concat();
    client.write_all(&sent).await.unwrap();
    assert!(answer_pings(&mut client).await.is_empty());
    assert_closed_for_silence(serving.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_in_is_not_waited_for() {
    let (mut client, serving, _stop) = connect(false);
    let trickling = tokio::spawn(async move {
        let head = b"GET / HTTP/1.1\r\nhost: x\r\nx-long: "
            .iter()
            .chain(&[b'x'; 400]);
        for byte in head {
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_closed_for_silence(serving.await.unwrap());
    trickling.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_handler_is_waited_for() {
    let (mut client, serving, _stop) = connect(false);
    let asked = b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.write_all(asked).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("at last"), "{answer}");
    assert!(serving.await.unwrap() >= LONGER_THAN_SILENCE);
    let (mut client, serving, _stop) = connect(true);
    let sent = [opening(true), asking("/slow")].concat();
    client.write_all(&sent).await.unwrap();
    assert_eq!(answer_pings(&mut client).await, b"at last");
    assert!(serving.await.unwrap() >= LONGER_THAN_SILENCE);
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_and_yet_reads_is_not_cut_off() {
    let (mut client, serving, _stop) = connect(false);
    let asked = b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    client.write_all(asked).await.unwrap();
    let mut came = 0;
    let mut piece = vec![0; LINE_BYTES];
    loop {
        sleep(Duration::from_mins(1)).await;
        let read = client.read(&mut piece).await.unwrap();
        if read == 0 {
            break;
        }
        came += read;
    }
    assert!(came > LARGE.len());
    assert!(serving.await.unwrap() > LONGER_THAN_SILENCE);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_waits_for_no_silent_client() {
    let (mut client, serving, stop) = connect(false);
    let asked = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write_all(asked).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    stop.send_replace(true);
    let after = serving.await.unwrap();
    assert!(after < DRAIN_TIME_MAX, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_answers_what_is_under_way() {
    let (mut client, serving, stop) = connect(false);
    let asked = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write_all(asked).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    stop.send_replace(true);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("at last"), "{answer}");
    let after = serving.await.unwrap();
    let is_then = after >= LONGER_THAN_SILENCE && after < LONGER_THAN_SILENCE + SILENCE_MAX;
    assert!(is_then, "{after:?}");
}

/// Of a node whose handshakes come to no certificate.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_never_begun_gives_its_place_back() {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(NoCertificate));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap());
    let silent = silent.await.unwrap();
    let places = Arc::new(Semaphore::new(1));
    let (stream, from, place) = accept(&listener, &places).await;
    let seated = Seated {
        from,
        acceptor: Some(TlsAcceptor::from(Arc::new(config))),
        _place: Crowd::default().admit(from, place).unwrap(),
    };
    assert_eq!(places.available_permits(), 0);
    let (_stop, stopped) = watch::channel(false);
    let began = Instant::now();
    attend(stream, seated, Router::new(), stopped).await;
    let after = began.elapsed();
    let is_in_time = after >= HANDSHAKE_TIME_MAX && after < 2 * HANDSHAKE_TIME_MAX;
    assert!(is_in_time, "{after:?}");
    assert_eq!(places.available_permits(), 1);
    drop(silent);
}
