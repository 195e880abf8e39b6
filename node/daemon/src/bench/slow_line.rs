//! Lines as long as those between provinces: a relay in front of a node that hands every byte on half a
//! round trip later, in both directions.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Bytes read at once.
const PIECE_BYTES: usize = 64 << 10;

/// Pieces on their way in one direction: with more, the reader waits, as a full line makes it.
const PIECES_MAX: usize = 1_024;

/// The relays in front of some nodes. They end with it.
#[derive(Debug)]
pub(super) struct SlowLines {
    _relays: JoinSet<()>,
}

impl SlowLines {
    /// Begins to relay from each front to the address behind it.
    pub(super) async fn begin(
        lines: &[(SocketAddr, SocketAddr)],
        round_trip: Duration,
    ) -> anyhow::Result<Self> {
        let mut relays = JoinSet::new();
        for &(front, behind) in lines {
            let listener = TcpListener::bind(front).await;
            let listener = listener.with_context(|| format!("listening at {front}"))?;
            relays.spawn(relay(listener, behind, round_trip / 2));
        }
        Ok(Self { _relays: relays })
    }
}

async fn relay(listener: TcpListener, behind: SocketAddr, delay: Duration) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((near, _)) = accepted {
                    connections.spawn(join(near, behind, delay));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn join(near: TcpStream, behind: SocketAddr, delay: Duration) {
    let Ok(far) = TcpStream::connect(behind).await else {
        return;
    };
    // Small requests must wait for the line alone.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::join!(
        carry(near_in, far_out, delay),
        carry(far_in, near_out, delay)
    );
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut on_the_way) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES_MAX);
    let read = async move {
        let mut piece = vec![0; PIECE_BYTES];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let arrives = Instant::now() + delay;
            if sender
                .send((arrives, piece[..length].to_vec()))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    let write = async move {
        while let Some((arrives, piece)) = on_the_way.recv().await {
            sleep_until(arrives).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

/// What a round trip over the relay takes, measured with a byte that is sent back, and set against what
/// was asked for: what is added to it by this machine.
pub(super) async fn measured_round_trip(round_trip: Duration) -> anyhow::Result<Duration> {
    let echo = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let front = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = front.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn(relay(front, echo.local_addr()?, round_trip / 2));
    tasks.spawn(async move {
        if let Ok((mut stream, _)) = echo.accept().await {
            let _ = stream.set_nodelay(true);
            let mut byte = [0; 1];
            while stream.read_exact(&mut byte).await.is_ok()
                && stream.write_all(&byte).await.is_ok()
            {}
        }
    });
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut taken = Vec::new();
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        stream.write_all(&[1]).await?;
        stream.read_exact(&mut [0; 1]).await?;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    Ok(taken[taken.len() / 2])
}

/// Enough for a median.
const ROUND_TRIPS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_round_trip_takes_at_least_what_was_asked_for() {
        let asked = Duration::from_millis(30);
        assert!(measured_round_trip(asked).await.unwrap() >= asked);
    }
}
