//! Parcels on their way into a group's log through this node. Whoever has no answer in time sends again; as
//! long as what was handed in before may still come to be applied, it is waited for and not entered again,
//! or a group that is slow would be made slower by everybody who waits for it.

use std::collections::BTreeMap;
use std::ops::Add;
use std::time::Duration;

use tongban_types::{CertifiedParcels, GroupId, Hash};

/// How long an entry with an unclear end is waited for under one term: several times what a group that is
/// overloaded takes, and short beside the life of a packet.
const WAITED_FOR: Duration = Duration::from_secs(20);

/// Parcels remembered a group: some deliveries of every city. Beyond it the others are entered again, which
/// does no harm.
const ENTERING_MAX: usize = 16 * 1_024;

/// What is on its way, by group and hash of the parcel. `I` is the runtime's instant.
pub(crate) struct Entering<I>(BTreeMap<GroupId, BTreeMap<Hash, OnItsWay<I>>>);

struct OnItsWay<I> {
    /// Another leader may have cut it off its log.
    term: u64,
    since: I,
}

impl<I> Default for Entering<I> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I: Copy + Ord + Add<Duration, Output = I>> Entering<I> {
    /// Parts what is to be entered now, and is noted as on its way, from what is on its way already.
    pub(crate) fn begin(
        &mut self,
        to: GroupId,
        (term, now): (u64, I),
        batches: Vec<CertifiedParcels>,
    ) -> (Vec<CertifiedParcels>, Vec<CertifiedParcels>) {
        let of_group = self.0.entry(to).or_default();
        of_group.retain(|_, entry| entry.term == term && now < entry.since + WAITED_FOR);
        let (mut fresh, mut waited_for) = (Vec::new(), Vec::new());
        for mut batch in batches {
            let parcels = std::mem::take(&mut batch.parcels);
            let (known, new): (Vec<_>, Vec<_>) = parcels
                .into_iter()
                .partition(|parcel| of_group.contains_key(&parcel.hash()));
            for parcel in &new {
                if of_group.len() < ENTERING_MAX {
                    let since = now;
                    of_group.insert(parcel.hash(), OnItsWay { term, since });
                }
            }
            for (parcels, part) in [(new, &mut fresh), (known, &mut waited_for)] {
                if !parcels.is_empty() {
                    let (batch, signatures) = (batch.batch, batch.signatures.clone());
                    part.push(CertifiedParcels {
                        batch,
                        signatures,
                        parcels,
                    });
                }
            }
        }
        (fresh, waited_for)
    }

    /// What became of these is known.
    pub(crate) fn end(&mut self, to: GroupId, parcels: &[Hash]) {
        if let Some(of_group) = self.0.get_mut(&to) {
            for parcel in parcels {
                of_group.remove(parcel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, ParcelBatch, PlacedParcel};

    use super::*;

    fn batch(contents: &[u8]) -> Vec<CertifiedParcels> {
        let group = GroupId(CityCode::new(350_100).unwrap());
        let parcels = contents.iter().map(|content| PlacedParcel {
            index: 0,
            path: Vec::new(),
            bytes: vec![*content],
        });
        vec![CertifiedParcels {
            batch: ParcelBatch {
                group,
                first: 0,
                count: 1,
                root: Hash::default(),
            },
            signatures: Vec::new(),
            parcels: parcels.collect(),
        }]
    }

    fn contents(batches: &[CertifiedParcels]) -> Vec<u8> {
        let parcels = batches.iter().flat_map(|batch| &batch.parcels);
        parcels.map(|parcel| parcel.bytes[0]).collect()
    }

    #[test]
    fn what_is_on_its_way_is_entered_again_only_under_another_term_or_once_its_end_is_known() {
        let to = GroupId(CityCode::new(610_500).unwrap());
        let mut entering = Entering::<Duration>::default();
        let (begin, later) = (Duration::ZERO, WAITED_FOR);
        let (fresh, waited_for) = entering.begin(to, (3, begin), batch(&[1, 2]));
        assert_eq!(
            (contents(&fresh), contents(&waited_for)),
            (vec![1, 2], vec![])
        );
        let (fresh, waited_for) = entering.begin(to, (3, begin), batch(&[2, 3]));
        assert_eq!(
            (contents(&fresh), contents(&waited_for)),
            (vec![3], vec![2])
        );
        let hash = batch(&[2])[0].parcels[0].hash();
        entering.end(to, &[hash]);
        let (fresh, _) = entering.begin(to, (3, begin), batch(&[1, 2]));
        assert_eq!(contents(&fresh), [2]);
        let (fresh, waited_for) = entering.begin(to, (4, begin), batch(&[1, 2, 3]));
        assert_eq!(contents(&fresh), [1, 2, 3]);
        assert!(waited_for.is_empty());
        let (fresh, _) = entering.begin(to, (4, later), batch(&[1]));
        assert_eq!(contents(&fresh), [1], "nobody waits for ever");
        let elsewhere = GroupId(CityCode::new(350_300).unwrap());
        let (fresh, _) = entering.begin(elsewhere, (4, begin), batch(&[1]));
        assert_eq!(contents(&fresh), [1]);
    }
}
