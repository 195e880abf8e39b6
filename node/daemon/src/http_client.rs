//! A small HTTP/1.1 client for a node's API, over TLS wherever the node has it: one keep-alive
//! connection, opened again when it broke.

mod answer;
mod connecting;
mod error;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::response::Parts;
use hyper::{Method, Request};
use serde_json::Value;
use tokio::time::timeout;
use tongban_api::Said;
use tongban_runtime::Tempo;

use self::connecting::Lost;
use crate::failure::chain;
use crate::tls::Trust;

pub(crate) use self::answer::HttpAnswer;
pub(crate) use self::error::{ClientError, PieceError};

/// A registry file is the largest answer of the API.
pub(crate) const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the way, the queue before a group and the checks at the door take beside a node's own times.
const WAY: Duration = Duration::from_secs(4);

/// How long an answer to an order is waited for: as long as a node may take to give it, and the way.
pub(crate) fn order_patience() -> Duration {
    Tempo::default().answer_time_max() + WAY
}

/// A client of one node with one token.
#[derive(Debug)]
pub(crate) struct HttpClient {
    address: SocketAddr,
    trust: Trust,
    authorization: Option<String>,
    patience: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl HttpClient {
    /// For a node at `address` that proves itself as `trust` asks, as the holder of `token`, waiting at
    /// most `patience` for an answer.
    pub(crate) fn new(
        address: SocketAddr,
        trust: Trust,
        token: Option<&str>,
        patience: Duration,
    ) -> Self {
        let authorization = token.map(|token| format!("Bearer {token}"));
        Self {
            address,
            trust,
            authorization,
            patience,
            connection: None,
        }
    }

    /// Reads something.
    pub(crate) async fn get(&mut self, path: &str) -> Result<HttpAnswer, ClientError> {
        self.call(Method::GET, path, &[], Bytes::new()).await
    }

    /// The same with headers of its own.
    pub(crate) async fn get_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<HttpAnswer, ClientError> {
        self.call(Method::GET, path, headers, Bytes::new()).await
    }

    /// Reads JSON that must be there.
    pub(crate) async fn get_json(&mut self, path: &str) -> Result<Value, ClientError> {
        let answer = self.get(path).await?;
        if answer.status == 200 {
            Ok(answer.json())
        } else {
            Err(answer.unexpected(Method::GET, path))
        }
    }

    /// Sends JSON.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<HttpAnswer, ClientError> {
        self.call(Method::POST, path, headers, body).await
    }

    /// Sends a piece of a file.
    pub(crate) async fn patch(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<HttpAnswer, ClientError> {
        self.call(Method::PATCH, path, headers, body).await
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<HttpAnswer, ClientError> {
        let outcome = timeout(self.patience, self.exchange(method, path, headers, body)).await;
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(lost)) => Err(self.failed(lost)),
            // Whoever took the connection may have taken the request.
            Err(_) if self.connection.is_some() => {
                self.connection = None;
                Err(ClientError::TimedOut {
                    address: self.address,
                    patience: self.patience,
                })
            }
            Err(_) => {
                let seconds = self.patience.as_secs();
                let zh = format!("{seconds} 秒内连不上");
                Err(self.lost(Said::new(zh, format!("no connection within {seconds} s"))))
            }
        }
    }

    /// What the connection is good for after a failure is not known: the next call opens another.
    fn lost(&mut self, reason: Said) -> ClientError {
        self.connection = None;
        ClientError::Unreachable {
            address: self.address,
            reason,
        }
    }

    /// Reads something too large to be held: every piece goes to `each`, which must come within the
    /// patience after the one before. An answer that is no success is held and handed back.
    pub(crate) async fn get_pieces(
        &mut self,
        path: &str,
        mut each: impl AsyncFnMut(Bytes) -> std::io::Result<()>,
    ) -> Result<Result<(), HttpAnswer>, PieceError> {
        let patience = self.patience;
        let late = ClientError::TimedOut {
            address: self.address,
            patience,
        };
        let asked = timeout(patience, self.send(Method::GET, path, &[], Bytes::new())).await;
        let (head, mut body) = match asked {
            Ok(Ok(answered)) => answered,
            Ok(Err(lost)) => return Err(self.failed(lost).into()),
            Err(_) => return Err(late.into()),
        };
        if !head.status.is_success() {
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| self.lost(Said::alike(error.to_string())))?;
            return Ok(Err(HttpAnswer {
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.to_bytes(),
            }));
        }
        loop {
            let frame = match timeout(patience, body.frame()).await {
                Ok(None) => return Ok(Ok(())),
                Ok(Some(frame)) => frame.map_err(|error| self.lost(Said::alike(chain(&error))))?,
                Err(_) => return Err(late.into()),
            };
            if let Ok(piece) = frame.into_data() {
                each(piece).await.map_err(PieceError::NotTaken)?;
            }
        }
    }

    fn failed(&mut self, lost: Lost) -> ClientError {
        match lost {
            Lost::Broken(reason) => self.lost(Said::alike(reason)),
            Lost::Stranger(reason) => ClientError::NotTrusted {
                address: self.address,
                reason,
            },
        }
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<HttpAnswer, Lost> {
        let (head, body) = self.send(method, path, headers, body).await?;
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Lost::Broken(error.to_string()))?;
        let body = body.to_bytes();
        Ok(HttpAnswer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// Sends a request; the body of its answer is still to be read.
    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<(Parts, Incoming), Lost> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(HOST, self.address.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let says_what = headers.iter().any(|(name, _)| CONTENT_TYPE == *name);
        if !body.is_empty() && !says_what {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Lost::broken(&error))?;
        let response = self.connection().await?.send_request(request).await;
        Ok(response.map_err(|error| Lost::broken(&error))?.into_parts())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tongban_types::Code;

    use super::*;
    use crate::exit::Exit;
    use crate::failure::Coded as _;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_broken_connection_is_opened_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut bytes = [0; 1024];
                let read = stream.read(&mut bytes).await.unwrap();
                assert!(
                    bytes[..read]
                        .windows(15)
                        .any(|window| window == b"authorization: ")
                );
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
                stream.write_all(answer).await.unwrap();
            }
        });
        let mut client = HttpClient::new(address, Trust::Plain, Some("t"), PATIENCE);
        assert_eq!(client.get_json("/").await.unwrap()["a"], 1);
        // The server closes after each answer; a try may still meet the old connection.
        let mut second = client.get_json("/").await;
        if second.is_err() {
            second = client.get_json("/").await;
        }
        assert_eq!(second.unwrap()["a"], 1);
        server.await.unwrap();
        let gone = client.get("/").await.unwrap_err();
        assert_eq!(gone.exit(), Exit::Unreachable);
    }

    #[tokio::test]
    async fn silence_after_the_request_is_a_timeout_and_not_an_absence() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let silent = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
            drop(stream);
        });
        let mut client = HttpClient::new(address, Trust::Plain, None, Duration::from_millis(50));
        let late = client.get("/").await.unwrap_err();
        assert_eq!(
            (late.code(), late.exit()),
            (Code::NODE_TIMED_OUT, Exit::TimedOut)
        );
        silent.abort();
    }
}
