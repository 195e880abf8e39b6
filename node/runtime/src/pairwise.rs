//! Pairwise keys set up towards other nodes, each good for an hour and for the sealing key the node
//! had when it was set up.

use std::collections::BTreeMap;

use tongban_types::{NodeId, SealingPublicKey};

use crate::sealing::PairwiseKey;
use crate::seams::Entropy;

/// A pairwise key is set up anew once an hour, so that one that leaks opens an hour's keys.
const PAIRWISE_MS: i64 = 3_600_000;

/// Pairwise keys kept: one a node of a large federation's neighbours; beyond it the oldest goes.
const PAIRWISE_MAX: usize = 1_024;

/// By node: the sealing key it had, since when, and the pairwise key.
#[derive(Default)]
pub(crate) struct PairwiseKeys(BTreeMap<NodeId, (SealingPublicKey, i64, PairwiseKey)>);

impl PairwiseKeys {
    /// The key towards a node at a time, set up anew where it is an hour old or the node's sealing
    /// key is another by now.
    pub(crate) fn towards(
        &mut self,
        entropy: &impl Entropy,
        now: i64,
        from: NodeId,
        to: NodeId,
        recipient: SealingPublicKey,
    ) -> Option<PairwiseKey> {
        if let Some((sealing, since, pairwise)) = self.0.get(&to)
            && *sealing == recipient
            && (0..PAIRWISE_MS).contains(&(now - since))
        {
            return Some(pairwise.clone());
        }
        let fresh = PairwiseKey::set_up(entropy, from, to, recipient)?;
        if self.0.len() >= PAIRWISE_MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, (_, since, _))| *since)
        {
            let oldest = *oldest.0;
            self.0.remove(&oldest);
        }
        self.0.insert(to, (recipient, now, fresh.clone()));
        Some(fresh)
    }
}

#[cfg(test)]
mod tests {

    use zeroize::Zeroizing;

    use super::*;
    use crate::counting::Counting;
    use crate::key_ring::{KeyRing, Seeds};
    use crate::sealing::pairwise_info;
    use crate::seams::Signer;

    #[test]
    fn a_pairwise_key_lives_an_hour_and_no_longer_than_the_sealing_key_it_was_set_up_to() {
        let ring = |seed: u8| KeyRing::new(&Seeds::new(), &Zeroizing::new([seed; 32]));
        let (old, renewed) = (ring(1), ring(2));
        let from: NodeId = "350100-01".parse().unwrap();
        let to: NodeId = "610500-01".parse().unwrap();
        let entropy = Counting::default();
        let mut keys = PairwiseKeys::default();
        let mut towards = |now, ring: &KeyRing| {
            keys.towards(&entropy, now, from, to, ring.sealing_public())
                .unwrap()
        };
        let first = towards(0, &old);
        assert_eq!(towards(PAIRWISE_MS - 1, &old).encapped, first.encapped);
        let second = towards(PAIRWISE_MS, &old);
        assert_ne!(second.encapped, first.encapped);
        let third = towards(PAIRWISE_MS, &renewed);
        let info = pairwise_info(from, to);
        let opened = renewed.open_pairwise(&third.encapped, &info).unwrap();
        assert_eq!(opened, *third.key);
    }
}
