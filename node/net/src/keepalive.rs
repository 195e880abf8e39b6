//! Shows that a connection is alive: eight bytes go out on a stream of their own and must come
//! back. The first echo also shows that the peer admitted us. TCP alone would notice a cut line
//! only after minutes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use libp2p::Stream;
use tokio::time::{Instant, sleep, timeout};
use tongban_types::NodeId;

use crate::behaviour::Shared;
use crate::links::Connection;
use crate::protocols::StreamKind;

/// Why a connection is given up.
#[derive(Clone, Copy, Debug)]
enum Lifeless {
    /// Nothing came back in time, nor on any lane.
    Silent,
    /// The stream broke or carried something else: the connection is closing, or the peer is ill.
    Broken,
}

/// Watches one connection until it is gone, and closes it when it is lifeless.
pub(crate) async fn watch(shared: Shared, peer: NodeId, connection: Arc<Connection>) {
    let lifeless = tokio::select! {
        () = connection.gone() => return,
        lifeless = echo_for_ever(&shared, peer, &connection) => lifeless,
    };
    tracing::debug!(%peer, connection = %connection.id, ?lifeless, "leaving a connection");
    if matches!(lifeless, Lifeless::Silent) {
        shared.counters.connections_dead.one();
    }
    shared.links.close(peer, connection.id);
}

async fn echo_for_ever(shared: &Shared, peer: NodeId, connection: &Connection) -> Lifeless {
    let limit = shared.tuning.keepalive_timeout;
    let Ok(Ok(mut stream)) = timeout(limit, connection.open(StreamKind::Keepalive)).await else {
        return Lifeless::Broken;
    };
    for turn in 0_u64.. {
        let pings = connection.take_pings();
        let sent = Instant::now();
        if let Err(lifeless) = echo(&mut stream, turn, connection, limit).await {
            return lifeless;
        }
        let round_trip = sent.elapsed();
        shared.links.on_echo(peer, connection.id, round_trip);
        for ping in pings {
            // Who asked may be gone.
            let _ = ping.send(round_trip);
        }
        tokio::select! {
            () = sleep(shared.tuning.keepalive_interval) => {}
            () = connection.ping_wanted() => {}
        }
    }
    unreachable!("two to the sixty-fourth echoes, three seconds apart")
}

async fn echo(
    stream: &mut Stream,
    turn: u64,
    connection: &Connection,
    limit: Duration,
) -> Result<(), Lifeless> {
    let ping = turn.to_be_bytes();
    let exchange = async {
        let mut pong = [0; 8];
        stream.write_all(&ping).await?;
        stream.flush().await?;
        stream.read_exact(&mut pong).await?;
        Ok::<_, std::io::Error>(pong)
    };
    tokio::pin!(exchange);
    loop {
        let heard = connection.heard();
        match timeout(limit, &mut exchange).await {
            Ok(Ok(pong)) if pong == ping => return Ok(()),
            Ok(_) => return Err(Lifeless::Broken),
            Err(_) if connection.heard() == heard => return Err(Lifeless::Silent),
            Err(_) => {}
        }
    }
}

/// Sends back what the peer sends, until the stream or the connection ends.
pub(crate) async fn answer(connection: Arc<Connection>, mut stream: Stream) {
    let echo = async {
        let mut bytes = [0; 8];
        while stream.read_exact(&mut bytes).await.is_ok() {
            if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = connection.gone() => {}
        () = echo => {}
    }
}
