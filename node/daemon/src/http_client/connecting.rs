//! The connection to a node: opened when there is none that is good for a request, over TLS wherever the node
//! has it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::HttpClient;
use crate::failure::chain;
use crate::tls::HTTP_1;

impl HttpClient {
    /// The connection, ready for a request.
    pub(super) async fn connection(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Lost> {
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
pub(super) enum Lost {
    /// It broke, or there is none.
    Broken(String),
    /// Somebody else answers.
    Stranger(String),
}

impl Lost {
    pub(super) fn broken(error: &dyn std::error::Error) -> Self {
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
