//! What the log promises while it runs and when it is opened again, on a disk that keeps its word
//! or fails openly.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "bytes of tests only have to differ, and helpers of tests are tests"
)]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use crate::common::disk::{Lie, MemoryDisk};
use crate::common::{TestWal, block_on, group, small};
use bytes::Bytes;
use tongban_runtime::ports::{LocalLog, LocalTable, LocalWrite, LogFailed};
use tongban_wal::{Completion, LogEntry, Wal, WalConfig, has_log};

fn disk() -> MemoryDisk {
    MemoryDisk::new(BTreeMap::new(), 1, Lie::None)
}

async fn open(disk: &MemoryDisk) -> TestWal {
    Wal::open(disk.clone(), small()).await.unwrap()
}

fn entry(index: u64, length: usize) -> LogEntry {
    LogEntry {
        index,
        term: 1,
        bytes: Bytes::from(vec![index as u8; length]),
    }
}

fn ignore() -> Completion {
    Box::new(|_| {})
}

fn put(key: &[u8], value: &[u8]) -> Vec<LocalWrite> {
    vec![LocalWrite {
        table: LocalTable::Desk,
        key: key.to_vec(),
        value: Some(value.to_vec()),
    }]
}

/// Drops the log and lets its writer end.
async fn close(wal: TestWal) {
    drop(wal);
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Polls once and says whether it is still pending.
async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

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
fn after_an_error_of_the_disk_nothing_is_acknowledged_any_more() {
    for changes in 0..12 {
        block_on(async {
            let disk = disk();
            let wal = open(&disk).await;
            let acked = Arc::new(Mutex::new(Vec::new()));
            disk.fail_after(changes);
            for index in 1..=20 {
                let acked = Arc::clone(&acked);
                let note: Completion =
                    Box::new(move |outcome| acked.lock().unwrap().push(outcome.is_ok()));
                let _refused = wal.append(group(0), vec![entry(index, 300)], note).await;
            }
            assert!(wal.flush().await.is_err());
            assert!(wal.save_vote(group(0), Bytes::new()).await.is_err());
            assert!(wal.write(put(b"a", b"b")).await.is_err());
            assert!(wal.save_committed(group(0), Bytes::new()).is_err());
            assert!(wal.failed().is_some());
            let acked = acked.lock().unwrap().clone();
            assert_eq!(acked.len(), 20, "every completion is called once");
            assert!(
                acked.is_sorted_by(|before, after| before >= after),
                "{acked:?}"
            );
        });
    }
}

#[test]
fn a_writer_that_is_killed_leaves_nobody_waiting() {
    let outcome = Arc::new(Mutex::new(None));
    let note = Arc::clone(&outcome);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let wal = runtime.block_on(async {
        let wal = open(&disk()).await;
        let done: Completion = Box::new(move |outcome| *note.lock().unwrap() = Some(outcome));
        wal.append(group(0), vec![entry(1, 10)], done)
            .await
            .unwrap();
        wal
    });
    drop(runtime);
    assert!(matches!(
        *outcome.lock().unwrap(),
        Some(Err(LogFailed { .. }))
    ));
    assert!(wal.failed().is_some());
}

#[test]
fn entries_that_do_not_follow_are_refused_and_change_nothing() {
    block_on(async {
        let wal = open(&disk()).await;
        wal.append(group(0), vec![entry(1, 9), entry(2, 9)], ignore())
            .await
            .unwrap();
        for index in [1, 2, 4] {
            assert!(
                wal.append(group(0), vec![entry(index, 9)], ignore())
                    .await
                    .is_err()
            );
        }
        let gap = vec![entry(3, 9), entry(5, 9)];
        assert!(wal.append(group(0), gap, ignore()).await.is_err());
        assert_eq!(wal.last(group(0)), Some((2, 1)));
        wal.append(group(0), vec![entry(3, 9)], ignore())
            .await
            .unwrap();
        wal.flush().await.unwrap();
    });
}

#[test]
fn entries_are_read_whole_from_memory_and_from_disk() {
    block_on(async {
        let wal = open(&disk()).await;
        for index in 1..=40 {
            wal.append(group(0), vec![entry(index, 100)], ignore())
                .await
                .unwrap();
        }
        wal.flush().await.unwrap();
        let all = wal.entries(group(0), .., u64::MAX).unwrap();
        assert_eq!(
            all,
            (1..=40).map(|index| entry(index, 100)).collect::<Vec<_>>()
        );
        let metrics = wal.metrics();
        assert!(
            metrics.cache_hits > 0 && metrics.cache_misses > 0,
            "{metrics:?}"
        );
        let indexes = |found: Vec<LogEntry>| found.iter().map(|one| one.index).collect::<Vec<_>>();
        assert_eq!(indexes(wal.entries(group(0), 5..9, 250).unwrap()), [5, 6]);
        assert_eq!(indexes(wal.entries(group(0), 5..9, 0).unwrap()), [5]);
        assert_eq!(
            indexes(wal.entries(group(0), 39..=60, 999).unwrap()),
            [39, 40]
        );
        assert!(wal.entries(group(1), .., 999).unwrap().is_empty());
    });
}

#[test]
fn an_entry_damaged_on_disk_is_an_error_and_never_other_bytes() {
    block_on(async {
        let disk = disk();
        let wal = open(&disk).await;
        for index in 1..=20 {
            wal.append(group(0), vec![entry(index, 100)], ignore())
                .await
                .unwrap();
        }
        wal.flush().await.unwrap();
        disk.corrupt("wal/0000000000000001.log", |bytes| bytes[600] ^= 1);
        let error = wal.entries(group(0), .., u64::MAX).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        assert_eq!(wal.entries(group(0), 5.., u64::MAX).unwrap().len(), 16);
    });
}

#[test]
fn local_records_are_visible_once_durable_and_not_before() {
    block_on(async {
        let disk = disk();
        let wal = open(&disk).await;
        let mut write = pin!(wal.write(put(b"key", b"value")));
        let steps = disk.steps();
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            let poll = write.as_mut().poll(context);
            if poll.is_pending() && disk.steps() <= steps + 1 {
                assert_eq!(wal.get(LocalTable::Desk, b"key"), None);
            }
            poll
        })
        .await
        .unwrap();
        assert!(polls > 1);
        assert_eq!(wal.get(LocalTable::Desk, b"key"), Some(b"value".to_vec()));
        wal.write(put(b"kez", b"2")).await.unwrap();
        assert_eq!(
            wal.scan(LocalTable::Desk, b"kez", 9),
            [(b"kez".to_vec(), b"2".to_vec())]
        );
        assert_eq!(wal.scan(LocalTable::Desk, b"", 1).len(), 1);
        assert!(wal.write(put(&[0; 257], b"")).await.is_err());
        assert!(wal.write(put(b"large", &vec![0; 9 << 20])).await.is_err());
        assert!(wal.failed().is_none());
    });
}

#[test]
fn a_closed_log_holds_everything_that_was_queued() {
    block_on(async {
        let disk = disk();
        assert_eq!(has_log(&disk).ok(), Some(false));
        let wal = open(&disk).await;
        wal.append(group(0), vec![entry(1, 50), entry(2, 50)], ignore())
            .await
            .unwrap();
        wal.save_committed(group(0), Bytes::from_static(b"one"))
            .unwrap();
        wal.save_committed(group(0), Bytes::from_static(b"two"))
            .unwrap();
        assert_eq!(wal.committed(group(0)), Some(Bytes::from_static(b"two")));
        close(wal).await;
        assert_eq!(has_log(&disk).ok(), Some(true));
        let wal = open(&disk).await;
        assert_eq!(wal.last(group(0)), Some((2, 1)));
        assert_eq!(wal.term_of(group(0), 1), Some(1));
        assert_eq!(wal.committed(group(0)), Some(Bytes::from_static(b"two")));
    });
}

#[test]
fn a_log_is_closed_whoever_still_holds_it_and_takes_no_more_writes() {
    block_on(async {
        let disk = disk();
        let wal = open(&disk).await;
        let held = wal.clone();
        wal.append(group(0), vec![entry(1, 50)], ignore())
            .await
            .unwrap();
        wal.close().await.unwrap();
        wal.close().await.unwrap();
        assert!(held.flush().await.is_err());
        assert!(
            held.append(group(0), vec![entry(2, 50)], ignore())
                .await
                .is_err()
        );
        let wal = open(&disk).await;
        assert_eq!(wal.last(group(0)), Some((1, 1)));
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
fn a_record_larger_than_a_segment_gets_a_segment_of_its_own() {
    block_on(async {
        let disk = disk();
        let wal = open(&disk).await;
        wal.append(group(0), vec![entry(1, 50_000), entry(2, 10)], ignore())
            .await
            .unwrap();
        wal.flush().await.unwrap();
        close(wal).await;
        let wal = open(&disk).await;
        let read = wal.entries(group(0), .., u64::MAX).unwrap();
        assert_eq!(read, [entry(1, 50_000), entry(2, 10)]);
        let too_large = vec![entry(3, 17 << 20)];
        assert!(wal.append(group(0), too_large, ignore()).await.is_err());
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

#[test]
fn a_log_that_fails_while_it_is_tidied_ends_and_is_not_called_closed() {
    let mut failed_while_tidied = 0;
    for changes in 0..16 {
        block_on(async {
            let disk = disk();
            let wal = open(&disk).await;
            for index in 1..=40 {
                wal.append(group(0), vec![entry(index, 300)], ignore())
                    .await
                    .unwrap();
            }
            wal.flush().await.unwrap();
            wal.purge(group(0), 40, Bytes::new()).await.unwrap();
            wal.flush().await.unwrap();
            disk.fail_after(changes);
            // Waits in the queue for company: no reason to write once the log has failed.
            let _failed_before = wal.save_committed(group(0), Bytes::from_static(b"mark"));
            for _ in 0..256 {
                tokio::task::yield_now().await;
            }
            let failed = wal.failed().is_some();
            failed_while_tidied += usize::from(failed);
            if failed {
                assert!(wal.close().await.is_err());
            }
        });
    }
    assert!(failed_while_tidied > 1, "nothing was tidied");
}

#[test]
fn a_log_is_tidied_on_after_a_panic_in_tidying() {
    block_on(async {
        let disk = disk();
        let wal = open(&disk).await;
        disk.panic_once();
        for index in 1..=200 {
            wal.append(group(0), vec![entry(index, 300)], ignore())
                .await
                .unwrap();
            wal.purge(group(0), index, Bytes::new()).await.unwrap();
            wal.flush().await.unwrap();
        }
        for _ in 0..256 {
            tokio::task::yield_now().await;
        }
        assert!(disk.has_panicked(), "nothing was tidied");
        assert!(wal.metrics().segments_removed > 1, "{:?}", wal.metrics());
    });
}
