//! The machine under the node: its processor time, memory and descriptors under the names every
//! Prometheus client uses, the disk its data is on, and its last backup.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use rustix::fs::statvfs;

use super::page::{Page, signed};
use crate::node_process::BACKUP_STAMP;

/// Ticks of `/proc/self/stat` in a second: fixed in Linux' interface to user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// What proc(5) tells of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Usage {
    cpu_seconds: f64,
    resident_bytes: u64,
    descriptors: u64,
    /// Seconds since the epoch.
    started: f64,
}

impl Page<'_> {
    pub(super) fn machine(&mut self, data: &Path) -> fmt::Result {
        if let Some(usage) = usage() {
            let help = "User and system processor time of this process";
            self.seconds_counted("process_cpu_seconds", help, usage.cpu_seconds)?;
            let help = "When this process began, in seconds since the epoch";
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a time of this century, whole seconds are enough"
            )]
            self.gauge("process_start_time_seconds", help, usage.started as i64)?;
            let help = "Resident memory of this process";
            self.gauge(
                "process_resident_memory_bytes",
                help,
                signed(usage.resident_bytes),
            )?;
            let help = "Descriptors this process holds";
            self.gauge("process_open_fds", help, signed(usage.descriptors))?;
        }
        if let Some(most) = descriptors_max() {
            let help = "Descriptors this process may hold";
            self.gauge("process_max_fds", help, signed(most))?;
        }
        if let Ok(disk) = statvfs(data) {
            let help = "Free bytes of the disk the data is on";
            let free = signed(disk.f_bavail.saturating_mul(disk.f_frsize));
            self.gauge("tongban_disk_free_bytes", help, free)?;
            let help = "Size of the disk the data is on";
            let size = signed(disk.f_blocks.saturating_mul(disk.f_frsize));
            self.gauge("tongban_disk_size_bytes", help, size)?;
        }
        self.gauge(
            "tongban_backup_last_timestamp_seconds",
            "When this node was last backed up, whole or its case keys alone; 0 if never",
            last_backup(data),
        )
    }
}

fn last_backup(data: &Path) -> i64 {
    let stamp = fs::metadata(data.join(BACKUP_STAMP)).and_then(|stamp| stamp.modified());
    let since = stamp.ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| signed(since.as_secs()))
}

fn usage() -> Option<Usage> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let descriptors = fs::read_dir("/proc/self/fd").ok()?.count();
    // The name in parentheses may hold blanks; after it the third field follows (proc(5)).
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    let cpu_seconds = (ticks()? + ticks()?) / TICKS_PER_SECOND;
    let since_boot = fields.nth(6)?.parse::<f64>().ok()? / TICKS_PER_SECOND;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(Usage {
        cpu_seconds,
        resident_bytes: kib * 1024,
        // The listing holds one of its own.
        descriptors: descriptors.saturating_sub(1) as u64,
        started: booted()? + since_boot,
    })
}

/// When the machine did, in seconds since the epoch.
fn booted() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

fn descriptors_max() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_descriptors_within_its_limit() {
        let usage = usage().unwrap();
        assert!(usage.resident_bytes > 1 << 20, "{usage:?}");
        assert!(usage.cpu_seconds >= 0.0, "{usage:?}");
        let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        let age = now.unwrap().as_secs_f64() - usage.started;
        assert!(
            (-2.0..3600.0).contains(&age),
            "{age}: tests end within an hour"
        );
        assert!((3..=descriptors_max().unwrap()).contains(&usage.descriptors));
    }

    #[test]
    fn a_backup_is_dated_by_its_stamp_and_none_is_zero() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(last_backup(folder.path()), 0);
        fs::write(folder.path().join(BACKUP_STAMP), "").unwrap();
        assert!(last_backup(folder.path()) > 1_700_000_000);
    }
}
