//! Certificates: voters sign parcels that their replica has applied, and whoever carries parcels gathers a
//! majority of signatures.

mod batch;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use openraft_rt::AsyncRuntime;
use tongban_machine::{Members, Placement, Unsignable, View, parcel_batch, parcel_bytes};
use tongban_types::{
    Code, GroupId, KeyRole, NodeId, ParcelBatch, PublicKey, Purpose, Signature, decode, encode,
};

use crate::core::{Core, Until};
use crate::seams::{Lane, Platform, Signer, Transport};
use crate::told::Told;
use crate::wire::{CertifyAnswer, CertifyRequest};

pub(crate) use batch::{Certified, Unsigned};

use batch::Batch;

/// Whether a node keeps a replica of a group: by an order in force or told, or by the members its log
/// names, whom an order may already have let go and who carry parcels until they are gone.
fn keeps_replica(node: NodeId, placements: &[Placement], members: &Members) -> bool {
    let is_placed = |placement: &Placement| {
        placement.voters.contains(&node) || placement.learners.contains(&node)
    };
    members.replicas.contains(&node) || placements.iter().any(is_placed)
}

impl<P: Platform> Core<P> {
    /// Answers a request for a signature: waits a moment for parcels its replica has not applied yet. Only
    /// replicas of the group have anything to carry for it; nobody else is signed for.
    pub(crate) async fn on_certify(&self, peer: NodeId, body: &[u8]) -> Result<Bytes, Code> {
        let CertifyRequest { group, positions } = decode(body).map_err(|error| error.code())?;
        let hosted = self.group(group).ok_or(Code::NOT_HOSTED)?;
        let mut placements = vec![self.placement(group)];
        placements.extend(Told::read(&*self.local, group).map(|told| told.placement));
        if !keeps_replica(peer, &placements, &hosted.group.status().members) {
            return Err(Code::RAFT_NOT_A_REPLICA);
        }
        let until = Until::<P::Runtime>::after(self.tempo().certify_timeout);
        let mut applied = hosted.replica.changed().listen();
        loop {
            applied.mark();
            let read = |view: &dyn View| parcel_batch(view, group, &positions);
            let signature = match hosted.replica.read(read) {
                Ok(Ok(batch)) => self.sign_parcels(&batch),
                Ok(Err(Unsignable::Gone)) => None,
                Ok(Err(Unsignable::Unfit)) => return Err(Code::MALFORMED_RECORD),
                Ok(Err(Unsignable::Ahead)) | Err(_) => match until.left() {
                    Some(left) => {
                        applied.heard(left.min(self.tempo().look_every)).await;
                        continue;
                    }
                    None => None,
                },
            };
            return Ok(Bytes::from(encode(&CertifyAnswer { signature })));
        }
    }

    fn sign_parcels(&self, batch: &ParcelBatch) -> Option<Signature> {
        // A signature by a key out of its time would refuse the whole certificate.
        self.voter_key_now(&self.registry(), self.me)?;
        self.signer.sign(
            KeyRole::Voter,
            &Purpose::ParcelBatch.message(&batch.signed_bytes()),
        )
    }

    /// Gathers a certificate for the parcels at positions of a hosted group's outbox, of as many as fit one
    /// delivery. Without one, what was asked for: no majority signs it now, or none of it is here.
    pub(crate) async fn certify(
        &self,
        group: GroupId,
        positions: &[u64],
    ) -> Result<Certified, Unsigned> {
        let Some(batch) = self.batch_at(group, positions) else {
            return Err(Unsigned {
                positions: positions.to_vec(),
            });
        };
        let placement = self.placement(group);
        let signatures = self.gather(&placement, &batch).await;
        if signatures.len() < placement.majority() {
            return Err(Unsigned {
                positions: batch.positions,
            });
        }
        let signatures: Vec<_> = signatures.into_iter().collect();
        Ok(batch.certified_by(&signatures))
    }

    fn batch_at(&self, group: GroupId, positions: &[u64]) -> Option<Batch> {
        let hosted = self.group(group)?;
        let read = |view: &dyn View| {
            let at = |position: &u64| Some((*position, parcel_bytes(view, *position)?));
            Batch::of(group, positions.iter().filter_map(at))
        };
        hosted.replica.read(read).ok()?
    }

    /// Asks all voters at once and stops at a majority.
    async fn gather(&self, placement: &Placement, batch: &Batch) -> BTreeMap<NodeId, Signature> {
        let registry = self.registry();
        let request = CertifyRequest {
            group: batch.signed.group,
            positions: batch.positions.clone(),
        };
        let body = Bytes::from(encode(&request));
        let ttl = self.tempo().certify_timeout + Duration::from_millis(500);
        let mut gathered = BTreeMap::new();
        let mut asked = FuturesUnordered::new();
        for voter in placement.voters.iter().copied() {
            if voter == self.me {
                let signature = self.sign_parcels(&batch.signed);
                gathered.extend(signature.map(|signature| (voter, signature)));
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
        while gathered.len() < placement.majority()
            && let Some((voter, answered)) = asked.next().await
        {
            let Ok(bytes) = answered else { continue };
            let Ok(answer) = decode::<CertifyAnswer>(&bytes) else {
                continue;
            };
            if let Some(signature) = answer.signature
                && self.is_signed_by(&registry, voter, &batch.signed, signature)
            {
                gathered.insert(voter, signature);
            }
        }
        gathered
    }

    /// A voter whose replica holds other parcels there, or who signs nonsense, is left out: one bad
    /// signature would refuse the whole certificate.
    fn is_signed_by(
        &self,
        registry: &tongban_trust::Registry,
        voter: NodeId,
        batch: &ParcelBatch,
        signature: Signature,
    ) -> bool {
        let Some(key) = self.voter_key_now(registry, voter) else {
            return false;
        };
        let message = Purpose::ParcelBatch.message(&batch.signed_bytes());
        let holds = tongban_trust::verify_strict(key, &message, signature).is_ok();
        if !holds {
            let (group, first) = (batch.group, batch.first);
            tracing::warn!(%voter, %group, first, "a voter signed other parcels than ours");
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
}
