//! Tests: records read back, and their bytes stay.

use super::*;
use crate::format::salted;

fn group() -> GroupId {
    GroupId(CityCode::new(350_100).unwrap())
}

fn one_of_each() -> Vec<Record> {
    let bytes = Bytes::from_static(b"0123456789");
    vec![
        Record::Entry {
            group: group(),
            index: 3,
            term: 2,
            bytes: bytes.clone(),
        },
        Record::Moved {
            group: group(),
            index: 3,
            term: 2,
            bytes: Bytes::new(),
        },
        Record::Vote {
            group: group(),
            bytes: bytes.clone(),
        },
        Record::Truncate {
            group: group(),
            last: None,
        },
        Record::Truncate {
            group: group(),
            last: Some(9),
        },
        Record::Purge {
            group: group(),
            upto: 8,
            meta: bytes.clone(),
        },
        Record::Committed {
            group: group(),
            bytes: bytes.clone(),
        },
        Record::Local { changes: bytes },
        Record::End { count: 5 },
    ]
}

#[test]
fn every_record_reads_back_and_no_flipped_bit_passes() {
    for record in one_of_each() {
        let mut encoded = Vec::new();
        record.encode(salted(1), &mut encoded);
        assert_eq!(encoded.len(), record.encoded_len());
        let whole = Bytes::from(encoded.clone());
        let length = encoded.len();
        assert_eq!(
            Record::decode(&whole, salted(1)),
            Some((record.clone(), length))
        );
        assert_eq!(Record::decode(&whole, salted(2)), None);
        for bit in 0..length * 8 {
            let mut broken = encoded.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::decode(&Bytes::from(broken), salted(1)), None);
        }
    }
}

/// Bytes on disk are permanent: a change of this vector is a new format.
#[test]
fn an_entry_has_these_bytes_for_ever() {
    let mut encoded = Vec::new();
    let record = Record::Entry {
        group: group(),
        index: 0x0102,
        term: 3,
        bytes: Bytes::from_static(b"ab"),
    };
    record.encode(salted(7), &mut encoded);
    assert_eq!(encoded[..4], [23, 0, 0, 0]);
    assert_eq!(
        encoded[8..],
        [
            1, 0x94, 0x57, 0x05, 0, 2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'
        ]
    );
}
