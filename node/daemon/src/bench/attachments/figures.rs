//! The figures of files carried from city to city, for people and for scripts.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::bench::figures::{float, rounded};
use crate::output::{Answer, Described, Reader};

/// How long a file took each way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// From node to node, verified and durable at its end.
    pub(super) nodes: Duration,
    /// By rsync, durable some time later.
    pub(super) rsync: Duration,
    /// By rsync, durable at its end.
    pub(super) rsync_durable: Duration,
}

/// All sizes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CarriedFigures {
    /// Files of each size, each a file of its own, sent every way in turn.
    pub(super) runs: usize,
    pub(super) sizes: Vec<Carried>,
}

/// Files of one size.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Carried {
    /// The size of each file, in MiB.
    mib: u64,
    /// From node to node, verified and durable at its end: the median of the runs.
    mib_per_second: f64,
    /// By rsync from its daemon, durable some time later: the median.
    rsync_mib_per_second: f64,
    /// By rsync with `--fsync`, durable at its end as the nodes' is: the median.
    rsync_fsync_mib_per_second: f64,
    /// The first over the second; 1.0 and more is asked for.
    ratio: f64,
    /// The first over the third.
    ratio_fsync: f64,
    /// MiB that the node where the file is handed in took at the most, upload included, above what it took
    /// before any file came; less than 64 is asked for.
    giver_above_idle_mib: f64,
    /// The same of the node that fetches it.
    taker_above_idle_mib: f64,
    /// MiB a second of each run, in their order.
    each_mib_per_second: Vec<f64>,
    each_rsync_mib_per_second: Vec<f64>,
    each_rsync_fsync_mib_per_second: Vec<f64>,
}

impl Carried {
    /// Of the runs, with KiB above idle of the node that gives and of the one that takes.
    pub(super) fn of(mib: u64, turns: &[Turn], above_idle_kib: [u64; 2]) -> Self {
        let each = |way: fn(&Turn) -> Duration| -> Vec<f64> {
            let rates = turns
                .iter()
                .map(|turn| float(mib) / way(turn).as_secs_f64());
            rates.map(rounded).collect()
        };
        let nodes = each(|turn| turn.nodes);
        let rsync = each(|turn| turn.rsync);
        let rsync_fsync = each(|turn| turn.rsync_durable);
        let [ours, theirs, theirs_fsync] = [&nodes[..], &rsync[..], &rsync_fsync[..]].map(median);
        let [giver, taker] = above_idle_kib.map(|kib| rounded(float(kib) / 1_024.0));
        Self {
            mib,
            mib_per_second: ours,
            rsync_mib_per_second: theirs,
            rsync_fsync_mib_per_second: theirs_fsync,
            ratio: hundredths(ours / theirs),
            ratio_fsync: hundredths(ours / theirs_fsync),
            giver_above_idle_mib: giver,
            taker_above_idle_mib: taker,
            each_mib_per_second: nodes,
            each_rsync_mib_per_second: rsync,
            each_rsync_fsync_mib_per_second: rsync_fsync,
        }
    }

    fn text(&self, reader: Reader) -> String {
        let (mib, ours) = (self.mib, self.mib_per_second);
        let (rsync, fsync) = (self.rsync_mib_per_second, self.rsync_fsync_mib_per_second);
        let (ratio, ratio_fsync) = (self.ratio, self.ratio_fsync);
        let (giver, taker) = (self.giver_above_idle_mib, self.taker_above_idle_mib);
        reader.say(
            format!(
                "{mib} MiB: 每秒 {ours:.0} MiB   rsync 每秒 {rsync:.0} MiB, --fsync 每秒 {fsync:.0} MiB   \
                 是 rsync 的 {ratio:.2} 倍, --fsync 的 {ratio_fsync:.2} 倍   \
                 内存比空闲时多: 给出 {giver:.1} MiB, 取得 {taker:.1} MiB"
            ),
            format!(
                "{mib} MiB: {ours:.0} MiB/s   rsync {rsync:.0} MiB/s, --fsync {fsync:.0} MiB/s   \
                 {ratio:.2} times rsync, {ratio_fsync:.2} times --fsync   \
                 memory above idle: giver {giver:.1} MiB, taker {taker:.1} MiB"
            ),
        )
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described =
    Described::answer::<CarriedFigures>("tongban bench attachments");

impl Answer for CarriedFigures {
    const SCHEMA: &'static str = "tongban.bench-attachments/v1";
    const ROWS: &'static str = "sizes";

    fn to_text(&self, reader: Reader) -> String {
        let lines = self.sizes.iter().map(|size| size.text(reader));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => rounded(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_runs_counts() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0]) - 2.5).abs() < 1e-9);
        assert_eq!(median(&[129.9, 109.2]).to_string(), "119.6");
        assert!(median(&[]).abs() < 1e-9);
    }

    #[test]
    fn a_size_stands_beside_rsync_and_above_idle() {
        let turn = Turn {
            nodes: Duration::from_millis(100),
            rsync: Duration::from_millis(80),
            rsync_durable: Duration::from_millis(200),
        };
        let carried = Carried::of(20, &[turn], [2_048, 51_200]);
        let figures = CarriedFigures {
            runs: 1,
            sizes: vec![carried],
        };
        let json = serde_json::to_value(&figures).unwrap();
        let size = &json["sizes"][0];
        assert_eq!(size["mib_per_second"], 200.0);
        assert_eq!(size["ratio"], 0.8);
        assert_eq!(size["ratio_fsync"], 2.0);
        assert_eq!(size["giver_above_idle_mib"], 2.0);
        assert_eq!(size["taker_above_idle_mib"], 50.0);
        let shown = figures.to_text(Reader::default());
        assert!(shown.contains("是 rsync 的 0.80 倍"), "{shown}");
    }
}
