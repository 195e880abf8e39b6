//! A log folder of any bytes, opened.

use std::collections::BTreeMap;

use bytes::Bytes;
use tongban_runtime::ports::{LocalLog as _, LocalTable, LocalWrite};
use tongban_types::GroupId;
use tongban_wal::{LogEntry, Wal};

use crate::disk::disk::{Lie, MemoryDisk};
use crate::disk::{TestWal, block_on, small};

/// Opens a log made of the turns of an input: each a file. What opens must open again as the same.
pub fn open_twice(input: &[u8]) {
    let files: BTreeMap<String, Vec<u8>> = crate::turns::turns(input)
        .map(|(tag, body)| (name_of(tag), body.to_vec()))
        .collect();
    let disk = MemoryDisk::new(files, 0, Lie::None);
    let Some(first) = open(&disk) else { return };
    let second = open(&disk).expect("what opened opens again");
    assert_eq!(first, second);
}

fn open(disk: &MemoryDisk) -> Option<crate::disk::model::Model> {
    block_on(async {
        let wal: TestWal = Wal::open(disk.clone(), small()).await.ok()?;
        let model = crate::disk::model::Model::of(&wal).expect("what opened can be read");
        wal.close().await.ok()?;
        Some(model)
    })
}

/// A log that holds a vote, two entries and a record of the node, as an input.
pub fn sample() -> Vec<u8> {
    let disk = MemoryDisk::new(BTreeMap::new(), 0, Lie::None);
    block_on(async {
        let wal: TestWal = Wal::open(disk.clone(), small())
            .await
            .expect("a new log opens");
        let group = crate::disk::group(0);
        let entry = |index| LogEntry {
            index,
            term: 1,
            bytes: Bytes::from_static(b"an entry"),
        };
        let record = LocalWrite {
            table: LocalTable::Desk,
            key: b"key".to_vec(),
            value: Some(b"value".to_vec()),
        };
        let vote = Bytes::from_static(b"a vote");
        wal.save_vote(group, vote).await.expect("it is written");
        let entries = vec![entry(1), entry(2)];
        let appended = wal.append(group, entries, Box::new(|_| ())).await;
        appended.expect("they are written");
        wal.write(vec![record]).await.expect("it is written");
        wal.close().await.expect("it is written");
    });
    let files = disk.files();
    let mut input = Vec::new();
    for tag in 0..=u8::MAX {
        if let Some(bytes) = files.get(&name_of(tag)) {
            crate::turns::add_turn(&mut input, tag, bytes);
        }
    }
    input
}

/// The checkpoint, or one of the first segments.
fn name_of(tag: u8) -> String {
    match tag {
        0 => "wal/checkpoint".to_owned(),
        number => format!("wal/{number:016}.log"),
    }
}

/// A snapshot file of any bytes, as a leader may send it.
pub fn read_snapshot(input: &[u8]) {
    let name = "snapshots/any".to_owned();
    let disk = MemoryDisk::new([(name.clone(), input.to_vec())].into(), 0, Lie::None);
    block_on(tongban_runtime::fuzzing::read_snapshot(
        &disk,
        &name,
        group(),
    ));
}

/// A small snapshot file of that group.
pub fn snapshot_sample() -> Vec<u8> {
    let disk = MemoryDisk::new(BTreeMap::new(), 0, Lie::None);
    let name = "snapshots/any";
    block_on(tongban_runtime::fuzzing::write_snapshot(
        &disk,
        name,
        group(),
    ));
    disk.files().remove(name).expect("it was written")
}

/// The group whose snapshots are read.
fn group() -> GroupId {
    GroupId(crate::registry().cities().next().expect("there are six").0)
}
