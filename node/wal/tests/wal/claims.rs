//! What the log promises while it runs and when it is opened again, on a disk that keeps its word
//! or fails openly.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tongban_runtime::ports::{LocalLog, LocalTable, LogFailed};
use tongban_wal::{Completion, LogEntry, has_log};

use crate::common::{block_on, group};
use crate::support::{close, disk, entry, ignore, open, put};

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
