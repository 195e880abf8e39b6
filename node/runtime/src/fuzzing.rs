//! What fuzzing reaches of this room: what nodes ask each other above Raft, and snapshot files.

use tongban_types::{
    BlobHash, CaseNumber, CertifiedParcels, GroupId, PublicKey, Record, Signature, Signed, decode,
    encode,
};

use crate::seams::{Disk, DiskFile};
use crate::snapshot;
use crate::wire::{
    CertifyAnswer, CertifyRequest, FileRequest, KeysRequest, ParcelAnswers, ParcelDelivery,
    ParcelRelay, SubmitAnswer, SubmitRequest, WrappedKeys,
};

/// Decodes any bytes as every record of this room; what decodes is the same after being written
/// and read again.
pub fn decode_all(input: &[u8]) {
    again::<SubmitRequest>(input);
    again::<SubmitAnswer>(input);
    again::<CertifyRequest>(input);
    again::<CertifyAnswer>(input);
    again::<ParcelDelivery>(input);
    again::<ParcelAnswers>(input);
    again::<KeysRequest>(input);
    again::<WrappedKeys>(input);
    again::<FileRequest>(input);
    again::<ParcelRelay>(input);
    let seed = zeroize::Zeroizing::new([7; 32]);
    let _ = crate::open_vault_backup(input, &seed);
    if let Ok(checked) = crate::check_backup(input) {
        let opening = crate::BackupOpening::begin(input, &checked, &seed);
        let _ = opening.map(|mut opening| while let Ok(Some(_)) = opening.next_chunk() {});
    }
}

fn again<T: Record + PartialEq + std::fmt::Debug>(input: &[u8]) {
    if let Ok(record) = decode::<T>(input) {
        assert_eq!(decode::<T>(&encode(&record)), Ok(record));
    }
}

/// What nodes ask each other and answer about a case and its parcels, written, by name: what fuzzing
/// begins from.
pub fn samples(case: CaseNumber, parcels: &CertifiedParcels) -> Vec<(&'static str, Vec<u8>)> {
    let group = parcels.batch.group;
    let signature = Signature([9; 64]);
    let order = Signed {
        signer: PublicKey([7; 32]),
        signature,
        bytes: vec![1, 2, 3],
    };
    let delivery = ParcelDelivery {
        to: group,
        pieces: vec![parcels.clone()],
    };
    let wrapped = WrappedKeys {
        encapped: [5; 32],
        keys: vec![(case, [6; 24], vec![8; 48])],
    };
    let propose = SubmitRequest::Propose {
        group,
        entry: vec![1, 2, 3],
    };
    let placed = SubmitRequest::Placed {
        group,
        order: order.clone(),
        naming: Some(Box::new(order.clone())),
    };
    let standing = SubmitAnswer::Standing {
        order: Some(order),
        stands: true,
    };
    let certify = CertifyRequest {
        group,
        positions: vec![1, 5, 65],
    };
    let certified = CertifyAnswer {
        signature: Some(signature),
    };
    let answers = ParcelAnswers {
        pieces: vec![parcels.clone()],
    };
    let file = FileRequest {
        case,
        blob: BlobHash([3; 32]),
        offset: 16_384,
        length: 65_536,
    };
    vec![
        ("propose", encode(&propose)),
        ("placed", encode(&placed)),
        ("may-lead", encode(&SubmitRequest::MayLead { group })),
        ("applied", encode(&SubmitAnswer::Applied(vec![1, 2, 3]))),
        ("standing", encode(&standing)),
        ("certify", encode(&certify)),
        ("certified", encode(&certified)),
        ("delivery", encode(&delivery)),
        ("relay", encode(&ParcelRelay { delivery })),
        ("answers", encode(&answers)),
        ("ask-keys", encode(&KeysRequest::Ask(vec![case]))),
        ("give-keys", encode(&KeysRequest::Give(wrapped.clone()))),
        ("keys", encode(&wrapped)),
        ("file", encode(&file)),
    ]
}

/// Writes a small snapshot file of a group.
pub async fn write_snapshot<D: Disk>(disk: &D, name: &str, group: GroupId) {
    let file = disk.create(name).expect("no file has the name");
    let head = snapshot::Head {
        group,
        index: 300,
        position: vec![1, 2, 3],
    };
    let mut writer = snapshot::Writer::start(file, &head).expect("the disk takes it");
    let pairs = [(vec![1], vec![2; 40]), (vec![3], Vec::new())];
    writer.page(&pairs).expect("the disk takes it");
    writer.finish().await.expect("the disk takes it");
}

/// Checks a snapshot file of any bytes, and reads it whole if it passes.
pub async fn read_snapshot<D: Disk>(disk: &D, name: &str, group: GroupId) {
    let file = disk.open(name).expect("the file is there");
    // A checksum hides everything behind it: its parts are read without it, too.
    let end = file.len().expect("its length is known");
    if let Ok((_, mut offset)) = snapshot::read_head(&file, end) {
        while let Ok(Some((_, next))) = snapshot::read_page(&file, offset) {
            assert!(next > offset, "reading goes on");
            offset = next;
        }
    }
    if let Ok((_, mut offset)) = snapshot::check(&file, group).await {
        while let Some((_, next)) = snapshot::read_page(&file, offset).expect("it was checked") {
            offset = next;
        }
    }
}
