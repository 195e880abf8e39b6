//! A small HTTP/1.1 client for a node's API, over TLS wherever the node has it: one keep-alive
//! connection, opened again when it broke.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::response::Parts;
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tongban_api::Said;
use tongban_runtime::Tempo;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Coded;
use crate::tls::{HTTP_1, Trust};

/// A registry file is the largest answer of the API.
pub(crate) const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the way, the queue before a group and the checks at the door take beside a node's own times.
const WAY: Duration = Duration::from_secs(4);

/// How long an answer to an order is waited for: as long as a node may take to give it, and the way.
pub(crate) fn order_patience() -> Duration {
    Tempo::default().answer_time_max() + WAY
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// Nobody answers there, or no longer.
    #[error("{address} 没有应答: {}", reason.zh)]
    Unreachable {
        /// Where.
        address: SocketAddr,
        /// What was seen.
        reason: Said,
    },
    /// It took the request and did not answer in time.
    #[error("{address} 在 {} 秒内没有答复, 请求可能仍会生效", patience.as_secs())]
    TimedOut {
        /// Where.
        address: SocketAddr,
        /// How long was waited.
        patience: Duration,
    },
    /// Whoever answers there is not who is trusted; nothing was sent.
    #[error("{address} 的证书不可信: {reason}")]
    NotTrusted {
        /// Where.
        address: SocketAddr,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is not what was expected.
    #[error("{method} {path} 答复 {status}: {body}")]
    Unexpected {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// Its status.
        status: u16,
        /// What it said.
        body: String,
    },
}

/// Why an answer was not read to its end.
#[derive(Debug, Error)]
pub(crate) enum PieceError {
    /// There is none, or it broke off.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Whoever takes the pieces took no more.
    #[error("写不下去")]
    NotTaken(#[source] std::io::Error),
}

impl Coded for ClientError {
    fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::NODE_UNREACHABLE,
            Self::NotTrusted { .. } => Code::NODE_NOT_TRUSTED,
            Self::TimedOut { .. } => Code::NODE_TIMED_OUT,
            Self::Unexpected { .. } => Code::NODE_ANSWERED_OTHERWISE,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::NotTrusted { .. } => Exit::NotAllowed,
            Self::TimedOut { .. } => Exit::TimedOut,
            Self::Unexpected { status, body, .. } => exit_of(*status, body),
        }
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            Self::Unreachable { address, reason } => {
                format!("{address} does not answer: {}", reason.en)
            }
            Self::TimedOut { address, patience } => format!(
                "{address} gave no answer within {} s; the request may still take effect",
                patience.as_secs()
            ),
            Self::NotTrusted { address, reason } => {
                format!("the certificate of {address} is not to be trusted: {reason}")
            }
            Self::Unexpected {
                method,
                path,
                status,
                body,
            } => format!("{method} {path} was answered with {status}: {body}"),
        };
        Some(Said::new(self.to_string(), en))
    }
}

fn exit_of(status: u16, body: &str) -> Exit {
    match status {
        401 | 403 => Exit::NotAllowed,
        404 => Exit::NotFound,
        409 | 412 => Exit::Conflict,
        408 | 504 => Exit::TimedOut,
        // Its answer did not come in time either, and the order may still be carried out.
        503 if body.contains(&Code::GROUP_TIMED_OUT.to_string()) => Exit::TimedOut,
        429 | 502 | 503 => Exit::Unreachable,
        // What was asked breaks a rule: the same again is refused again.
        400 | 413 | 415 | 422 | 428 => Exit::No,
        _ => Exit::Internal,
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Bytes,
}

impl HttpAnswer {
    /// One of its headers, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Its body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// As an error, for an answer nobody expects.
    pub(crate) fn unexpected(&self, method: Method, path: &str) -> ClientError {
        let body = String::from_utf8_lossy(&self.body)
            .chars()
            .take(600)
            .collect();
        ClientError::Unexpected {
            method,
            path: path.to_owned(),
            status: self.status,
            body,
        }
    }
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

    /// The connection, ready for a request.
    async fn connection(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Lost> {
        let is_usable = match &mut self.connection {
            Some(connection) => connection.ready().await.is_ok(),
            None => false,
        };
        if !is_usable {
            self.connection = Some(self.connect().await?);
        }
        Ok(self.connection.as_mut().expect("it was just opened"))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Lost> {
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|error| Lost::broken(&error))?;
        let prompt = stream.set_nodelay(true);
        prompt.map_err(|error| Lost::broken(&error))?;
        let began = self.trust.begin(HTTP_1);
        let began = began.map_err(|error| Lost::Stranger(chain(&error)))?;
        let Some((config, name)) = began else {
            return begin(stream).await;
        };
        match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => begin(stream).await,
            Err(error) => Err(refused(&error)),
        }
    }
}

/// Why there is no answer over a connection.
enum Lost {
    /// It broke, or there is none.
    Broken(String),
    /// Somebody else answers.
    Stranger(String),
}

impl Lost {
    fn broken(error: &dyn std::error::Error) -> Self {
        Self::Broken(chain(error))
    }
}

async fn begin<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, Lost>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let begun = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = begun.map_err(|error| Lost::broken(&error))?;
    // Ends with the connection.
    tokio::spawn(connection);
    Ok(sender)
}

/// A handshake that failed: for the certificate, or because it is no TLS that answers.
fn refused(error: &std::io::Error) -> Lost {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => Lost::Stranger(why.to_string()),
        _ => Lost::broken(error),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        said.extend([": ", &cause.to_string()]);
        source = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::failure::Failure;

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

    #[test]
    fn why_there_is_no_answer_is_told_in_both_languages() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let failure = Failure::from(ClientError::TimedOut {
            address,
            patience: PATIENCE,
        });
        let said = failure.causes().next().unwrap();
        assert!(
            said.zh.starts_with("127.0.0.1:9 在 5 秒内没有答复"),
            "{said:?}"
        );
        assert!(
            said.en.starts_with("127.0.0.1:9 gave no answer within 5 s"),
            "{said:?}"
        );
    }

    #[test]
    fn a_refusal_ends_with_the_exit_code_of_its_kind() {
        for (status, body, exit) in [
            (401, "", Exit::NotAllowed),
            (403, "", Exit::NotAllowed),
            (404, "", Exit::NotFound),
            (409, "", Exit::Conflict),
            (412, "", Exit::Conflict),
            (429, "", Exit::Unreachable),
            (503, "{\"code\":\"TB4003\"}", Exit::Unreachable),
            (503, "{\"code\":\"TB4002\"}", Exit::TimedOut),
            (504, "", Exit::TimedOut),
            (400, "", Exit::No),
            (422, "", Exit::No),
            (500, "", Exit::Internal),
            (418, "", Exit::Internal),
        ] {
            assert_eq!(exit_of(status, body), exit, "{status} {body}");
        }
    }
}
