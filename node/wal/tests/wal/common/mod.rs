//! A disk in memory that keeps a journal of what was done to it, and the images that a power cut
//! may leave of it.

#![expect(
    unreachable_pub,
    reason = "the fuzz targets take what they need of this module too"
)]

pub mod disk;
pub mod image;
pub mod model;
pub mod random;
pub mod run;

use std::future::Future;

use openraft_rt_tokio::TokioRuntime;
use tongban_types::{CityCode, GroupId};
use tongban_wal::{Wal, WalConfig};

use std::time::Duration;

use disk::MemoryDisk;

/// The log under test.
pub type TestWal = Wal<TokioRuntime, MemoryDisk>;

/// Segments of a few kilobytes, so that a short run has many, and a small cache, so that reads
/// come from the disk.
pub fn small() -> WalConfig {
    WalConfig {
        segment_bytes: 4096,
        cache_bytes: 1024,
        queue_bytes: 4096,
        queue_records: 24,
        batch_bytes: 1024,
        batch_records: 6,
        crowd_records: 2,
        // There is no time on the one thread.
        crowd_time: Duration::ZERO,
    }
}

/// Runs a future, and what it spawned meanwhile, on one thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers always builds")
        .block_on(future)
}

/// One of two groups.
pub fn group(number: u32) -> GroupId {
    let code = [350_100, 610_500][number as usize % 2];
    GroupId(CityCode::new(code).expect("both are cities"))
}
