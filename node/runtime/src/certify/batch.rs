//! What of an outbox travels together under one certificate: as much as fits one delivery.

use tongban_types::{
    CertifiedParcels, GroupId, NodeId, ParcelBatch, PlacedParcel, Signature, limits,
};

/// Parcels of an outbox that travel together.
#[derive(Debug)]
pub(super) struct Batch {
    /// Where they stand in the outbox.
    pub(super) positions: Vec<u64>,
    /// What voters sign.
    pub(super) signed: ParcelBatch,
    parcels: Vec<PlacedParcel>,
}

/// The same under a certificate.
#[derive(Debug)]
pub(crate) struct Certified {
    /// Where they stand in the outbox.
    pub(crate) positions: Vec<u64>,
    /// In pieces that fit an entry each, every one with the whole certificate: it proves itself.
    pub(crate) pieces: Vec<CertifiedParcels>,
}

/// Parcels without a certificate.
#[derive(Debug)]
pub(crate) struct Unsigned {
    /// Where they stand in the outbox.
    pub(crate) positions: Vec<u64>,
}

impl Batch {
    /// What fits one delivery of parcels of a group's outbox, each with its position, in order; the rest
    /// goes with the next. `None` if there are none.
    pub(super) fn of(
        group: GroupId,
        parcels: impl Iterator<Item = (u64, Vec<u8>)>,
    ) -> Option<Self> {
        let mut left = limits::PARCELS_BYTES_MAX;
        let fitting = parcels.map_while(|(position, bytes)| {
            left = left.checked_sub(bytes.len())?;
            Some((position, bytes))
        });
        let (positions, parcels): (Vec<u64>, _) =
            fitting.take(limits::DELIVERY_PARCELS_MAX).unzip();
        let (signed, parcels) = ParcelBatch::place(group, *positions.first()?, parcels);
        Some(Self {
            positions,
            signed,
            parcels,
        })
    }

    pub(super) fn certified_by(self, signatures: &[(NodeId, Signature)]) -> Certified {
        let mut pieces = Vec::with_capacity(limits::DELIVERY_PIECES_MAX);
        let mut parcels = self.parcels.into_iter().peekable();
        while parcels.peek().is_some() {
            pieces.push(CertifiedParcels {
                batch: self.signed,
                signatures: signatures.to_vec(),
                parcels: parcels.by_ref().take(limits::PARCELS_MAX).collect(),
            });
        }
        Certified {
            positions: self.positions,
            pieces,
        }
    }
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, encode, leaf_hash, root_from_path};

    use super::*;

    /// Parcels of these sizes, at every third position from 7 on: others stand between them. Signed by as
    /// many as can be.
    fn certified(sizes: &[usize]) -> Certified {
        let city = CityCode::new(350_100).unwrap();
        let sizes = sizes.iter().map(|bytes| vec![0; *bytes]);
        let batch = Batch::of(GroupId(city), (7..).step_by(3).zip(sizes)).unwrap();
        let signature = (NodeId::new(city, 99).unwrap(), Signature([255; 64]));
        batch.certified_by(&[signature; limits::VOTERS_MAX])
    }

    fn counts(certified: &Certified) -> Vec<usize> {
        let pieces = certified.pieces.iter();
        pieces.map(|piece| piece.parcels.len()).collect()
    }

    #[test]
    fn a_delivery_is_a_megabyte_at_most_and_nothing_overtakes() {
        let certified = certified(&[&[limits::PARCEL_BYTES_MAX; 100][..], &[1]].concat());
        let fitting = limits::PARCELS_BYTES_MAX / limits::PARCEL_BYTES_MAX;
        assert_eq!(counts(&certified), [fitting], "the short one waits too");
        assert_eq!(certified.positions.len(), fitting);
    }

    #[test]
    fn a_delivery_of_the_most_parcels_and_bytes_fits_a_frame() {
        let one = limits::PARCELS_BYTES_MAX / limits::DELIVERY_PARCELS_MAX;
        let certified = certified(&vec![one; limits::DELIVERY_PARCELS_MAX + 1]);
        let most = [limits::PARCELS_MAX; limits::DELIVERY_PIECES_MAX];
        assert_eq!(counts(&certified), most);
        let encoded: Vec<usize> = certified.pieces.iter().map(|it| encode(it).len()).collect();
        assert!(encoded.iter().sum::<usize>() < limits::FRAME_BYTES_MAX / 2);
        let place = limits::PARCELS_MAX * limits::PLACE_BYTES_MAX;
        assert!(encoded[0] <= limits::PARCELS_MAX * one + place);
    }

    #[test]
    fn each_piece_proves_itself_by_the_whole_certificate() {
        let certified = certified(&[40; limits::PARCELS_MAX + 2]);
        assert_eq!(counts(&certified), [limits::PARCELS_MAX, 2]);
        let positions: Vec<u64> = (7..).step_by(3).take(66).collect();
        assert_eq!(certified.positions, positions);
        for piece in &certified.pieces {
            assert_eq!((piece.batch.first, piece.batch.count), (7, 66));
            for parcel in &piece.parcels {
                let (leaf, at) = (leaf_hash(&parcel.bytes), parcel.index as usize);
                let root = root_from_path(leaf, at, 66, &parcel.path);
                assert_eq!(root, Some(piece.batch.root));
            }
        }
        let indexes = certified.pieces.iter().flat_map(|piece| &piece.parcels);
        assert!(indexes.map(|parcel| parcel.index).eq(0..66));
    }

    #[test]
    fn without_a_parcel_there_is_no_batch() {
        let group = GroupId(CityCode::new(350_100).unwrap());
        assert!(Batch::of(group, std::iter::empty()).is_none());
    }
}
