//! The streams of one connection: opens those asked for, hands over those the peer opens. What
//! flows on them is not known here.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::upgrade::{InboundUpgrade, ReadyUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};
use libp2p::{Stream, StreamProtocol};
use tokio::sync::{mpsc, oneshot};

use crate::protocols::StreamKind;

/// A stream is wanted; dropping `reply` says that it cannot be had.
#[derive(Debug)]
pub(crate) struct StreamRequest {
    pub(crate) kind: StreamKind,
    pub(crate) reply: oneshot::Sender<Stream>,
}

/// A stream the peer opened.
#[derive(Debug)]
pub(crate) struct InboundStream {
    pub(crate) kind: StreamKind,
    pub(crate) stream: Stream,
}

/// The handler of one connection.
#[derive(Debug)]
pub(crate) struct StreamHandler {
    requests: mpsc::Receiver<StreamRequest>,
    stream_timeout: Duration,
    /// Streams not yet handed over: as many as Yamux admits at most.
    inbound: VecDeque<InboundStream>,
}

impl StreamHandler {
    pub(crate) fn new(requests: mpsc::Receiver<StreamRequest>, stream_timeout: Duration) -> Self {
        Self {
            requests,
            stream_timeout,
            inbound: VecDeque::new(),
        }
    }
}

impl ConnectionHandler for StreamHandler {
    type FromBehaviour = Infallible;
    type ToBehaviour = InboundStream;
    type InboundProtocol = AnyStream;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Stream>;

    fn listen_protocol(&self) -> SubstreamProtocol<AnyStream> {
        SubstreamProtocol::new(AnyStream, ()).with_timeout(self.stream_timeout)
    }

    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<
        ConnectionHandlerEvent<Self::OutboundProtocol, Self::OutboundOpenInfo, Self::ToBehaviour>,
    > {
        if let Some(inbound) = self.inbound.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(inbound));
        }
        match self.requests.poll_recv(context) {
            Poll::Ready(Some(StreamRequest { kind, reply })) => {
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(kind.protocol()), reply)
                    .with_timeout(self.stream_timeout);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<AnyStream, Self::OutboundProtocol, (), Self::OutboundOpenInfo>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: inbound,
                ..
            }) => self.inbound.push_back(inbound),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                info: reply,
            }) => {
                // Who asked may be gone; the stream is then reset.
                let _ = reply.send(stream);
            }
            // A failed upgrade drops the reply with the event, which is the answer.
            _ => {}
        }
    }
}

/// Accepts a stream of any kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyStream;

impl UpgradeInfo for AnyStream {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        StreamKind::all()
            .map(StreamKind::protocol)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

impl InboundUpgrade<Stream> for AnyStream {
    type Output = InboundStream;
    type Error = Infallible;
    type Future = Ready<Result<InboundStream, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        let kind = StreamKind::of_protocol(&protocol)
            .expect("negotiation agrees only on a protocol that protocol_info listed");
        ready(Ok(InboundStream { kind, stream }))
    }
}
