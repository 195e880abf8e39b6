//! Shows that a connection is alive: eight bytes go out on a stream of their own and must come
//! back. The first echo also shows that the peer admitted us. TCP alone would notice a cut line
//! only after minutes.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use libp2p::Stream;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tongban_types::NodeId;

use crate::behaviour::Shared;
use crate::carrier::Carrier;
use crate::links::Connection;
use crate::protocols::StreamKind;

/// Why a connection is given up.
#[derive(Clone, Copy, Debug)]
enum Lifeless {
    /// Nothing came back in time, nor on any lane.
    Silent,
    /// Nothing came back for a moment, and the peer's machine refuses TCP: its node is down.
    Refused,
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
    if matches!(lifeless, Lifeless::Silent | Lifeless::Refused) {
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
        let echoed = tokio::select! {
            biased;
            echoed = echo(&mut stream, turn, connection, limit) => echoed,
            () = until_refused(shared, peer, connection) => Err(Lifeless::Refused),
        };
        if let Err(lifeless) = echoed {
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

/// Returns once a peer that keeps silent over QUIC refuses TCP at all its addresses. A process that is
/// killed closes no QUIC connection, while its machine answers for it on TCP.
async fn until_refused(shared: &Shared, peer: NodeId, connection: &Connection) {
    if connection.carrier == Carrier::Tcp {
        return std::future::pending().await;
    }
    loop {
        let heard = connection.heard();
        sleep(shared.tuning.probe_after).await;
        if connection.heard() == heard && is_refused(shared, peer).await {
            return;
        }
    }
}

async fn is_refused(shared: &Shared, peer: NodeId) -> bool {
    let addresses = shared.directory.get().addresses_of(peer).to_vec();
    for address in &addresses {
        match timeout(shared.tuning.probe_after, TcpStream::connect(address)).await {
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {}
            _ => return false,
        }
    }
    !addresses.is_empty()
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
