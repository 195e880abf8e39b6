//! Certificates: voters sign the batches of parcels their replica applied, and whoever carries
//! parcels gathers a majority of signatures.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use openraft_rt::AsyncRuntime;
use tongban_machine::{Members, Placement, find_batch, place_parcels};
use tongban_types::{
    CertifiedParcels, Code, GroupId, KeyRole, NodeId, ParcelBatch, PublicKey, Purpose, Signature,
    decode, encode, limits,
};

use crate::core::{Core, Until};
use crate::seams::{Lane, Platform, Signer, Transport};
use crate::told::Told;
use crate::wire::{CertifyAnswer, CertifyRequest};

/// Asks again only for what is missing: a signature is made once, however often a replica that lags is
/// asked for another beside it.
fn fill_missing<T>(
    found: &mut [Option<T>],
    firsts: &[u64],
    mut look: impl FnMut(u64) -> Option<T>,
) {
    for (found, first) in found.iter_mut().zip(firsts) {
        if found.is_none() {
            *found = look(*first);
        }
    }
}

/// Whether a node keeps a replica of a group: by an order in force or told, or by the members its log
/// names, whom an order may already have let go and who carry parcels until they are gone.
fn keeps_replica(node: NodeId, placements: &[Placement], members: &Members) -> bool {
    let is_placed = |placement: &Placement| {
        placement.voters.contains(&node) || placement.learners.contains(&node)
    };
    members.replicas.contains(&node) || placements.iter().any(is_placed)
}

type Gathered = BTreeMap<u64, BTreeMap<NodeId, Signature>>;

impl<P: Platform> Core<P> {
    /// Answers a request for signatures: waits a moment for batches its replica has not applied yet. Only
    /// replicas of the group have anything to carry for it; nobody else is signed for.
    pub(crate) async fn on_certify(&self, peer: NodeId, body: &[u8]) -> Result<Bytes, Code> {
        let request: CertifyRequest = decode(body).map_err(|error| error.code())?;
        if request.firsts.len() > limits::DELIVERY_BATCHES_MAX {
            return Err(Code::TOO_LARGE);
        }
        let hosted = self.group(request.group).ok_or(Code::NOT_HOSTED)?;
        let mut placements = vec![self.placement(request.group)];
        placements.extend(Told::read(&*self.local, request.group).map(|told| told.placement));
        if !keeps_replica(peer, &placements, &hosted.group.status().members) {
            return Err(Code::RAFT_NOT_A_REPLICA);
        }
        let until = Until::<P::Runtime>::after(self.tempo().certify_timeout);
        let mut applied = hosted.replica.changed().listen();
        let mut signatures = vec![None; request.firsts.len()];
        loop {
            applied.mark();
            fill_missing(&mut signatures, &request.firsts, |first| {
                self.sign_parcels(request.group, first)
            });
            let left = until.left().map(|left| left.min(self.tempo().look_every));
            match left {
                Some(left) if signatures.iter().any(Option::is_none) => applied.heard(left).await,
                _ => return Ok(Bytes::from(encode(&CertifyAnswer { signatures }))),
            };
        }
    }

    fn sign_parcels(&self, group: GroupId, first: u64) -> Option<Signature> {
        let batch = self.batch_at(group, first)?;
        // A signature by a key out of its time would refuse the whole certificate.
        self.voter_key_now(&self.registry(), self.me)?;
        self.signer.sign(
            KeyRole::Voter,
            &Purpose::ParcelBatch.message(&batch.signed_bytes()),
        )
    }

    fn batch_at(&self, group: GroupId, first: u64) -> Option<ParcelBatch> {
        self.group(group)?
            .replica
            .read(|view| find_batch(view, first))
            .ok()
            .flatten()
    }

    /// Gathers certificates for parcels at positions of a hosted group's outbox, of at most
    /// `limits::DELIVERY_BATCHES_MAX` batches. What cannot be certified now is left out.
    pub(crate) async fn certify(&self, group: GroupId, positions: &[u64]) -> Vec<CertifiedParcels> {
        let Some(hosted) = self.group(group) else {
            return Vec::new();
        };
        let placed = hosted.replica.read(|view| place_parcels(view, positions));
        let mut batches = placed.unwrap_or_default();
        batches.truncate(limits::DELIVERY_BATCHES_MAX);
        let firsts: Vec<u64> = batches.iter().map(|(batch, _)| batch.first).collect();
        let placement = self.placement(group);
        let mut gathered = self.gather(group, &placement, &firsts).await;
        let needed = placement.majority();
        batches
            .into_iter()
            .filter_map(|(batch, parcels)| {
                let signatures = gathered.remove(&batch.first);
                let signatures = signatures.filter(|signed| signed.len() >= needed)?;
                let signatures = signatures.into_iter().take(needed).collect();
                Some(CertifiedParcels {
                    batch,
                    signatures,
                    parcels,
                })
            })
            .collect()
    }

    /// Asks all voters at once and stops at a majority for every batch.
    async fn gather(&self, group: GroupId, placement: &Placement, firsts: &[u64]) -> Gathered {
        let mut gathered = Gathered::new();
        if firsts.is_empty() {
            return gathered;
        }
        let registry = self.registry();
        let needed = placement.majority();
        let request = CertifyRequest {
            group,
            firsts: firsts.to_vec(),
        };
        let body = Bytes::from(encode(&request));
        let ttl = self.tempo().certify_timeout + Duration::from_millis(500);
        let mut asked = FuturesUnordered::new();
        for voter in placement.voters.iter().copied() {
            if voter == self.me {
                for first in firsts {
                    if let Some(signature) = self.sign_parcels(group, *first) {
                        gathered.entry(*first).or_default().insert(voter, signature);
                    }
                }
            } else {
                let body = body.clone();
                asked.push(async move {
                    (
                        voter,
                        self.transport
                            .request(voter, Lane::Certify, body, ttl)
                            .await,
                    )
                });
            }
        }
        let is_enough = |gathered: &Gathered| {
            firsts
                .iter()
                .all(|first| gathered.get(first).is_some_and(|s| s.len() >= needed))
        };
        while !is_enough(&gathered)
            && let Some((voter, answered)) = asked.next().await
        {
            let Ok(bytes) = answered else { continue };
            let Ok(answer) = decode::<CertifyAnswer>(&bytes) else {
                continue;
            };
            for (first, signature) in firsts.iter().zip(answer.signatures) {
                if let Some(signature) = signature
                    && self.is_signed_by(&registry, voter, group, *first, signature)
                {
                    gathered.entry(*first).or_default().insert(voter, signature);
                }
            }
        }
        gathered
    }

    /// A voter whose replica holds another batch there, or who signs nonsense, is left out: one bad
    /// signature would refuse the whole certificate.
    fn is_signed_by(
        &self,
        registry: &tongban_trust::Registry,
        voter: NodeId,
        group: GroupId,
        first: u64,
        signature: Signature,
    ) -> bool {
        let key = self.voter_key_now(registry, voter);
        let (Some(key), Some(batch)) = (key, self.batch_at(group, first)) else {
            return false;
        };
        let message = Purpose::ParcelBatch.message(&batch.signed_bytes());
        let holds = tongban_trust::verify_strict(key, &message, signature).is_ok();
        if !holds {
            tracing::warn!(%voter, %group, first, "a voter signed another batch than ours");
        }
        holds
    }

    /// The key with which a voter may sign now.
    fn voter_key_now(
        &self,
        registry: &tongban_trust::Registry,
        voter: NodeId,
    ) -> Option<PublicKey> {
        let key = registry.voter_key(voter)?;
        registry.key_holder_at(KeyRole::Voter, key, self.now())?;
        Some(key)
    }

    /// Sleeps, or less if the node is asked to stop.
    pub(crate) async fn rest(&self, time: Duration) {
        if !self.is_stopping() {
            P::Runtime::sleep(time).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn placed(voters: [u8; 3], learners: &[u8]) -> Placement {
        Placement {
            version: 0,
            voters: voters.map(node).to_vec(),
            learners: learners.iter().copied().map(node).collect(),
        }
    }

    #[test]
    fn only_replicas_of_a_group_have_its_parcels_signed() {
        let placements = [placed([1, 2, 3], &[4]), placed([1, 2, 5], &[6])];
        // The seventh leads still, though the order in force lets it go.
        let members = Members {
            replicas: [1, 2, 7].map(node).into(),
            ..Members::default()
        };
        let may_ask = |number| keeps_replica(node(number), &placements, &members);
        let may: Vec<u8> = (1..=9).filter(|number| may_ask(*number)).collect();
        assert_eq!(may, [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn what_was_signed_is_not_signed_again_while_something_else_is_waited_for() {
        let firsts: Vec<u64> = (1..=9).collect();
        let (mut found, mut signed) = (vec![None; 9], 0);
        for applied in 0..20 {
            fill_missing(&mut found, &firsts, |first| {
                let is_here = first < 9 || applied == 19;
                signed += usize::from(is_here);
                is_here.then_some(first)
            });
        }
        assert_eq!(signed, 9);
        assert!(found.into_iter().flatten().eq(firsts));
    }
}
