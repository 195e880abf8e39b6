//! The certificates that came with parcels, checked once each. The entries of a delivery share one, and who
//! leads checks it before it appends them and again as it applies them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tongban_trust::{Registry, TrustError, verify_majority};
use tongban_types::{NodeId, ParcelBatch, PublicKey, Purpose, Signature};

/// Certificates remembered: one for each city that may deliver to a group at the same time, twice over.
const REMEMBERED_MAX: usize = 64;

/// Certificates found to hold lately.
#[derive(Debug, Default)]
pub(crate) struct Certificates(Mutex<VecDeque<Held>>);

/// All that decides whether a certificate holds: it holds for ever, whatever the state says later.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    batch: ParcelBatch,
    signatures: Vec<(NodeId, Signature)>,
    keys: Vec<Option<PublicKey>>,
    voters: Vec<NodeId>,
}

impl Certificates {
    /// As [`verify_majority`] says, without its arithmetic for what was found to hold lately.
    pub(crate) fn verify(
        &self,
        registry: &Registry,
        voters: Vec<NodeId>,
        batch: ParcelBatch,
        signatures: &[(NodeId, Signature)],
    ) -> Result<(), TrustError> {
        let held = Held {
            batch,
            keys: signatures
                .iter()
                .map(|(voter, _)| registry.voter_key(*voter))
                .collect(),
            signatures: signatures.to_vec(),
            voters,
        };
        if self.lately().contains(&held) {
            return Ok(());
        }
        let (purpose, signed) = (Purpose::ParcelBatch, batch.signed_bytes());
        let voters = &held.voters;
        verify_majority(registry, batch.group, voters, purpose, &signed, signatures)?;
        let mut lately = self.lately();
        lately.truncate(REMEMBERED_MAX - 1);
        lately.push_front(held);
        Ok(())
    }

    fn lately(&self) -> std::sync::MutexGuard<'_, VecDeque<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tongban_trust::testing::SampleFederation;
    use tongban_types::{Code, GroupId, KeyRole, leaf_hash};

    use super::*;

    fn batch(number: u8) -> ParcelBatch {
        let group = GroupId(SampleFederation::city(0));
        ParcelBatch::over(group, 0, &[leaf_hash(&[number])])
    }

    fn signed(batch: ParcelBatch) -> [(NodeId, Signature); 2] {
        [0, 1].map(|place| {
            let node = SampleFederation::node(place);
            let key = SampleFederation::key(node, KeyRole::Voter);
            (
                node,
                key.sign(Purpose::ParcelBatch, batch.signed_bytes())
                    .signature,
            )
        })
    }

    #[test]
    fn what_held_holds_again_and_everything_else_is_judged_by_itself() {
        let registry = SampleFederation::six_cities().registry;
        let voters = registry.voters(batch(1).group).to_vec();
        let certificates = Certificates::default();
        let check = |voters: &[NodeId], batch, signatures: &[(NodeId, Signature)]| {
            let checked = certificates.verify(&registry, voters.to_vec(), batch, signatures);
            checked.map_err(|error| error.code())
        };
        let signatures = signed(batch(1));
        for _ in 0..3 {
            assert_eq!(check(&voters, batch(1), &signatures), Ok(()));
        }
        assert_eq!(certificates.lately().len(), 1);

        let refused = Err(Code::SIGNATURE_INVALID);
        assert_eq!(check(&voters, batch(2), &signatures), refused);
        let mut bent = signatures;
        bent[1].1.0[0] ^= 1;
        assert_eq!(check(&voters, batch(1), &bent), refused);
        let of_one = check(&voters, batch(1), &signatures[..1]);
        assert_eq!(of_one, Err(Code::MAJORITY_MISSING));
        // The group has other voters now.
        let moved = check(&voters[1..], batch(1), &signatures);
        assert_eq!(moved, Err(Code::MAJORITY_MISSING));
        assert_eq!(
            certificates.lately().len(),
            1,
            "what is refused is not kept"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes() {
        let registry = SampleFederation::six_cities().registry;
        let certificates = Certificates::default();
        for number in 0..=64 {
            let batch = batch(number);
            let voters = registry.voters(batch.group).to_vec();
            let held = certificates.verify(&registry, voters, batch, &signed(batch));
            assert_eq!(held, Ok(()));
        }
        let lately = certificates.lately();
        assert_eq!(lately.len(), REMEMBERED_MAX);
        let is_kept = |number| lately.iter().any(|held| held.batch == batch(number));
        assert!(is_kept(64) && is_kept(1) && !is_kept(0));
    }
}
