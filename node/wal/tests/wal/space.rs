//! The folder stays as large as what is needed, however long the log runs.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "bytes of tests only have to differ, and helpers of tests are tests"
)]

use std::collections::BTreeMap;

use crate::common::disk::{Lie, MemoryDisk};
use crate::common::{TestWal, block_on, group, small};
use bytes::Bytes;
use tongban_runtime::ports::{LocalLog, LocalTable, LocalWrite};
use tongban_wal::{LogEntry, Wal};

fn entries(first: u64, count: u64) -> Vec<LogEntry> {
    let entry = |index| LogEntry {
        index,
        term: 1,
        bytes: Bytes::from(vec![index as u8; 200]),
    };
    (first..first + count).map(entry).collect()
}

async fn append(wal: &TestWal, number: u32, first: u64, count: u64) {
    let entries = entries(first, count);
    wal.append(group(number), entries, Box::new(|_| {}))
        .await
        .unwrap();
}

#[test]
fn endless_appends_and_purges_do_not_let_the_folder_grow() {
    block_on(async {
        let disk = MemoryDisk::new(BTreeMap::new(), 3, Lie::None);
        let wal: TestWal = Wal::open(disk.clone(), small()).await.unwrap();
        // A quiet group whose entries nobody purges, and a desk that is used over and over.
        append(&wal, 1, 1, 10).await;
        let mut largest = 0;
        for round in 0..400 {
            append(&wal, 0, 1 + round * 10, 10).await;
            let upto = (1 + round * 10).saturating_sub(10);
            if upto > 0 {
                wal.purge(group(0), upto, Bytes::from_static(b"meta"))
                    .await
                    .unwrap();
            }
            let write = LocalWrite {
                table: LocalTable::Desk,
                key: vec![(round % 20) as u8],
                value: Some(vec![round as u8; 100]),
            };
            wal.write(vec![write]).await.unwrap();
            largest = largest.max(disk.bytes());
        }
        // 4,000 entries of 200 bytes went through; some 30 were needed at a time.
        let metrics = wal.metrics();
        assert!(
            metrics.segments_begun > 150 && metrics.entries_moved >= 10,
            "{metrics:?}"
        );
        assert!(largest <= 16 * 4096, "{largest} bytes, {metrics:?}");
        // Nothing that is needed went with the rest.
        drop(wal);
        let wal: TestWal = Wal::open(disk.clone(), small()).await.unwrap();
        assert_eq!(wal.entries(group(1), .., u64::MAX).unwrap(), entries(1, 10));
        assert_eq!(wal.purged(group(0)), Some((3981, b"meta".to_vec())));
        assert_eq!(wal.last(group(0)), Some((4000, 1)));
        assert_eq!(wal.scan(LocalTable::Desk, &[], 99).len(), 20);
    });
}

#[test]
fn a_large_vault_is_not_written_again_for_every_segment_that_goes() {
    block_on(async {
        let disk = MemoryDisk::new(BTreeMap::new(), 4, Lie::None);
        let wal: TestWal = Wal::open(disk.clone(), small()).await.unwrap();
        for key in 0..200_u8 {
            let write = LocalWrite {
                table: LocalTable::Vault,
                key: vec![key],
                value: Some(vec![key; 200]),
            };
            wal.write(vec![write]).await.unwrap();
        }
        for round in 0..300 {
            append(&wal, 0, 1 + round * 10, 10).await;
            wal.purge(group(0), 10 + round * 10, Bytes::new())
                .await
                .unwrap();
            wal.flush().await.unwrap();
        }
        let metrics = wal.metrics();
        // 40 KB of vault over segments of 4 KB: at least ten segments come free for each.
        assert!(metrics.checkpoints >= 3, "{metrics:?}");
        assert!(
            metrics.checkpoints * 8 <= metrics.segments_begun,
            "{metrics:?}"
        );
    });
}
