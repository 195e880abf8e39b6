//! Serving the router on a listener: TLS where there is a certificate, HTTP/2 by ALPN and HTTP/1.1 with
//! keep-alive, a bound on connections in all and from one address, and a limit to silence, so that slow
//! or silent clients cannot hold the node's desks.

mod crowd;
mod life;
mod paced;
mod watched;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::http::{HeaderValue, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::limits::{
    ACCEPT_PAUSE, CONNECTION_BUFFER_BYTES, CONNECTIONS_MAX, DRAIN_TIME_MAX, ENDING_SILENCE_MAX,
    HANDSHAKE_TIME_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, HTTP2_STREAMS_MAX, HTTP2_WINDOW_BYTES,
    PING_EVERY, PING_TIME_MAX, SILENCE_MAX,
};
use crate::router::router;
use crate::state::ApiState;
use crate::streaming::Stopping;
use crowd::{Crowd, Place, caller_of};
use life::Life;
use paced::Paced;
use watched::watched;

/// What a client speaks over.
#[derive(Clone, Debug)]
pub enum Line {
    /// Without TLS, for this machine alone.
    Plain,
    /// TLS; ALPN says which HTTP.
    Tls(Arc<ServerConfig>),
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

/// Serves until `shutdown` ends, then lets requests under way end, at most twenty seconds.
pub async fn serve(
    listener: TcpListener,
    line: Line,
    state: ApiState,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let router = router(state);
    let acceptor = match line {
        Line::Plain => None,
        Line::Tls(config) => Some(TlsAcceptor::from(config)),
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let crowd = Crowd::default();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, from, place) = accept(&listener, &places) => {
                // Others must find a place beside whoever opens all they can: closed at once.
                if let Some(place) = crowd.admit(from, place) {
                    let seated = Seated { from, acceptor: acceptor.clone(), _place: place };
                    connections.spawn(attend(stream, seated, router.clone(), stopped.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stop.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN_TIME_MAX, drained).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests did not end in time and are cut off"
        );
        connections.shutdown().await;
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, from)) => return (stream, caller_of(from.ip()), place),
            // A client that went away, or too few descriptors: neither ends the service.
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A connection that has its place.
struct Seated {
    from: IpAddr,
    acceptor: Option<TlsAcceptor>,
    _place: Place,
}

async fn attend(stream: TcpStream, seated: Seated, router: Router, stopped: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small answers of a connection may be delayed");
    }
    let Some(acceptor) = &seated.acceptor else {
        return speak(stream, false, seated.from, router, stopped).await;
    };
    match timeout(HANDSHAKE_TIME_MAX, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            speak(stream, is_http2, seated.from, router, stopped).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

async fn speak<S>(
    stream: S,
    is_http2: bool,
    from: IpAddr,
    router: Router,
    stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let stopping = Stopping(stopped.clone());
    let life = Life::begin();
    let of_service = life.clone();
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (mut request, read) = watched(request);
        request.extensions_mut().insert(PeerAddress(from));
        request.extensions_mut().insert(stopping.clone());
        let answering = router.call(request);
        let (life, work) = (of_service.clone(), of_service.work());
        async move {
            let response = answering.await?;
            drop(work);
            let mut response = response.map(|body| Paced::new(body, life));
            // What is left of a body cannot be told from a next request: the client must know that the
            // connection ends here.
            if !is_http2 && !read.load(Ordering::Acquire) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let stream = TokioIo::new(stream);
    let ended = if is_http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIME_MAX)
            .max_concurrent_streams(HTTP2_STREAMS_MAX)
            .max_header_list_size(HEADERS_BYTES_MAX)
            .initial_stream_window_size(HTTP2_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES)
            .max_send_buf_size(CONNECTION_BUFFER_BYTES)
            .serve_connection(stream, service);
        until_told(
            connection,
            life,
            stopped,
            http2::Connection::graceful_shutdown,
        )
        .await
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // What it limits is silence too, and that is measured for all alike.
            .header_read_timeout(None)
            .keep_alive(true)
            .max_headers(HEADERS_MAX)
            .max_buf_size(CONNECTION_BUFFER_BYTES)
            .serve_connection(stream, service);
        until_told(
            connection,
            life,
            stopped,
            http1::Connection::graceful_shutdown,
        )
        .await
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%error, "a connection ended with an error"),
        None => tracing::debug!("a silent connection was cut off"),
    }
}

/// Lets a connection go on until it ends, or until it is told to end with what is under way: because the
/// node stops, or because it is silent. `None` where it was told and stayed silent.
async fn until_told<C: Future>(
    connection: C,
    life: Life,
    mut stopped: watch::Receiver<bool>,
    tell: impl FnOnce(Pin<&mut C>),
) -> Option<C::Output> {
    let mut connection = pin!(connection);
    tokio::select! {
        // First, for a connection that is looked at takes one more piece of what nobody reads.
        biased;
        () = life.silent(SILENCE_MAX) => {}
        // Nothing is ever sent but the one word, and a sender that is gone says the same.
        _ = stopped.changed() => {}
        ended = connection.as_mut() => return Some(ended),
    }
    tell(connection.as_mut());
    life.touch();
    tokio::select! {
        biased;
        () = life.silent(ENDING_SILENCE_MAX) => None,
        ended = connection => Some(ended),
    }
}

#[cfg(test)]
mod tests;
