//! The way to the collector: the client this program has anyway, on tasks of the node. The library's own
//! clients are stacks beside it, and the thread that gathers spans has no sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient as SendsSpans, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::http_client::{ClientError, HttpAnswer, HttpClient};
use crate::tls::Trust;

/// A collector on this machine answers at once; while this one does not, spans wait or are left out.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes spans, in batches, one at a time.
#[derive(Debug)]
pub(super) struct Collector {
    address: SocketAddr,
    runtime: Handle,
    standing: Standing,
}

/// Whether it took the last batch; said when it changes, and not with every batch.
#[derive(Debug, Default)]
struct Standing {
    is_away: AtomicBool,
}

impl Standing {
    /// Whether this was otherwise before.
    fn is_news(&self, is_away: bool) -> bool {
        self.is_away.swap(is_away, Ordering::Relaxed) != is_away
    }
}

impl Collector {
    pub(super) fn new(address: SocketAddr, runtime: Handle) -> Self {
        Self {
            address,
            runtime,
            standing: Standing::default(),
        }
    }

    fn say(&self, refused: Option<String>) {
        let collector = self.address;
        if !self.standing.is_news(refused.is_some()) {
            return;
        }
        if let Some(error) = refused {
            tracing::warn!(
                %collector,
                error,
                "the collector takes no traces; they are left out until it does"
            );
        } else {
            tracing::info!(%collector, "the collector takes traces again");
        }
    }
}

#[async_trait]
impl SendsSpans for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let posting = self.runtime.spawn(post(self.address, request));
        let answered: Result<HttpAnswer, HttpError> = match posting.await {
            Ok(answered) => answered.map_err(HttpError::from),
            // The tasks of the node ended first.
            Err(ended) => Err(ended.into()),
        };
        self.say(match &answered {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("HTTP {}", answer.status)),
            Err(error) => Some(error.to_string()),
        });
        let answer = answered?;
        Ok(Response::builder()
            .status(answer.status)
            .body(answer.body)?)
    }
}

/// A connection a batch: none is kept to a collector that comes and goes.
async fn post(address: SocketAddr, request: Request<Bytes>) -> Result<HttpAnswer, ClientError> {
    let (head, body) = request.into_parts();
    let headers: Vec<(&str, &str)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let mut client = HttpClient::new(address, Trust::Plain, None, PATIENCE);
    client.post(head.uri.path(), &headers, body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_a_collector_is_away_is_news_once_and_so_is_that_it_is_back() {
        let standing = Standing::default();
        let news = [false, true, true, true, false, false, true].map(|away| standing.is_news(away));
        assert_eq!(news, [false, true, false, false, true, false, true]);
    }
}
