//! A log whose durable bytes are no longer what was written is refused, never cut; and no bytes
//! whatever make opening panic.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "bytes of tests only have to differ, and helpers of tests are tests"
)]

use crate::common::disk::{Lie, MemoryDisk};
use crate::common::model::Model;
use crate::common::random::Random;
use crate::common::run::Files;
use crate::common::{TestWal, block_on, group, small};
use bytes::Bytes;
use proptest::prelude::*;
use tongban_runtime::ports::{LocalLog, LocalTable, LocalWrite};
use tongban_types::Code;
use tongban_wal::{LogEntry, OpenError, Wal};

/// A log of several segments and a checkpoint, closed.
fn closed_log() -> Files {
    let disk = MemoryDisk::new(Files::new(), 5, Lie::None);
    block_on(async {
        let wal: TestWal = Wal::open(disk.clone(), small()).await.unwrap();
        for index in 1..=80 {
            let entry = LogEntry {
                index,
                term: 1,
                bytes: Bytes::from(vec![index as u8; 150]),
            };
            wal.append(group(0), vec![entry], Box::new(|_| {}))
                .await
                .unwrap();
            if index == 45 {
                wal.purge(group(0), 40, Bytes::new()).await.unwrap();
            }
            if index % 10 == 0 {
                let vote = Bytes::copy_from_slice(&index.to_le_bytes());
                wal.save_vote(group(0), vote).await.unwrap();
                let write = LocalWrite {
                    table: LocalTable::Vault,
                    key: vec![index as u8],
                    value: Some(vec![1; 100]),
                };
                wal.write(vec![write]).await.unwrap();
            }
        }
        wal.close().await.unwrap();
    });
    let files = disk.files();
    assert!(
        files.len() >= 3 && files.contains_key("wal/checkpoint"),
        "{:?}",
        files.keys()
    );
    assert!(!files.contains_key("wal/0000000000000001.log"));
    files
}

fn open(files: &Files) -> Result<Model, OpenError> {
    let disk = MemoryDisk::new(files.clone(), 0, Lie::None);
    block_on(async {
        let wal: TestWal = Wal::open(disk, small()).await?;
        Ok(Model::of(&wal).expect("what opened can be read"))
    })
}

/// Either nothing that was written changed, or the log is refused for what it is.
fn assert_harmless_or_refused(files: &Files, whole: &Model, what: &str) -> bool {
    match open(files) {
        Ok(found) => {
            assert_eq!(&found, whole, "{what}");
            false
        }
        Err(error) => {
            assert_eq!(error.code(), Code::LOG_DAMAGED, "{what}: {error}");
            true
        }
    }
}

#[test]
fn bit_rot_in_a_closed_log_is_refused_or_harmless() {
    let files = closed_log();
    let whole = open(&files).unwrap();
    let mut random = Random(6);
    let mut refused = 0;
    for (name, bytes) in &files {
        for at in (0..bytes.len()).step_by(5) {
            let mut rotten = files.clone();
            rotten.get_mut(name).unwrap()[at] ^= 1 << random.below(8);
            refused += u32::from(assert_harmless_or_refused(
                &rotten,
                &whole,
                &format!("{name} at {at}"),
            ));
        }
    }
    assert!(refused > 1000, "only {refused} flipped bits were refused");
}

#[test]
fn a_sector_of_a_closed_log_that_reads_as_zeros_is_refused_or_harmless() {
    let files = closed_log();
    let whole = open(&files).unwrap();
    for (name, bytes) in &files {
        for at in (0..bytes.len()).step_by(512) {
            let mut rotten = files.clone();
            let end = bytes.len().min(at + 512);
            rotten.get_mut(name).unwrap()[at..end].fill(0);
            assert_harmless_or_refused(&rotten, &whole, &format!("{name} at {at}"));
        }
    }
}

#[test]
fn a_file_that_is_missing_or_in_the_place_of_another_is_refused() {
    let files = closed_log();
    let whole = open(&files).unwrap();
    let names: Vec<&String> = files.keys().collect();
    // The newest segment is left out: without it the folder looks as it did before it was begun.
    for name in &names[..names.len() - 1] {
        if *name != "wal/checkpoint" && Some(name) == names.iter().rev().nth(1) {
            continue;
        }
        let mut fewer = files.clone();
        fewer.remove(*name);
        assert!(assert_harmless_or_refused(&fewer, &whole, name), "{name}");
    }
    let segments: Vec<&String> = files.keys().filter(|name| name.contains(".log")).collect();
    let mut swapped = files.clone();
    swapped.insert(segments[0].clone(), files[segments[1]].clone());
    assert!(assert_harmless_or_refused(&swapped, &whole, "swapped"));
}

#[test]
fn a_torn_tail_is_cut_and_nothing_of_it_is_left() {
    let disk = MemoryDisk::new(Files::new(), 8, Lie::None);
    let name = "wal/0000000000000001.log".to_owned();
    block_on(async {
        let wal: TestWal = Wal::open(disk.clone(), small()).await.unwrap();
        wal.save_vote(group(0), Bytes::from_static(b"vote"))
            .await
            .unwrap();
    });
    let whole = disk.files();
    let mut torn = whole.clone();
    torn.get_mut(&name).unwrap()[700..3000].fill(0xB1);
    let disk = MemoryDisk::new(torn, 8, Lie::None);
    block_on(async {
        let wal: TestWal = Wal::open(disk.clone(), small()).await.unwrap();
        assert_eq!(wal.vote(group(0)), Some(Bytes::from_static(b"vote")));
    });
    assert_eq!(disk.files(), whole);
}

#[test]
fn a_later_format_is_named_and_not_called_damage() {
    let mut files = closed_log();
    let name = files
        .keys()
        .find(|name| name.contains(".log"))
        .unwrap()
        .clone();
    let sector = files.get_mut(&name).unwrap();
    sector[12] = 9;
    let checksum = crc32c::crc32c(&sector[12..48]);
    sector[8..12].copy_from_slice(&checksum.to_le_bytes());
    assert_eq!(open(&files).unwrap_err().code(), Code::LOG_FORMAT_UNKNOWN);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_files_never_make_opening_panic(
        first in proptest::collection::vec(any::<u8>(), 0..1500),
        second in proptest::collection::vec(any::<u8>(), 0..700),
        checkpoint in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
    ) {
        let mut files = Files::new();
        files.insert("wal/0000000000000001.log".to_owned(), first);
        files.insert("wal/0000000000000002.log".to_owned(), second);
        files.extend(checkpoint.map(|bytes| ("wal/checkpoint".to_owned(), bytes)));
        let _either = open(&files);
    }

    #[test]
    fn scribbles_over_a_log_never_make_opening_panic(
        scribbles in proptest::collection::vec((any::<u16>(), any::<u16>(), any::<u64>()), 1..6),
    ) {
        let mut files = closed_log();
        for (file, at, bytes) in scribbles {
            let file = usize::from(file) % files.len();
            let content = files.values_mut().nth(file).expect("it is one of them");
            let at = usize::from(at) % content.len().max(1);
            let end = content.len().min(at + 8);
            content[at..end].copy_from_slice(&bytes.to_le_bytes()[..end - at]);
        }
        let _either = open(&files);
    }
}
