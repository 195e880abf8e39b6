//! Packets a second while applications are taken in: what a city's desks hand in goes on to the other city at
//! once, over three nodes that keep both groups.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout};

use super::figures::Steady;
use super::{Exchange, Found, LOOK_EVERY, acknowledged};
use crate::bench::WARM_UP;
use crate::bench::figures::{count, float, rounded};
use crate::bench::form::OTHER_CITY;
use crate::bench::load::{Load, Pace, Quota, Writers};
use crate::output::Output;
use crate::staging::{City, Federation, SIX_CITIES};

/// Cases handed in and not yet acknowledged above which writers wait: four deliveries, so that there is
/// always one to be made, while no time goes into what is not measured.
const ON_THE_WAY_MAX: u64 = 2_048;

/// Fuzhou, a neighbour that hosts a replica of both, and Weinan.
pub(in crate::bench) fn cities() -> [City; 3] {
    [SIX_CITIES[0], SIX_CITIES[1], SIX_CITIES[4]]
}

impl Exchange {
    pub(super) async fn steady(
        &self,
        federation: &mut Federation,
        form: &str,
        output: Output,
    ) -> anyhow::Result<Steady> {
        federation.start().await?;
        let front_end = self.front_end(federation, form).await?;
        output.talk(&format!("边收边发: 预热 {} 秒", WARM_UP.as_secs()));

        let begin = Instant::now() + WARM_UP;
        let end = begin + Duration::from_secs(self.seconds);
        let (go, held) = watch::channel(true);
        let pace = Pace::held_by(held);
        let load = Load {
            pace: pace.clone(),
            front_end,
            item: OTHER_CITY.item,
            form: form.to_owned(),
            hand_over: true,
            begin,
            end,
            quota: Quota::unbounded(),
        };
        let writers = Writers::start(self.writers, &load);
        let (before, after) = tokio::select! {
            looked = look_at_both_ends(federation, begin, end) => looked?,
            failed = hold_back(federation, &pace, go) => return Err(failed),
        };
        let written = timeout(Duration::from_secs(30), writers.finish()).await;
        let written = written.context("the writers did not come to their end")?;
        let packets = after.acknowledged.saturating_sub(before.acknowledged);
        if packets == 0 {
            bail!(
                "没有一件被签收: {}",
                written.first_failure.unwrap_or_default()
            );
        }
        let cpu = after.usage.cpu_us.saturating_sub(before.usage.cpu_us);
        Ok(Steady {
            packets_per_second: rounded(float(packets) / (after.at - before.at).as_secs_f64()),
            taken_in_per_second: rounded(count(written.latencies.len()) / float(self.seconds)),
            cpu_us_per_packet: rounded(float(cpu) / float(packets)),
            packets,
            failures: written.failures,
            first_failure: written.first_failure,
        })
    }
}

/// What is found at the beginning and at the end.
async fn look_at_both_ends(
    federation: &Federation,
    begin: Instant,
    end: Instant,
) -> anyhow::Result<(Found, Found)> {
    sleep_until(begin.into()).await;
    let before = Found::look(federation).await?;
    sleep_until(end.into()).await;
    let after = Found::look(federation).await?;
    Ok((before, after))
}

/// Has writers wait while too many are on the way; returns only if it cannot be looked.
async fn hold_back(federation: &Federation, pace: &Pace, go: watch::Sender<bool>) -> anyhow::Error {
    loop {
        match acknowledged(federation).await {
            Ok(acknowledged) => {
                let answered = pace.answered.load(Ordering::Relaxed);
                go.send_replace(answered.saturating_sub(acknowledged) < ON_THE_WAY_MAX);
            }
            Err(error) => return error,
        }
        sleep(LOOK_EVERY).await;
    }
}
