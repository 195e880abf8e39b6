//! Every permanent record of logs and wires.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tongban_machine::EntryReply;
use tongban_types::{
    BatchHead, CertifiedParcels, Command, Entry, Equivocation, Parcel, ParcelBatch, Receipt,
    ReceiptBody, Record, VoterReport, decode, encode,
};

fn again<T: Record + PartialEq + std::fmt::Debug>(input: &[u8]) {
    if let Ok(record) = decode::<T>(input) {
        assert_eq!(decode::<T>(&encode(&record)), Ok(record));
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
});
