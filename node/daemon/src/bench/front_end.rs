//! The writers' client: what a city's front end is to its node. A few connections of HTTP/2 over TLS, each
//! shared by many writers, a stream a request; `etcd`'s client, which intake is measured beside, does the same
//! without TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::http_client::{ANSWER_BYTES_MAX, HttpAnswer, order_patience};
use crate::staging::Site;
use crate::tls::{HTTP_2, Trust};

/// As many as a client of three `etcd` nodes has.
const CONNECTIONS_MIN: usize = 3;

/// Writers on one connection: what a node answers at once on one.
const WRITERS_OF_ONE_MAX: usize = 100;

/// Where cases are handed in.
pub(super) const PATH: &str = "/api/v1/cases";

type Connection = Mutex<Option<SendRequest<Full<Bytes>>>>;

/// Hands applications in at one node with one token.
#[derive(Debug)]
pub(super) struct FrontEnd {
    address: SocketAddr,
    trust: Trust,
    uri: Uri,
    authorization: HeaderValue,
    connections: Vec<Connection>,
}

impl FrontEnd {
    /// For so many writers.
    pub(super) fn of(site: &Site, token: &str, writers: usize) -> anyhow::Result<Arc<Self>> {
        let count = writers.div_ceil(WRITERS_OF_ONE_MAX).max(CONNECTIONS_MIN);
        Ok(Arc::new(Self {
            address: site.http,
            trust: site.trust(),
            uri: format!("{}{PATH}", site.url()).parse()?,
            authorization: format!("Bearer {token}").parse()?,
            connections: (0..count).map(|_| Connection::default()).collect(),
        }))
    }

    /// Hands an application in for the writer of a number.
    pub(super) async fn hand_in(
        &self,
        writer: usize,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<HttpAnswer> {
        let answered = timeout(order_patience(), self.exchange(writer, headers, body)).await;
        answered.context("no answer in time")?
    }

    async fn exchange(
        &self,
        writer: usize,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<HttpAnswer> {
        let mut connection = self.connection(writer).await?;
        let mut request = Request::post(self.uri.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body))?;
        let (head, body) = connection.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow!(error))?.to_bytes();
        Ok(HttpAnswer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// The connection of a writer, opened again where it broke.
    async fn connection(&self, writer: usize) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let place = &self.connections[writer % self.connections.len()];
        let mut place = place.lock().await;
        match &*place {
            Some(connection) if !connection.is_closed() => Ok(connection.clone()),
            _ => Ok(place.insert(self.connect().await?).clone()),
        }
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (config, name) = self.trust.begin(HTTP_2)?.context("it has no TLS")?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        let begun = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = begun?;
        // Ends with the connection.
        tokio::spawn(connection);
        Ok(sender)
    }
}
