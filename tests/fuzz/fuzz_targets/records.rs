//! Every permanent record of logs and wires.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tongban_machine::EntryReply;
use tongban_types::{
    BackupHead, BackupManifest, BatchHead, CertifiedParcels, Command, Entry, Equivocation, Manifest,
    Package, Parcel, ParcelBatch, PlacementOrder, Receipt, ReceiptBody, Record, VoterReport, decode,
    encode,
};

fn again<T: Record + PartialEq + std::fmt::Debug>(input: &[u8]) {
    if let Ok(record) = decode::<T>(input) {
        assert_eq!(decode::<T>(&encode(&record)), Ok(record));
    }
}

/// What another city sealed as the form of a case. A form without files is its own text, whatever it says.
fn unpack(input: &[u8]) {
    if let Ok(package) = Package::of_text(input)
        && !package.attachments.is_empty()
    {
        assert_eq!(Package::of_text(&package.to_text()), Ok(package));
    }
}

fuzz_target!(|input: &[u8]| {
    again::<Entry>(input);
    again::<Command>(input);
    again::<BatchHead>(input);
    again::<VoterReport>(input);
    again::<ParcelBatch>(input);
    again::<Parcel>(input);
    again::<CertifiedParcels>(input);
    again::<Equivocation>(input);
    again::<ReceiptBody>(input);
    again::<Receipt>(input);
    again::<EntryReply>(input);
    again::<PlacementOrder>(input);
    again::<BackupHead>(input);
    again::<BackupManifest>(input);
    again::<Package>(input);
    again::<Manifest>(input);
    unpack(input);
});
