//! The router over a real connection.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tongban_api::{Line, serve};

use crate::world::World;

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn served() -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let state = World::new().state;
    let ended = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve(listener, Line::Plain, state, stopped).await
    });
    Served {
        address,
        stop,
        ended,
    }
}

/// Sends a request and reads one answer of at most a few KiB, up to the end of its body.
async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "the connection ended: {text}");
        answer.extend_from_slice(&piece[..read]);
    }
}

const LIVE: &str = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let served = served().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..3 {
        assert!(ask(&mut stream, LIVE).await.starts_with("HTTP/1.1 200"));
    }
    let reply = ask(
        &mut stream,
        "GET /api/v1/status HTTP/1.1\r\nhost: x\r\n\r\n",
    )
    .await;
    assert!(reply.starts_with("HTTP/1.1 401") && reply.contains("TB7001"));
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_takes_no_more() {
    let served = served().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    ask(&mut stream, LIVE).await;
    served.stop.send(()).unwrap();
    served.ended.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_stream_ends_with_its_reason_when_the_node_stops() {
    let served = served().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let asked = "GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer clerk\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut came = String::new();
    while !came.contains("event: from") {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "the connection ended: {came}");
        came.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    served.stop.send(()).unwrap();
    stream.read_to_string(&mut came).await.unwrap();
    assert!(came.contains("event: end"), "{came}");
    assert!(came.contains("TB7024"), "{came}");
    served.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn too_many_headers_are_refused_without_a_body() {
    let served = served().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let lines = "a: b\r\n".repeat(80);
    let asked = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.starts_with(b"HTTP/1.1 431"));
    assert!(rest.ends_with(b"\r\n\r\n"), "a head and nothing else");
}

#[tokio::test]
async fn what_is_not_http_ends_its_own_connection_only() {
    let served = served().await;
    let mut garbage = TcpStream::connect(served.address).await.unwrap();
    garbage
        .write_all(b"\x16\x03\x01\x00\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    garbage.read_to_end(&mut rest).await.unwrap();
    assert!(rest.starts_with(b"HTTP/1.1 400"));
    assert!(rest.ends_with(b"\r\n\r\n"), "a head and nothing else");
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    assert!(ask(&mut stream, LIVE).await.starts_with("HTTP/1.1 200"));
}
