//! The ways a delivery of parcels can take: to any voter of the group it is for, and, where this node
//! reaches none of them, through another voter of the sender's own group. The certificate speaks for
//! itself, so it does not matter who brings it; the answers come back the same way.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use openraft_rt::AsyncRuntime;
use tongban_types::{CertifiedParcels, Code, DecodeError, GroupId, NodeId, decode, encode};

use crate::core::Core;
use crate::seams::{Lane, Platform, Transport};
use crate::wire::{ParcelAnswers, ParcelDelivery, ParcelRelay};

/// One way to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// This node hosts the group itself.
    Here,
    /// A voter of the group.
    Direct(NodeId),
    /// A voter of the sender's group, which hands it on.
    Through(NodeId),
}

impl<P: Platform> Core<P> {
    /// Hands parcels of a hosted group over to the group they are for, and brings its answers; else why
    /// there are none. Tries one way after the other, the next as soon as one fails or takes long: taking
    /// parcels in twice does no harm, and the first answer counts.
    pub(crate) async fn hand_over(
        &self,
        group: GroupId,
        to: GroupId,
        pieces: Vec<CertifiedParcels>,
    ) -> Result<ParcelAnswers, Code> {
        let ways = ways(
            self.me,
            to,
            &self.voters_to_ask(to),
            &self.placement(group).voters,
            &self.transport.connected(),
        );
        let delivery = ParcelDelivery { to, pieces };
        let body = Bytes::from(encode(&delivery));
        let relay = Bytes::from(encode(&ParcelRelay { delivery }));
        let answer = self.first_answer(&ways, &body, &relay).await?;
        decode(&answer).map_err(|error| {
            tracing::warn!(%group, %to, %error, "an answer does not decode");
            Code::PEER_UNREACHABLE
        })
    }

    /// Answers lane `Parcel`: parcels for a group hosted here, or for another to hand on.
    pub(crate) async fn on_parcel_lane(&self, peer: NodeId, body: &[u8]) -> Result<Bytes, Code> {
        match decode(body) {
            Ok(ParcelRelay { delivery }) => self.on_relay(peer, delivery).await,
            Err(DecodeError::Kind { .. }) => self.on_parcels(body).await,
            Err(error) => Err(error.code()),
        }
    }

    /// Hands on what a fellow voter of the sender's group cannot deliver itself. Whoever it is handed to
    /// hosts the group it is for, so that nothing is handed on twice.
    async fn on_relay(&self, peer: NodeId, delivery: ParcelDelivery) -> Result<Bytes, Code> {
        let is_fellow = |piece: &CertifiedParcels| {
            let group = piece.batch.group;
            self.group(group).is_some() && self.placement(group).voters.contains(&peer)
        };
        if delivery.pieces.is_empty() || !delivery.pieces.iter().all(is_fellow) {
            return Err(Code::NOT_HOSTED);
        }
        let to = delivery.to;
        let connected = self.transport.connected();
        let ways = ways(self.me, to, &self.voters_to_ask(to), &[], &connected);
        let body = Bytes::from(encode(&delivery));
        let answer = self.first_answer(&ways, &body, &Bytes::new()).await?;
        self.relayed.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%peer, %to, "parcels of another node handed on");
        Ok(answer)
    }

    /// The first answer on any of the ways; without one, how the parcels were judged, if they were.
    async fn first_answer(&self, ways: &[Way], body: &Bytes, relay: &Bytes) -> Result<Bytes, Code> {
        let mut refused = Code::PEER_UNREACHABLE;
        let patience = self.tempo().another_way_after;
        let mut asked = FuturesUnordered::new();
        let mut left = ways.iter();
        loop {
            let is_last = match left.next() {
                Some(way) => {
                    asked.push(self.go(*way, body, relay));
                    left.as_slice().is_empty()
                }
                None => true,
            };
            let next = if is_last {
                asked.next().await
            } else {
                // Time over: the way stays open, and the next is tried beside it.
                match P::Runtime::timeout(patience, asked.next()).await {
                    Ok(next) => next,
                    Err(_) => continue,
                }
            };
            match next {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(code)) if is_judgement(code) => refused = code,
                None if is_last => return Err(refused),
                // The next way, if there is one.
                Some(Err(_)) | None => {}
            }
        }
    }

    async fn go(&self, way: Way, body: &Bytes, relay: &Bytes) -> Result<Bytes, Code> {
        let ttl = self.tempo().delivery_timeout;
        let answered = match way {
            Way::Here => self.on_parcels(body).await,
            Way::Direct(node) | Way::Through(node) => {
                let body = if matches!(way, Way::Through(_)) {
                    relay
                } else {
                    body
                };
                let request = self
                    .transport
                    .request(node, Lane::Parcel, body.clone(), ttl);
                request.await.map_err(|error| error.code())
            }
        };
        answered.inspect_err(|code| tracing::debug!(?way, %code, "not delivered"))
    }
}

/// Whether a refusal judges what was brought: types, trust and machine do, by codes below 4000. All others
/// speak of who was asked, or of the way there.
pub(crate) fn is_judgement(code: Code) -> bool {
    code.number() < 4_000
}

/// The ways in the order they are tried: here, then the city's own nodes and its partners, those in touch
/// first and of them the city's own; then relays, those in touch first.
fn ways(
    me: NodeId,
    to: GroupId,
    receivers: &[NodeId],
    fellows: &[NodeId],
    connected: &[NodeId],
) -> Vec<Way> {
    let is_apart = |node: &NodeId| connected.binary_search(node).is_err();
    let mut direct = receivers.to_vec();
    direct.sort_by_key(|node| (*node != me, is_apart(node), node.city() != to.city()));
    let mut through: Vec<NodeId> = fellows
        .iter()
        .copied()
        .filter(|node| *node != me && !receivers.contains(node))
        .collect();
    through.sort_by_key(is_apart);
    let direct = direct.into_iter().map(|node| {
        if node == me {
            Way::Here
        } else {
            Way::Direct(node)
        }
    });
    direct
        .chain(through.into_iter().map(Way::Through))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(city: u32) -> NodeId {
        NodeId::new(city.to_string().parse().unwrap(), 1).unwrap()
    }

    #[test]
    fn a_judgement_of_parcels_is_told_from_a_refusal_of_who_was_asked() {
        let judgements = [
            Code::MALFORMED_RECORD,
            Code::KEY_OUT_OF_TIME,
            Code::MAJORITY_MISSING,
            Code::BAD_SIGNATURE,
        ];
        assert!(judgements.into_iter().all(is_judgement));
        let others = [
            Code::NO_QUORUM,
            Code::NOT_HOSTED,
            Code::GROUP_STOPPED,
            Code::PEER_UNREACHABLE,
            Code::PEER_TIMED_OUT,
            Code::PEER_OVER_QUOTA,
        ];
        assert!(!others.into_iter().any(is_judgement));
    }

    #[test]
    fn those_in_touch_go_first_and_of_them_the_citys_own_and_fellows_last() {
        let (me, putian, ningde) = (node(350_100), node(350_300), node(350_900));
        let (nanping, weinan, dingxi) = (node(350_700), node(610_500), node(621_100));
        let to = GroupId(nanping.city());
        let found = |receivers: &[NodeId]| {
            ways(me, to, receivers, &[me, putian, ningde], &[ningde, dingxi])
        };
        assert_eq!(
            ways(me, to, &[dingxi, nanping], &[], &[nanping, dingxi]),
            [Way::Direct(nanping), Way::Direct(dingxi)]
        );
        assert_eq!(
            found(&[dingxi, nanping, weinan]),
            [
                // The city's own machine is dark: nothing waits for it.
                Way::Direct(dingxi),
                Way::Direct(nanping),
                Way::Direct(weinan),
                Way::Through(ningde),
                Way::Through(putian),
            ]
        );
        assert_eq!(
            found(&[weinan, me, putian]),
            [
                Way::Here,
                Way::Direct(weinan),
                Way::Direct(putian),
                Way::Through(ningde),
            ]
        );
    }
}
