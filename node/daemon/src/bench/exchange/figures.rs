//! The figures of an exchange, for people and for scripts.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Exchange, VOTERS};
use crate::output::{Answer, Described, Reader};

/// What was measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ExchangeFigures {
    #[serde(flatten)]
    steady: Steady,
    /// The same with nothing taken in meanwhile: packets that waited for the other city.
    backlog: Drained,
    form_bytes: usize,
    writers: usize,
    seconds: u64,
    voters: usize,
}

/// Packets while applications are taken in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Steady {
    /// Packets whose acknowledgement the sender's group entered.
    pub(super) packets_per_second: f64,
    /// Applications taken in meanwhile.
    pub(super) taken_in_per_second: f64,
    /// Processor time of all nodes.
    pub(super) cpu_us_per_packet: f64,
    pub(super) packets: u64,
    pub(super) failures: u64,
    pub(super) first_failure: Option<String>,
}

/// Packets that were taken in before.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Drained {
    /// Packets whose acknowledgement the sender's group entered.
    pub(super) packets_per_second: f64,
    /// Processor time of all nodes.
    pub(super) cpu_us_per_packet: f64,
    pub(super) packets: u64,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<ExchangeFigures>("tongban bench exchange");

impl ExchangeFigures {
    pub(super) fn of(exchange: &Exchange, steady: Steady, backlog: Drained) -> Self {
        Self {
            steady,
            backlog,
            form_bytes: exchange.bytes,
            writers: exchange.writers,
            seconds: exchange.seconds,
            voters: VOTERS,
        }
    }

    /// Whether every request was answered as it should be.
    pub(super) fn is_whole(&self) -> bool {
        self.steady.failures == 0
    }
}

impl Answer for ExchangeFigures {
    const SCHEMA: &'static str = "tongban.bench-exchange/v1";

    fn to_text(&self, _: Reader) -> String {
        let (steady, backlog) = (&self.steady, &self.backlog);
        let mut lines = vec![
            format!(
                "边收边发: 每秒 {:.0} 个包, 均有属地的签收   ({} 个, {} 秒, {} 个写入者, 表单 {} 字节, 每组 {} 个投票成员)",
                steady.packets_per_second,
                steady.packets,
                self.seconds,
                self.writers,
                self.form_bytes,
                self.voters,
            ),
            format!(
                "同时每秒收件 {:.0} 件; 每个包处理器时间 {:.0} µs (各节点合计)",
                steady.taken_in_per_second, steady.cpu_us_per_packet,
            ),
            format!(
                "线路恢复后补发: 每秒 {:.0} 个包, 均有属地的签收   ({} 个; 每个包处理器时间 {:.0} µs)",
                backlog.packets_per_second, backlog.packets, backlog.cpu_us_per_packet,
            ),
        ];
        let first = steady.first_failure.as_deref().unwrap_or_default();
        lines.extend(
            (steady.failures > 0).then(|| format!("未成 {} 次, 首次: {first}", steady.failures)),
        );
        lines.join("\n")
    }
}
