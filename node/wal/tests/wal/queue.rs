//! What waits for the log: what shares a sync, in which order it is answered, and who waits for room.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tongban_runtime::ports::{LocalLog, LocalTable};
use tongban_wal::{Completion, LogEntry, Wal, WalConfig};

use crate::common::disk::{Lie, MemoryDisk};
use crate::common::{TestWal, block_on, group};
use crate::support::{disk, entry, ignore, is_pending, open, put};

#[test]
fn what_waits_together_is_synced_together() {
    block_on(async {
        let config = WalConfig::default();
        let wal: TestWal = Wal::open(disk(), config).await.unwrap();
        for index in 1..=100 {
            wal.append(group(0), vec![entry(index, 256)], ignore())
                .await
                .unwrap();
        }
        wal.flush().await.unwrap();
        assert_eq!(wal.metrics().records, 100);
        assert!(wal.metrics().syncs <= 2, "{:?}", wal.metrics());
    });
}

/// Runs a future on one thread, with a time that passes while nothing else happens.
fn paused<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without drivers always builds")
        .block_on(future)
}

/// How many syncs it takes where one is on its way, a crowd comes meanwhile, and another one soon after that.
fn syncs_of_a_crowd(callers: u64, crowd_time: Duration) -> u64 {
    paused(async {
        let config = WalConfig {
            crowd_time,
            ..WalConfig::default()
        };
        let wal: TestWal = Wal::open(disk(), config).await.unwrap();
        let before = wal.metrics().syncs;
        let append = async |indexes: RangeInclusive<u64>| {
            for index in indexes {
                let entries = vec![entry(index, 64)];
                wal.append(group(0), entries, ignore()).await.unwrap();
            }
        };
        append(1..=1).await;
        tokio::task::yield_now().await;
        append(2..=1 + callers).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        append(2 + callers..=1 + 2 * callers).await;
        wal.flush().await.unwrap();
        assert_eq!(wal.last(group(0)).unwrap().0, 1 + 2 * callers);
        wal.metrics().syncs - before
    })
}

#[test]
fn what_comes_soon_after_a_crowd_shares_its_sync_and_nobody_waits_for_a_few() {
    let moment = Duration::from_millis(5);
    let (few, crowd) = (7, WalConfig::default().crowd_records as u64);
    assert_eq!(syncs_of_a_crowd(crowd, moment), 2);
    assert_eq!(syncs_of_a_crowd(crowd, Duration::ZERO), 3);
    assert_eq!(syncs_of_a_crowd(few, moment), 3);
}

#[test]
fn completions_come_in_the_order_of_the_log() {
    block_on(async {
        let wal = open(&disk()).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        for index in 1..=50 {
            let order = Arc::clone(&order);
            let note: Completion = Box::new(move |outcome| {
                outcome.unwrap();
                order.lock().unwrap().push(index);
            });
            let entries = if index % 7 == 0 {
                vec![]
            } else {
                vec![entry(index, 90)]
            };
            let number = u32::try_from(index).unwrap();
            let id = group(number);
            let next = wal.last(id).map_or(1, |(last, _)| last + 1);
            let entries = entries
                .into_iter()
                .map(|one| LogEntry { index: next, ..one });
            wal.append(id, entries.collect(), note).await.unwrap();
        }
        wal.flush().await.unwrap();
        assert_eq!(*order.lock().unwrap(), (1..=50).collect::<Vec<_>>());
    });
}

#[test]
fn a_full_queue_makes_callers_wait_and_lets_them_on() {
    block_on(async {
        let wal = open(&disk()).await;
        let mut index = 0;
        let waited = loop {
            index += 1;
            let entries = vec![entry(index, 400)];
            if is_pending(wal.append(group(0), entries, ignore())).await {
                break index;
            }
            assert!(index < 100, "the queue takes no end of entries");
        };
        // The append that had to wait was dropped and added nothing.
        assert_eq!(wal.last(group(0)), Some((waited - 1, 1)));
        wal.append(group(0), vec![entry(waited, 400)], ignore())
            .await
            .unwrap();
        wal.flush().await.unwrap();
        assert_eq!(wal.last(group(0)), Some((waited, 1)));
    });
}

#[test]
fn a_committed_mark_alone_is_not_worth_a_sync() {
    block_on(async {
        let wal = open(&disk()).await;
        wal.save_vote(group(0), Bytes::from_static(b"vote"))
            .await
            .unwrap();
        let before = wal.metrics();
        wal.save_committed(group(0), Bytes::from_static(b"mark"))
            .unwrap();
        for _ in 0..32 {
            tokio::task::yield_now().await;
        }
        assert_eq!(wal.metrics(), before);
    });
}

#[test]
fn the_newest_committed_mark_is_durable_with_what_is_written_after_it() {
    block_on(async {
        let disk = disk();
        let wal = open(&disk).await;
        wal.append(group(0), vec![entry(1, 50), entry(2, 50)], ignore())
            .await
            .unwrap();
        wal.flush().await.unwrap();
        for mark in [&b"one"[..], b"two"] {
            wal.save_committed(group(0), Bytes::from_static(mark))
                .unwrap();
        }
        wal.write(put(b"key", b"rests on the second"))
            .await
            .unwrap();
        // The power goes now: the log is opened from what the disk holds.
        let after = MemoryDisk::new(disk.files(), 1, Lie::None);
        let wal = open(&after).await;
        assert!(wal.get(LocalTable::Desk, b"key").is_some());
        assert_eq!(wal.committed(group(0)), Some(Bytes::from_static(b"two")));
    });
}
