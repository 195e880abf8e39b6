//! The figures of nodes that were started again, for people and for scripts.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::bench::figures::{float, rounded};
use crate::output::{Answer, Described, Reader};

/// How one federation came back.
#[derive(Clone, Copy, Debug)]
pub(super) struct CameBack {
    /// Cases in the group before its nodes were ended.
    pub(super) cases: u64,
    /// What filling it took.
    pub(super) filling: Duration,
    /// From the start of the processes to the first answer about a case.
    pub(super) first_answer: Duration,
    /// To the node being ready.
    pub(super) ready: Duration,
    /// To the node showing every case again.
    pub(super) whole: Duration,
    /// What the node takes at rest.
    pub(super) resident_kib: u64,
    /// What lay in its data folder when it was started.
    pub(super) data_bytes: u64,
}

/// A full federation beside an empty one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RestartFigures {
    /// Cases in the group when its nodes were ended, by the metrics of the node that is measured.
    cases: u64,
    /// From the start of all processes to the first answer of the node about a case.
    first_answer_ms: f64,
    /// To `/readyz` answering 200, which takes a majority; less than 10,000 is asked for.
    ready_ms: f64,
    /// To the node showing every case again.
    whole_ms: f64,
    /// What the node takes of memory ten seconds later; less than 100 is asked for.
    resident_mib: f64,
    /// What lay in the node's data folder, log and state together.
    data_mib: f64,
    /// The same of a node of a federation with a single case; less than 2,000 is asked for.
    empty_first_answer_ms: f64,
    empty_ready_ms: f64,
    empty_resident_mib: f64,
    /// From the first case to the last.
    seconds_filling: f64,
    /// Whether all nodes were killed; they were stopped otherwise.
    killed: bool,
}

impl RestartFigures {
    pub(super) fn of(full: &CameBack, empty: &CameBack, killed: bool) -> Self {
        Self {
            cases: full.cases,
            first_answer_ms: milliseconds(full.first_answer),
            ready_ms: milliseconds(full.ready),
            whole_ms: milliseconds(full.whole),
            resident_mib: rounded(float(full.resident_kib) / 1_024.0),
            data_mib: rounded(float(full.data_bytes >> 10) / 1_024.0),
            empty_first_answer_ms: milliseconds(empty.first_answer),
            empty_ready_ms: milliseconds(empty.ready),
            empty_resident_mib: rounded(float(empty.resident_kib) / 1_024.0),
            seconds_filling: rounded(full.filling.as_secs_f64()),
            killed,
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1e3)
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<RestartFigures>("tongban bench restart");

impl Answer for RestartFigures {
    const SCHEMA: &'static str = "tongban.bench-restart/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (cases, filling) = (self.cases, self.seconds_filling);
        let (first, ready, whole) = (self.first_answer_ms, self.ready_ms, self.whole_ms);
        let (resident, data) = (self.resident_mib, self.data_mib);
        let (empty_first, empty_ready) = (self.empty_first_answer_ms, self.empty_ready_ms);
        let empty_resident = self.empty_resident_mib;
        let ended = if self.killed {
            reader.say("全部杀掉", "killed")
        } else {
            reader.say("正常停止", "stopped")
        };
        reader.say(
            format!(
                "{cases} 件, {ended}后同时启动: 首个答复 {first:.0} ms   就绪 {ready:.0} ms   \
                 全部可见 {whole:.0} ms   空闲内存 {resident:.1} MiB   数据目录 {data:.0} MiB\n\
                 仅 1 件: 首个答复 {empty_first:.0} ms   就绪 {empty_ready:.0} ms   \
                 空闲内存 {empty_resident:.1} MiB\n\
                 装入用了 {filling:.0} 秒"
            ),
            format!(
                "{cases} cases, {ended} and started together: first answer {first:.0} ms   \
                 ready {ready:.0} ms   all shown {whole:.0} ms   memory at rest {resident:.1} MiB   \
                 data folder {data:.0} MiB\n\
                 a single case: first answer {empty_first:.0} ms   ready {empty_ready:.0} ms   \
                 memory at rest {empty_resident:.1} MiB\n\
                 filled in {filling:.0} s"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_node_stands_beside_an_empty_one() {
        let empty = CameBack {
            cases: 1,
            filling: Duration::ZERO,
            first_answer: Duration::from_millis(300),
            ready: Duration::from_millis(1_200),
            whole: Duration::from_millis(1_250),
            resident_kib: 40_960,
            data_bytes: 1 << 20,
        };
        let full = CameBack {
            cases: 1_000_000,
            filling: Duration::from_secs(250),
            first_answer: Duration::from_secs(4),
            resident_kib: 81_920,
            data_bytes: 5_000 << 20,
            ..empty
        };
        let figures = RestartFigures::of(&full, &empty, false);
        let json = serde_json::to_value(&figures).unwrap();
        for (name, figure) in [
            ("first_answer_ms", 4_000.0),
            ("ready_ms", 1_200.0),
            ("resident_mib", 80.0),
            ("data_mib", 5_000.0),
            ("empty_first_answer_ms", 300.0),
            ("empty_resident_mib", 40.0),
            ("seconds_filling", 250.0),
        ] {
            assert_eq!(json[name], figure, "{name}");
        }
        assert_eq!(json["cases"], 1_000_000);
        let shown = figures.to_text(Reader::default());
        assert!(shown.starts_with("1000000 件, 正常停止后同时启动: 首个答复 4000 ms"));
    }
}
