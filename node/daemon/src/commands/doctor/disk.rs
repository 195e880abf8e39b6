//! The disk: room, and how long it takes to be sure of a write. And how many files a process may open.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};

use super::Finding;

/// Below the first the log of a busy day does not fit; below the second nothing does.
const FREE_WARNING: u64 = 2 << 30;
const FREE_FAILURE: u64 = 256 << 20;

/// Every order waits for a write to be sure. A good disk takes 1 ms, a bad one 50.
const SYNC_WARNING: Duration = Duration::from_millis(50);
const SYNC_FAILURE: Duration = Duration::from_millis(500);

/// Writes that are measured; the one in the middle counts.
const SYNCS: usize = 5;

/// Connections of clerks and peers, and files of log and state.
const FILES_MIN: u64 = 4_096;

pub(super) fn examine(data: &Path) -> Vec<Finding> {
    let room = match free_space(data) {
        Ok((free, total)) => {
            let (left, all) = (free >> 20, total >> 20);
            let seen = (
                format!("剩余 {left} MiB, 共 {all} MiB"),
                format!("{left} of {all} MiB are free"),
            );
            let cure = format!("df -h {}", data.display());
            if free < FREE_FAILURE {
                Finding::failure("disk-space", seen, cure)
            } else if free < FREE_WARNING {
                Finding::warning("disk-space", seen, cure)
            } else {
                Finding::success("disk-space", seen)
            }
        }
        Err(error) => Finding::skipped("disk-space", error.to_string()),
    };
    let sync = match sync_latency(data) {
        Ok(took) => {
            let ms = took.as_secs_f64() * 1e3;
            let seen = (format!("落盘 {ms:.1} ms"), format!("{ms:.1} ms a sync"));
            let cure = "tongban bench intake";
            if took > SYNC_FAILURE {
                Finding::failure("disk-sync", seen, cure)
            } else if took > SYNC_WARNING {
                Finding::warning("disk-sync", seen, cure)
            } else {
                Finding::success("disk-sync", seen)
            }
        }
        Err(error) => Finding::skipped("disk-sync", error.to_string()),
    };
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let seen = (
        format!("可打开 {most} 个文件"),
        format!("{most} files may be open"),
    );
    let files = if most < FILES_MIN {
        Finding::warning("file-limit", seen, format!("ulimit -n {FILES_MIN}"))
    } else {
        Finding::success("file-limit", seen)
    };
    vec![room, sync, files]
}

/// Bytes free for this user, and all there are.
pub(crate) fn free_space(folder: &Path) -> io::Result<(u64, u64)> {
    let about = rustix::fs::statvfs(folder)?;
    Ok((
        about.f_bavail * about.f_frsize,
        about.f_blocks * about.f_frsize,
    ))
}

/// How long a small write takes until the disk has it.
fn sync_latency(folder: &Path) -> io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut took = Vec::new();
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    Ok(took[SYNCS / 2])
}
