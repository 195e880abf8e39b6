//! What fits one delivery, in pieces that fit an entry each.

use tongban_types::{CertifiedParcels, limits};

/// What fits one delivery, in order and in pieces that fit an entry; the rest goes with the next. Each
/// parcel proves itself by its own path, so a batch may be cut anywhere.
pub(crate) fn bounded(batches: Vec<CertifiedParcels>) -> Vec<CertifiedParcels> {
    let mut left = limits::PARCELS_BYTES_MAX;
    let mut pieces = batches.into_iter().flat_map(entries).collect::<Vec<_>>();
    let mut is_full = false;
    for piece in &mut pieces {
        let fitting = piece.parcels.iter().take_while(|parcel| {
            let bytes = parcel.bytes.len() + limits::PLACE_BYTES_MAX;
            is_full |= bytes > left;
            left = left.saturating_sub(bytes);
            !is_full
        });
        let fitting = fitting.count();
        piece.parcels.truncate(fitting);
    }
    pieces.retain(|piece| !piece.parcels.is_empty());
    pieces.truncate(limits::DELIVERY_BATCHES_MAX);
    pieces
}

/// The parcels of one certificate in as many entries as they need.
fn entries(certified: CertifiedParcels) -> Vec<CertifiedParcels> {
    let CertifiedParcels {
        batch,
        signatures,
        mut parcels,
    } = certified;
    let mut pieces = Vec::new();
    while !parcels.is_empty() {
        let rest = parcels.split_off(parcels.len().min(limits::PARCELS_MAX));
        pieces.push(CertifiedParcels {
            batch,
            signatures: signatures.clone(),
            parcels,
        });
        parcels = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use tongban_types::{CityCode, GroupId, Hash, ParcelBatch, PlacedParcel, encode};

    use super::*;

    fn batch(sizes: &[usize]) -> CertifiedParcels {
        let group = GroupId(CityCode::new(350_100).unwrap());
        let parcels = (0..).zip(sizes).map(|(index, bytes)| PlacedParcel {
            index,
            path: Vec::new(),
            bytes: vec![0; *bytes],
        });
        CertifiedParcels {
            batch: ParcelBatch {
                group,
                first: 0,
                count: u32::try_from(sizes.len()).unwrap(),
                root: Hash::default(),
            },
            signatures: Vec::new(),
            parcels: parcels.collect(),
        }
    }

    fn sizes(batches: &[CertifiedParcels]) -> Vec<usize> {
        batches.iter().map(|batch| batch.parcels.len()).collect()
    }

    #[test]
    fn a_batch_larger_than_a_delivery_is_cut_and_nothing_overtakes() {
        let whole = [limits::PARCEL_BYTES_MAX; limits::PARCELS_MAX];
        let cut = bounded(vec![batch(&whole), batch(&[1])]);
        let one = limits::PARCEL_BYTES_MAX + limits::PLACE_BYTES_MAX;
        assert_eq!(sizes(&cut), [limits::PARCELS_BYTES_MAX / one]);
        let bytes: usize = cut[0].parcels.iter().map(|parcel| parcel.bytes.len()).sum();
        assert!(bytes <= limits::PARCELS_BYTES_MAX, "a receiver takes it in");
        let encoded = encode(&cut[0]).len();
        assert!(encoded <= limits::PARCELS_BYTES_MAX, "it fits a frame");
    }

    #[test]
    fn a_batch_of_more_parcels_than_an_entry_takes_goes_in_several() {
        let parcels = [40; limits::PARCELS_MAX + 3];
        let cut = bounded(vec![batch(&parcels), batch(&[50])]);
        assert_eq!(sizes(&cut), [limits::PARCELS_MAX, 3, 1]);
        let of_first = cut[..2].iter().flat_map(|piece| &piece.parcels);
        assert!(of_first.map(|parcel| parcel.index).eq(0..67));
    }

    #[test]
    fn what_fits_goes_whole() {
        let batches = vec![batch(&[1_000, 2_000]), batch(&[30_000])];
        assert_eq!(sizes(&bounded(batches)), [2, 1]);
    }
}
