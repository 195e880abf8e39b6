//! A small blocking HTTP/1.1 client: one connection kept open, and no more politeness than a test
//! asks for, so that bad requests can be sent as well.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tongban_runtime::Tempo;

/// What the way and a busy machine take beside the node's own times.
const WAY: Duration = Duration::from_secs(4);

/// As long as a node may take to answer an order, or to say that it may still be carried out.
fn patience() -> Duration {
    Tempo::default().answer_time_max() + WAY
}

/// An answer longer than this is none of ours: a page of a hundred cases takes 200 KiB.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One client of one node.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    token: Option<String>,
    tls: Option<Arc<ClientConfig>>,
    connection: Option<Connection>,
}

/// A connection, whatever it is spoken over.
type Connection = BufReader<Box<dyn Wire>>;

/// What is read and written.
trait Wire: std::io::Read + std::io::Write + Send + std::fmt::Debug {}

impl<T: std::io::Read + std::io::Write + Send + std::fmt::Debug> Wire for T {}

/// TLS with what a file of certificates vouches for, and these words of ALPN.
pub fn tls_config(roots: &Path, alpn: &[&str]) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots)? {
        store.add(certificate?)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|word| word.as_bytes().to_vec()).collect();
    Ok(config)
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A request, built up.
#[derive(Clone, Debug)]
pub struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    has_token: bool,
}

impl Ask {
    /// Reads.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// Sends JSON.
    pub fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path)
            .header("content-type", "application/json")
            .bytes(body.to_string())
    }

    /// Any method, without a body.
    pub fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            has_token: true,
        }
    }

    /// With a body as it is.
    #[must_use]
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Carried out once under this key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Answered when a majority has it.
    #[must_use]
    pub fn replicated(self) -> Self {
        self.header("prefer", "wait=replicated")
    }

    /// Without the client's token.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.has_token = false;
        self
    }
}

impl Client {
    /// The holder of a token at a node.
    pub fn new(address: SocketAddr, token: &str) -> Self {
        Self {
            address,
            token: Some(token.to_owned()),
            tls: None,
            connection: None,
        }
    }

    /// The same, over TLS with what the certificates in `roots` vouch for.
    pub fn over_tls(address: SocketAddr, token: &str, roots: &Path) -> Result<Self> {
        let config = tls_config(roots, &["http/1.1"])?;
        Ok(Self {
            tls: Some(Arc::new(config)),
            ..Self::new(address, token)
        })
    }

    /// Sends a request and reads its answer. A broken connection is an error: whether the request
    /// was carried out is then unknown. One that was kept open and is closed by now is opened again,
    /// which is safe, because orders are carried out once under their key.
    pub fn ask(&mut self, ask: &Ask) -> Result<Answer> {
        if let Some(kept) = self.connection.take()
            && let Ok(answer) = self.ask_over(kept, ask)
        {
            return Ok(answer);
        }
        let fresh = self.connect()?;
        self.ask_over(fresh, ask)
            .with_context(|| format!("{} {}", ask.method, ask.path))
    }

    fn ask_over(&mut self, mut connection: Connection, ask: &Ask) -> Result<Answer> {
        connection.get_mut().write_all(&self.written(ask))?;
        let answer = read_answer(&mut connection)?;
        if answer.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    /// Reads JSON that must be there.
    pub fn read(&mut self, path: &str) -> Result<Value> {
        let answer = self.ask(&Ask::get(path))?;
        ensure!(answer.status == 200, "{path}: {answer}");
        answer.json()
    }

    fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect_timeout(&self.address, patience())?;
        stream.set_read_timeout(Some(patience()))?;
        stream.set_write_timeout(Some(patience()))?;
        stream.set_nodelay(true)?;
        let Some(config) = &self.tls else {
            return Ok(BufReader::new(Box::new(stream)));
        };
        let name = ServerName::from(self.address.ip());
        let session = ClientConnection::new(config.clone(), name)?;
        Ok(BufReader::new(Box::new(StreamOwned::new(session, stream))))
    }

    fn written(&self, ask: &Ask) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\n",
            ask.method, ask.path, self.address
        );
        if let Some(token) = self.token.as_ref().filter(|_| ask.has_token) {
            head.extend(["authorization: Bearer ", token, "\r\n"]);
        }
        for (name, value) in &ask.headers {
            head.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        if let Some(body) = &ask.body {
            head.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(ask.body.as_deref().unwrap_or_default());
        bytes
    }
}

impl Answer {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    /// Its body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| self.to_string())
    }

    /// The code of a problem.
    pub fn code(&self) -> Option<String> {
        Some(self.json().ok()?["code"].as_str()?.to_owned())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

fn read_answer(connection: &mut Connection) -> Result<Answer> {
    let first = read_line(connection)?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("no status in {first:?}"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(connection)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .with_context(|| format!("header {line:?}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    let length = answer.header("content-length").unwrap_or("0").parse()?;
    ensure!(length <= BODY_BYTES_MAX, "an answer of {length} bytes");
    ensure!(
        answer.header("transfer-encoding").is_none(),
        "an answer in chunks"
    );
    answer.body.resize(length, 0);
    connection.read_exact(&mut answer.body)?;
    Ok(answer)
}

fn read_line(connection: &mut Connection) -> Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        bail!("the node closed the connection");
    }
    Ok(line.trim_end().to_owned())
}
