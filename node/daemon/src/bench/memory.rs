//! What a process takes of memory, as Linux counts it (proc(5)): resident now, and at the most.

use anyhow::Context as _;

/// KiB that a process takes now.
pub(super) fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmRSS:")
}

/// From now on the peak of a process is counted anew.
pub(super) fn begin_peak(pid: u32) -> anyhow::Result<()> {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").context("counting a peak anew")
}

/// KiB that a process took at the most since its peak is counted.
pub(super) fn peak_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmHWM:")
}

fn status_kib(pid: u32, name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.context("a process is gone")?;
    kib_in(&status, name).with_context(|| format!("the status of a process has no {name}"))
}

fn kib_in(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_by_the_whole_name_of_its_line() {
        let status = "VmPeak:\t  900 kB\nVmHWM:\t  700 kB\nVmRSS:\t  512 kB\nThreads:\t4\n";
        assert_eq!(kib_in(status, "VmHWM:"), Some(700));
        assert_eq!(kib_in(status, "VmRSS:"), Some(512));
        assert_eq!(kib_in(status, "Threads:"), None);
        assert_eq!(kib_in(status, "VmSwap:"), None);
    }

    #[test]
    fn a_peak_is_never_below_what_is_taken_now() {
        let me = std::process::id();
        begin_peak(me).unwrap();
        let now = resident_kib(me).unwrap();
        assert!(now > 0 && peak_kib(me).unwrap() > 0);
        assert!(resident_kib(u32::MAX).is_err());
    }
}
