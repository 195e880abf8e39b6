//! What these tests share beside what fuzz targets use too.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "bytes of tests only have to differ, and helpers of tests are tests"
)]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use tongban_runtime::ports::{LocalTable, LocalWrite};
use tongban_wal::{Completion, LogEntry, Wal};

use crate::common::disk::{Lie, MemoryDisk};
use crate::common::{TestWal, small};

pub(crate) fn disk() -> MemoryDisk {
    MemoryDisk::new(BTreeMap::new(), 1, Lie::None)
}

pub(crate) async fn open(disk: &MemoryDisk) -> TestWal {
    Wal::open(disk.clone(), small()).await.unwrap()
}

pub(crate) fn entry(index: u64, length: usize) -> LogEntry {
    LogEntry {
        index,
        term: 1,
        bytes: Bytes::from(vec![index as u8; length]),
    }
}

pub(crate) fn ignore() -> Completion {
    Box::new(|_| {})
}

/// Polls once and says whether it is still pending.
pub(crate) async fn is_pending(future: impl Future) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

pub(crate) fn put(key: &[u8], value: &[u8]) -> Vec<LocalWrite> {
    vec![LocalWrite {
        table: LocalTable::Desk,
        key: key.to_vec(),
        value: Some(value.to_vec()),
    }]
}

/// Drops the log and lets its writer end.
pub(crate) async fn close(wal: TestWal) {
    drop(wal);
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}
