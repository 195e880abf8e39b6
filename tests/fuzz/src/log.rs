//! A log folder of any bytes, opened.

use std::collections::BTreeMap;

use tongban_wal::Wal;

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
    let registry = crate::registry();
    let group = tongban_types::GroupId(registry.cities().next().expect("there are six").0);
    block_on(tongban_runtime::fuzzing::read_snapshot(&disk, &name, group));
}
