//! Packets a second between two cities and nothing beside them: what was taken in while the other city's nodes
//! were away goes over once they are back. Each city's group is kept by three nodes of its own, so that all the
//! other city's can be gone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::time::{sleep, timeout};

use super::figures::Drained;
use super::{Exchange, Found, LOOK_EVERY, acknowledged};
use crate::bench::figures::{float, rounded};
use crate::bench::form::OTHER_CITY;
use crate::bench::load::{Load, Pace, Quota, Writers};
use crate::output::Output;
use crate::staging::{City, Federation, SIX_CITIES};

/// Packets that wait for each second that is asked for: about what two cores carry in one.
const PACKETS_PER_SECOND: u64 = 2_000;

/// Where the other city's group is kept: places in the ring.
const OTHERS: std::ops::Range<usize> = 3..6;

/// Far more than it takes: a slow exchange is a figure, not a failure.
const PATIENCE: Duration = Duration::from_mins(10);

/// Fuzhou with the two neighbours that keep its group, and Weinan with two others that keep its own.
pub(super) fn cities() -> [City; 6] {
    let [fuzhou, putian, ningde, nanping, weinan, dingxi] = SIX_CITIES;
    [fuzhou, putian, ningde, weinan, dingxi, nanping]
}

impl Exchange {
    pub(super) async fn drain(
        &self,
        federation: &mut Federation,
        form: &str,
        output: Output,
    ) -> anyhow::Result<Drained> {
        federation.start().await?;
        let front_end = self.front_end(federation, form).await?;
        for place in OTHERS {
            federation.kill(place).await?;
        }
        let packets = self.seconds * PACKETS_PER_SECOND;
        output.talk(&format!("线路中断: 先收 {packets} 件"));
        let gone = acknowledged(federation).await?;
        let begin = Instant::now();
        let load = Load {
            pace: Pace::unbounded(),
            front_end,
            item: OTHER_CITY.item,
            form: form.to_owned(),
            hand_over: true,
            begin,
            end: begin + PATIENCE,
            quota: Quota::of(packets),
        };
        let written = Writers::start(self.writers, &load).finish().await;
        if let Some(failure) = written.first_failure {
            bail!("{} 件没有收下: {failure}", written.failures);
        }
        ensure!(
            acknowledged(federation).await? == gone,
            "packets were acknowledged by a city whose nodes are away"
        );
        output.talk("线路恢复");
        for place in OTHERS {
            federation.restart(place).await?;
        }
        let drained = timeout(PATIENCE, until_drained(federation, gone, packets)).await;
        drained.context("the packets that waited did not all arrive")?
    }
}

/// From the first acknowledgement, when the line is seen to be back, to the last look before the end: what is
/// on its way then leaves processors idle.
async fn until_drained(
    federation: &Federation,
    gone: u64,
    packets: u64,
) -> anyhow::Result<Drained> {
    while acknowledged(federation).await? == gone {
        sleep(LOOK_EVERY).await;
    }
    let first = Found::look(federation).await?;
    let (mut last, mut took) = (first.acknowledged, Duration::ZERO);
    loop {
        sleep(LOOK_EVERY).await;
        let found = acknowledged(federation).await?;
        if found >= gone + packets {
            break;
        }
        (last, took) = (found, first.at.elapsed());
    }
    let end = Found::look(federation).await?;
    let carried = last.saturating_sub(first.acknowledged);
    ensure!(
        carried > 0,
        "too few packets waited to measure how long they take"
    );
    let cpu = end.usage.cpu_us.saturating_sub(first.usage.cpu_us);
    let with_the_rest = end.acknowledged.saturating_sub(first.acknowledged);
    Ok(Drained {
        packets_per_second: rounded(float(carried) / took.as_secs_f64()),
        cpu_us_per_packet: rounded(float(cpu) / float(with_the_rest)),
        packets: carried,
    })
}
