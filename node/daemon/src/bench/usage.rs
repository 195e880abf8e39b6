//! What the processes have used so far: processor time, bytes written, log entries.

use std::path::Path;

use anyhow::Context as _;
use tongban_types::Role;

use crate::http_client::HttpClient;
use crate::staging::Federation;

/// Ticks of `/proc/<pid>/stat` in a second: fixed in Linux' interface to user space.
const TICKS_PER_SECOND: u64 = 100;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Starts of the names of threads that only put applied state down: the store's own and the engine's.
const STATE_THREADS: [&str; 2] = ["store-", "sled-"];

/// Readings over all processes at one moment.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// The processes.
    pub(super) pids: Vec<u32>,
    /// Processor time of the nodes, user and system, in microseconds.
    pub(super) cpu_us: u64,
    /// Of that, the time of each process, in their order.
    pub(super) cpu_us_of: Vec<u64>,
    /// Of that, the time of the threads that only put applied state down.
    pub(super) state_cpu_us: u64,
    /// Processor time of the generator.
    pub(super) generator_cpu_us: u64,
    /// Bytes written to the logs.
    pub(super) log_bytes: u64,
    /// Syncs of the logs.
    pub(super) log_syncs: u64,
    /// Bytes of applied state and snapshots.
    pub(super) state_bytes: u64,
    /// Entries applied by the measured group.
    pub(super) entries: u64,
}

impl Usage {
    /// Reads all processes; `measured` is the place of the measured group.
    pub(super) async fn read(federation: &Federation, measured: usize) -> anyhow::Result<Self> {
        let pids = federation.pids();
        let mut usage = Self {
            cpu_us: 0,
            cpu_us_of: Vec::new(),
            state_cpu_us: 0,
            generator_cpu_us: cpu_us(std::process::id())?,
            log_bytes: 0,
            log_syncs: 0,
            state_bytes: 0,
            entries: 0,
            pids,
        };
        for pid in &usage.pids {
            usage.cpu_us_of.push(cpu_us(*pid)?);
            usage.state_cpu_us += threads_cpu_us(*pid, &STATE_THREADS)?;
        }
        usage.cpu_us = usage.cpu_us_of.iter().sum();
        for place in 0..federation.layout.sites.len() {
            let site = federation.site(place);
            for folder in ["state", "snapshots"] {
                usage.state_bytes += folder_bytes(&site.data.join(folder))?;
            }
            let text = metrics(federation, place).await?;
            usage.log_bytes += sample(&text, "tongban_log_written_bytes_total")?;
            usage.log_syncs += sample(&text, "tongban_log_syncs_total")?;
            if place == measured {
                let group = federation.city(measured).code;
                let name = format!("tongban_group_applied_index{{group=\"{group}\"}}");
                usage.entries = sample(&text, &name)?;
            }
        }
        Ok(usage)
    }
}

/// The metrics of a node, as it tells them.
pub(super) async fn metrics(federation: &Federation, place: usize) -> anyhow::Result<String> {
    let site = federation.site(place);
    let token = federation.token(place, Role::Operator, "bench-meter");
    let token = token.map_err(|failure| failure.cause)?;
    let text = HttpClient::new(site.http, site.trust(), Some(&token), PATIENCE)
        .get("/metrics")
        .await?;
    Ok(String::from_utf8_lossy(&text.body).into_owned())
}

/// A count as the metrics say it: gauges are written as `178.0`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole, never below zero and far below 2^53"
)]
pub(super) fn sample(text: &str, name: &str) -> anyhow::Result<u64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.with_context(|| format!("the metrics have no {name}"))?;
    let count: f64 = value
        .trim()
        .parse()
        .with_context(|| format!("{name} is {value}"))?;
    anyhow::ensure!(count >= 0.0 && count.fract() == 0.0, "{name} is {value}");
    Ok(count as u64)
}

/// User and system time of a process (proc(5), fields 14 and 15).
fn cpu_us(pid: u32) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("a process is gone")?;
    ticks_of(&stat).map(|ticks| ticks * 1_000_000 / TICKS_PER_SECOND)
}

/// Time of the threads of a process whose names begin so.
fn threads_cpu_us(pid: u32, names: &[&str]) -> anyhow::Result<u64> {
    let mut used = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).context("a process is gone")? {
        // A thread may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(thread?.path().join("stat")) else {
            continue;
        };
        let name = stat.split_once('(').map_or("", |(_, name)| name);
        if names.iter().any(|start| name.starts_with(start)) {
            used += ticks_of(&stat)? * 1_000_000 / TICKS_PER_SECOND;
        }
    }
    Ok(used)
}

fn ticks_of(stat: &str) -> anyhow::Result<u64> {
    // The name in parentheses may hold blanks and parentheses; after it the third field follows.
    let (_, rest) = stat.rsplit_once(')').context("stat names its process")?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|ticks| ticks.parse::<u64>().ok());
    Ok(next().context("utime")? + next().context("stime")?)
}

fn folder_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // A snapshot may be replaced while it is looked at, and a file of pages removed.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        bytes += if metadata.is_dir() {
            folder_bytes(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_an_awkward_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20 0 1";
        assert_eq!(ticks_of(stat).unwrap(), 42);
        assert!(cpu_us(std::process::id()).is_ok());
        assert!(ticks_of("nothing").is_err());
    }

    #[test]
    fn the_time_of_threads_is_told_by_their_names() {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let busy = std::thread::Builder::new().name("bench-busy".to_owned());
        let busy = busy.spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                std::hint::black_box(0);
            }
        });
        let me = std::process::id();
        let begun = std::time::Instant::now();
        while threads_cpu_us(me, &["bench-b"]).unwrap() == 0 {
            assert!(begun.elapsed() < PATIENCE, "a busy thread uses time");
        }
        assert_eq!(threads_cpu_us(me, &["no-such"]).unwrap(), 0);
        drop(stop);
        busy.unwrap().join().unwrap();
    }

    #[test]
    fn a_sample_is_found_by_its_whole_name() {
        let text = "a_total 1\na_total_more 2\ng{group=\"350100\"} 9\n";
        assert_eq!(sample(text, "a_total").unwrap(), 1);
        assert_eq!(sample(text, "g{group=\"350100\"}").unwrap(), 9);
        assert!(sample(text, "b").is_err());
    }
}
