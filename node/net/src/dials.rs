//! Dials of one peer over both carriers, told of each other. A machine that is up but whose node is not
//! refuses TCP at once, while UDP says nothing: a refusal of TCP ends the dial over QUIC as well, so
//! that a node that is down is known to be down in a second. It ends it not at once, for what refused may
//! be a wall on the way that lets UDP pass.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use tokio::sync::broadcast;

use crate::carrier::{Carrier, socket_of};

/// Refusals a dial may still have to hear; one that misses some waits for its own timeout.
const REFUSALS_MAX: usize = 256;

/// What a dial over QUIC still has when TCP was refused: two round trips of the worst line.
const REFUSAL_GRACE: Duration = Duration::from_secs(1);

/// Where refusals of TCP are told.
#[derive(Clone, Debug)]
pub(crate) struct Refusals(broadcast::Sender<SocketAddr>);

impl Refusals {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(REFUSALS_MAX))
    }
}

/// The dials of one carrier.
pub(crate) struct Dials<T> {
    carrier: Carrier,
    inner: T,
    refusals: Refusals,
}

impl<T> Dials<T> {
    pub(crate) fn new(carrier: Carrier, inner: T, refusals: Refusals) -> Self {
        Self {
            carrier,
            inner,
            refusals,
        }
    }
}

impl<T> Transport for Dials<T>
where
    T: Transport<Error = io::Error> + Unpin,
    T::Dial: Send + 'static,
    T::Output: 'static,
{
    type Output = T::Output;
    type Error = io::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = Pin<Box<dyn Future<Output = Result<T::Output, io::Error>> + Send>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        let to = socket_of(&address);
        let dial = self.inner.dial(address, options)?;
        let Some(to) = to else {
            return Ok(Box::pin(dial));
        };
        Ok(match self.carrier {
            Carrier::Tcp => Box::pin(tell_refusal(dial, to, self.refusals.0.clone())),
            Carrier::Quic => Box::pin(until_refused(dial, to, self.refusals.0.subscribe())),
        })
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut self.inner).poll(context)
    }
}

async fn tell_refusal<O>(
    dial: impl Future<Output = io::Result<O>>,
    to: SocketAddr,
    refusals: broadcast::Sender<SocketAddr>,
) -> io::Result<O> {
    let dialed = dial.await;
    if let Err(error) = &dialed
        && error.kind() == io::ErrorKind::ConnectionRefused
    {
        // Nobody listens when QUIC is off.
        let _ = refusals.send(to);
    }
    dialed
}

async fn until_refused<O>(
    dial: impl Future<Output = io::Result<O>>,
    to: SocketAddr,
    mut refusals: broadcast::Receiver<SocketAddr>,
) -> io::Result<O> {
    let refused = async {
        loop {
            match refusals.recv().await {
                Ok(address) if address == to => return,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    let given_up = async {
        refused.await;
        tokio::time::sleep(REFUSAL_GRACE).await;
    };
    tokio::select! {
        biased;
        dialed = dial => dialed,
        () = given_up => Err(io::ErrorKind::ConnectionRefused.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
    const THERE: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);

    #[tokio::test(start_paused = true)]
    async fn a_wall_that_refuses_tcp_leaves_quic_the_time_of_its_round_trips() {
        let refusals = Refusals::new();
        let slow = async {
            tokio::time::sleep(Duration::from_millis(60)).await;
            Ok(7)
        };
        let quic = until_refused(slow, HERE, refusals.0.subscribe());
        let refused = async { Err::<(), _>(io::ErrorKind::ConnectionRefused.into()) };
        let tcp = tell_refusal(refused, HERE, refusals.0.clone());
        let (quic, tcp) = tokio::join!(quic, tcp);
        assert!(tcp.is_err());
        assert_eq!(quic.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_ends_the_other_dial_to_the_same_address_only() {
        let refusals = Refusals::new();
        let dial = |to| {
            until_refused(
                std::future::pending::<io::Result<()>>(),
                to,
                refusals.0.subscribe(),
            )
        };
        let (same, other) = (dial(HERE), dial(THERE));
        let refused = async { Err::<(), _>(io::ErrorKind::ConnectionRefused.into()) };
        assert!(
            tell_refusal(refused, HERE, refusals.0.clone())
                .await
                .is_err()
        );
        assert_eq!(
            same.await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        tokio::select! {
            biased;
            _ = other => panic!("another address was refused"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[tokio::test]
    async fn another_failure_of_tcp_lets_quic_go_on() {
        let refusals = Refusals::new();
        let quic = until_refused(async { Ok(7) }, HERE, refusals.0.subscribe());
        let failed = async { Err::<(), _>(io::ErrorKind::TimedOut.into()) };
        assert!(
            tell_refusal(failed, HERE, refusals.0.clone())
                .await
                .is_err()
        );
        assert_eq!(quic.await.unwrap(), 7);
    }
}
