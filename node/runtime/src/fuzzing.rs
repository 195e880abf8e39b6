//! What fuzzing reaches of this room: what nodes ask each other above Raft, and snapshot files.

use tongban_types::{GroupId, Record, decode, encode};

use crate::seams::{Disk, DiskFile};
use crate::snapshot;
use crate::wire::{
    CertifyAnswer, CertifyRequest, KeysRequest, ParcelAnswers, ParcelDelivery, SubmitAnswer,
    SubmitRequest, WrappedKeys,
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
