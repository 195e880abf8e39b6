//! The links of the running node as the API shows them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tongban_api::{PeerLink, PeerLinks, PeerState};
use tongban_net::{Libp2pTransport, LinkState, protocols};
use tongban_types::{Code, NodeId};

/// A dial over the worst line and a round trip.
const PING_TIME_MAX: Duration = Duration::from_secs(5);

/// The links.
#[derive(Clone, Debug)]
pub(crate) struct Links(pub(crate) Arc<Libp2pTransport>);

#[async_trait]
impl PeerLinks for Links {
    fn peers(&self) -> Vec<PeerLink> {
        let links = self.0.links().into_iter();
        links
            .map(|(node, link)| PeerLink {
                node,
                peer_id: link.peer_id,
                state: match link.report.state {
                    LinkState::Connected { carrier, since } => PeerState::Connected {
                        carrier: carrier.name(),
                        since,
                    },
                    LinkState::Dialing => PeerState::Dialing,
                    LinkState::Waiting { next_dial } => PeerState::Waiting { next_dial },
                    LinkState::Idle => PeerState::Idle,
                },
                round_trip: link.report.round_trip,
                last_error: link
                    .report
                    .last_error
                    .map(|(error, ago)| (error.code(), ago)),
                queue: link.queue,
                over_quota: link.over_quota,
                protocols: protocols(),
            })
            .collect()
    }

    async fn ping(&self, node: NodeId) -> Result<Duration, Code> {
        let measured = self.0.ping(node, PING_TIME_MAX).await;
        measured.map_err(|error| error.code())
    }
}
