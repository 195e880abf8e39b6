//! The figures of a measurement, for people and for scripts.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::Intake;
use super::ceiling::Ceiling;
use super::load::Written;
use super::usage::Usage;
use crate::output::{Answer, Described, Reader, padded};

/// What was measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Figures {
    cases_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Processor time of all nodes a case; the generator is not in it.
    cpu_us_per_case: f64,
    /// Of that, of the node at whose desk cases are handed in.
    desk_cpu_us_per_case: f64,
    /// Of that, of the other voters' nodes.
    others_cpu_us_per_case: f64,
    /// Of that, of the threads that only put applied state down, on all nodes.
    state_cpu_us_per_case: f64,
    /// Bytes written to all logs and grown in all states, a case.
    bytes_per_case: f64,
    log_bytes_per_case: f64,
    state_bytes_per_case: f64,
    voters: usize,
    writers: usize,
    form_bytes: usize,
    seconds: u64,
    cases: usize,
    failures: u64,
    first_failure: Option<String>,
    leader: &'static str,
    generator_cpu_us_per_case: f64,
    cases_per_entry: f64,
    syncs_per_second: f64,
    sign_us: f64,
    verify_us: f64,
    /// Ceiling if every case were signed by itself.
    signature_ceiling_single: f64,
    /// Ceiling with batches of the size seen.
    signature_ceiling_batched: f64,
}

impl Figures {
    pub(super) fn of(
        intake: &Intake,
        written: Written,
        before: &Usage,
        after: &Usage,
        ceiling: &Ceiling,
        leader: &'static str,
    ) -> Self {
        let cases = written.latencies.len();
        let a_case = |used: u64| rounded(float(used) / count(cases));
        let seconds = float(intake.seconds.max(1));
        let entries = after.entries.saturating_sub(before.entries).max(1);
        let batch = (count(cases) / float(entries)).max(1.0);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let log_bytes = after.log_bytes.saturating_sub(before.log_bytes);
        let state_bytes = after.state_bytes.saturating_sub(before.state_bytes);
        // Cases are handed in at the first of them.
        let [desk_before, desk] = [before, after].map(|usage| usage.cpu_us_of.first());
        let desk = desk
            .zip(desk_before)
            .map_or(0, |(after, before)| after.saturating_sub(*before));
        let cpu = after.cpu_us.saturating_sub(before.cpu_us);
        let ceiling_of = |batch| {
            ceiling
                .cases_per_second(cores, intake.voters, batch)
                .round()
        };
        Self {
            cases_per_second: rounded(count(cases) / seconds),
            p50_ms: quantile_ms(&written.latencies, 0.50),
            p99_ms: quantile_ms(&written.latencies, 0.99),
            cpu_us_per_case: a_case(cpu),
            desk_cpu_us_per_case: a_case(desk),
            others_cpu_us_per_case: a_case(cpu.saturating_sub(desk)),
            state_cpu_us_per_case: a_case(after.state_cpu_us.saturating_sub(before.state_cpu_us)),
            bytes_per_case: a_case(log_bytes + state_bytes),
            log_bytes_per_case: a_case(log_bytes),
            state_bytes_per_case: a_case(state_bytes),
            voters: intake.voters,
            writers: intake.writers,
            form_bytes: intake.bytes,
            seconds: intake.seconds,
            cases,
            failures: written.failures,
            first_failure: written.first_failure,
            leader,
            generator_cpu_us_per_case: a_case(
                after
                    .generator_cpu_us
                    .saturating_sub(before.generator_cpu_us),
            ),
            cases_per_entry: rounded(batch),
            syncs_per_second: rounded(
                float(after.log_syncs.saturating_sub(before.log_syncs)) / seconds,
            ),
            sign_us: rounded(ceiling.sign),
            verify_us: rounded(ceiling.verify),
            signature_ceiling_single: ceiling_of(1.0),
            signature_ceiling_batched: ceiling_of(batch),
        }
    }
}

/// The same load with forms sealed, as nodes always do, and in the clear, one after the other.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Comparison {
    #[serde(flatten)]
    pub(super) sealed: Figures,
    pub(super) unsealed: Figures,
}

impl Comparison {
    /// Whether every request of both was answered as it should be.
    pub(super) const fn is_whole(&self) -> bool {
        self.sealed.failures == 0 && self.unsealed.failures == 0
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Comparison>("tongban bench intake");

impl Answer for Comparison {
    const SCHEMA: &'static str = "tongban.bench-intake/v1";

    fn to_text(&self, _: Reader) -> String {
        let rows = [("封存", &self.sealed), ("不封存", &self.unsealed)];
        let rows = rows.map(|(name, figures)| format!("{} {}", padded(name, 6), figures.row()));
        [
            vec![self.sealed.text(), "并列:".to_owned()],
            rows.to_vec(),
            self.unsealed.failed().into_iter().collect(),
        ]
        .concat()
        .join("\n")
    }
}

impl Figures {
    fn row(&self) -> String {
        format!(
            "每秒 {:.0} 件   p50 {:.1} ms   p99 {:.1} ms   每件 {:.0} µs, 落盘 {:.0} 字节",
            self.cases_per_second,
            self.p50_ms,
            self.p99_ms,
            self.cpu_us_per_case,
            self.bytes_per_case,
        )
    }

    fn failed(&self) -> Option<String> {
        let first = self.first_failure.as_deref().unwrap_or_default();
        (self.failures > 0).then(|| format!("未成 {} 次, 首次: {first}", self.failures))
    }

    fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "每秒 {:.0} 件   p50 {:.1} ms   p99 {:.1} ms   ({} 件, {} 秒, {} 个写入者, 表单 {} 字节, {} 个投票成员)",
                self.cases_per_second,
                self.p50_ms,
                self.p99_ms,
                self.cases,
                self.seconds,
                self.writers,
                self.form_bytes,
                self.voters,
            ),
            format!(
                "每件处理器时间 {:.0} µs (各节点合计; 发起端另 {:.0} µs)   每件落盘 {:.0} 字节 (各节点合计: 日志 {:.0}, 状态 {:.0})",
                self.cpu_us_per_case,
                self.generator_cpu_us_per_case,
                self.bytes_per_case,
                self.log_bytes_per_case,
                self.state_bytes_per_case,
            ),
            format!(
                "其中收件节点 {:.0} µs, 其余节点 {:.0} µs; 写状态的线程占 {:.0} µs",
                self.desk_cpu_us_per_case, self.others_cpu_us_per_case, self.state_cpu_us_per_case,
            ),
            format!(
                "每条日志 {:.1} 件, 每秒同步 {:.0} 次; 主副本在{}",
                self.cases_per_entry, self.syncs_per_second, self.leader,
            ),
            format!(
                "签名 {:.1} µs, 核验 {:.1} µs: 逐件签名上限每秒 {:.0} 件, 按此批量上限每秒 {:.0} 件",
                self.sign_us,
                self.verify_us,
                self.signature_ceiling_single,
                self.signature_ceiling_batched,
            ),
        ];
        lines.extend(self.failed());
        lines.join("\n")
    }
}

/// Counts of a measurement are far below 2^32.
pub(super) fn float(number: u64) -> f64 {
    u32::try_from(number).map_or_else(|_| large(number), f64::from)
}

/// Exact to the kilobyte, which is finer than any figure shown.
fn large(number: u64) -> f64 {
    u32::try_from(number >> 10).map_or(f64::MAX, |kilo| f64::from(kilo) * 1_024.0)
}

pub(super) fn count(number: usize) -> f64 {
    float(u64::try_from(number).unwrap_or(u64::MAX)).max(1.0)
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Of sorted durations.
pub(super) fn quantile_ms(sorted: &[Duration], share: f64) -> f64 {
    let place = (share * 1_000.0).round();
    let per_mille = (0..=1_000_u32)
        .find(|mille| f64::from(*mille) >= place)
        .unwrap_or(1_000);
    let last = sorted.len().saturating_sub(1);
    let index = last * usize::try_from(per_mille).unwrap_or(1_000) / 1_000;
    sorted
        .get(index)
        .map_or(0.0, |latency| rounded(latency.as_secs_f64() * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_latencies() {
        let sorted: Vec<Duration> = (1..=101).map(Duration::from_millis).collect();
        assert!((quantile_ms(&sorted, 0.50) - 51.0).abs() < 0.01);
        assert!((quantile_ms(&sorted, 0.99) - 100.0).abs() < 0.01);
        assert!(quantile_ms(&[], 0.5).abs() < 0.01);
    }

    #[test]
    fn both_runs_stand_side_by_side_and_a_failed_request_is_told() {
        let intake = Intake {
            voters: 3,
            writers: 1,
            bytes: 1_024,
            seconds: 1,
            keep: false,
        };
        let nothing = Usage {
            pids: Vec::new(),
            cpu_us: 0,
            cpu_us_of: vec![0, 0],
            state_cpu_us: 0,
            generator_cpu_us: 0,
            log_bytes: 0,
            log_syncs: 0,
            state_bytes: 0,
            entries: 0,
        };
        let used = Usage {
            cpu_us: 700,
            cpu_us_of: vec![400, 300],
            state_cpu_us: 100,
            entries: 1,
            ..nothing.clone()
        };
        let ceiling = Ceiling {
            sign: 20.0,
            verify: 40.0,
        };
        let figures = |failures| {
            let written = Written {
                latencies: vec![Duration::from_millis(3)],
                failures,
                first_failure: (failures > 0).then(|| "TB4003".to_owned()),
            };
            Figures::of(&intake, written, &nothing, &used, &ceiling, "福州市")
        };
        let whole = Comparison {
            sealed: figures(0),
            unsealed: figures(0),
        };
        assert!(whole.is_whole());
        let shown = whole.to_text(Reader::default());
        assert!(shown.contains("其中收件节点 400 µs, 其余节点 300 µs; 写状态的线程占 100 µs"));
        let json = serde_json::to_value(&whole).unwrap();
        for name in [
            "cases_per_second",
            "p50_ms",
            "p99_ms",
            "cpu_us_per_case",
            "bytes_per_case",
        ] {
            assert!(json[name].is_number() && json["unsealed"][name].is_number());
        }
        let failed = Comparison {
            unsealed: figures(2),
            ..whole
        };
        assert!(!failed.is_whole());
        let shown = failed.to_text(Reader::default());
        assert!(shown.contains("\n不封存 每秒 1 件"), "{shown}");
        assert!(shown.contains("未成 2 次, 首次: TB4003"), "{shown}");
    }

    #[test]
    fn large_counts_stay_close() {
        assert!((float(10_000_000_000) - 1e10).abs() < 1_024.0);
    }
}
