//! How long a case takes from the window to the authority in another province: from collecting until the
//! receiving city knows that the authority's group entered it, over lines with a round trip of their own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;
use tongban_runtime::seams::{Disk as _, DiskFile as _};
use tongban_types::Role;
use utoipa::ToSchema;

use super::figures::{quantile_ms, rounded};
use super::form::{OTHER_CITY, form_of_size};
use super::slow_line::{SlowLines, measured_round_trip};
use super::{failed, in_federation, scratch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};
use crate::platform::FileDisk;
use crate::staging::{Clerk, Desk, Federation, Layout, SIX_CITIES, Scheme, StageLine, Stop};

/// Voters of each group, on three cities' nodes.
const VOTERS: usize = 3;

/// Where cases are handed in, and who decides them, in the ring.
const INTAKE: usize = 0;

/// How often the receiving city is asked whether the authority's answer is in.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Far longer than an election.
const PATIENCE: Duration = Duration::from_secs(40);

/// Bytes of the form.
const FORM_BYTES: usize = 1_024;

/// Round trips that no such protocol does without. Three entries reach a majority: the case in the receiving
/// city's group, the packet in the authority's, the acknowledgement in the receiving city's. Two
/// certificates gather a majority's signatures: over the packet and over the acknowledgement. One carries the
/// packet there and the acknowledgement back.
const ROUND_TRIPS: u32 = 6;

/// Each of the three entries is synced by a majority, side by side.
const SYNCS: u32 = 3;

/// Syncs measured for their median.
const SYNCS_MEASURED: usize = 33;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// Round trip between any two cities.
    pub(crate) round_trip: Duration,
    /// Cases, one after the other.
    pub(crate) cases: usize,
    /// Leave the folder where it is.
    pub(crate) keep: bool,
}

/// The times of one case.
struct Taken {
    replicated: Duration,
    acknowledged: Duration,
}

impl Route {
    /// Measures. Whatever happens, no process is left behind.
    pub(crate) async fn measure(&self, output: Output) -> Result<Exit, Failure> {
        let mut stop = Stop::listen().context("listening for signals")?;
        let folder = scratch(self.keep)?;
        let sync = measure_sync(folder.path()).await.map_err(as_route)?;
        let line = measured_round_trip(self.round_trip)
            .await
            .map_err(as_route)?;
        let scheme = Scheme::of(&SIX_CITIES, VOTERS, StageLine::PlainUnbounded);
        let layout = Layout::make_apart(folder.path(), &scheme)?;
        let fronts: Vec<_> = layout
            .sites
            .iter()
            .map(|site| (site.front, site.federation))
            .collect();
        let _lines = SlowLines::begin(&fronts, self.round_trip)
            .await
            .map_err(as_route)?;
        let kept = self.keep.then(|| folder.path());
        let run = async |federation: &mut Federation| self.run(federation, output).await;
        let measured = in_federation(layout, &mut stop, kept, output, run).await?;
        let Some(taken) = measured.map_err(as_route)? else {
            return Ok(Exit::No);
        };
        output.answer(&RouteFigures::of(self, &taken, line, sync));
        Ok(Exit::Yes)
    }

    async fn run(&self, federation: &mut Federation, output: Output) -> anyhow::Result<Vec<Taken>> {
        federation.start().await?;
        let person = |role| {
            let desk = federation.person(INTAKE, role, "bench");
            desk.map_err(|failure| failure.cause)
        };
        let mut clerk = Clerk::at(person(Role::Clerk)?);
        let mut reader = person(Role::Clerk)?;
        let form: Value = serde_json::from_str(&form_of_size(OTHER_CITY, FORM_BYTES)?)?;
        // The first one waits until leaders, calendars and items are there.
        one(&mut clerk, &mut reader, &form).await?;
        output.talk(&format!("逐件收件并移交, 共 {} 件", self.cases));
        let mut taken = Vec::new();
        for _ in 0..self.cases {
            taken.push(one(&mut clerk, &mut reader, &form).await?);
        }
        Ok(taken)
    }
}

async fn one(clerk: &mut Clerk, reader: &mut Desk, form: &Value) -> anyhow::Result<Taken> {
    let begun = Instant::now();
    let case = clerk.collect(OTHER_CITY.item, form, true).await?;
    let replicated = begun.elapsed();
    let path = format!("/api/v1/cases/{case}");
    loop {
        let seen = reader.read(&path).await?;
        if seen["case"]["state"] == "received" {
            break;
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "{case} 没有得到属地的签收: {}",
            seen["case"]["state"]
        );
        sleep(LOOK_EVERY).await;
    }
    Ok(Taken {
        replicated,
        acknowledged: begun.elapsed(),
    })
}

/// The median of a small write and its sync in a folder.
async fn measure_sync(folder: &Path) -> anyhow::Result<Duration> {
    let file = FileDisk::new(folder).create("sync-measurement")?;
    file.allocate(1 << 20)?;
    file.sync().await?;
    let mut taken = Vec::new();
    for offset in (0..).step_by(4_096).take(SYNCS_MEASURED) {
        let begun = Instant::now();
        file.write_at(offset, &[1; 4_096])?;
        file.sync().await?;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    Ok(taken[taken.len() / 2])
}

/// What was measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct RouteFigures {
    /// From collecting to the acknowledgement of the authority's group, known at the receiving city.
    p50_ms: f64,
    p99_ms: f64,
    /// From collecting to the receipt of the receiving city's group.
    replicated_p50_ms: f64,
    /// The round trips and syncs that are necessary, together.
    necessary_ms: f64,
    /// `p50_ms` over `necessary_ms`.
    ratio: f64,
    round_trips: u32,
    round_trip_ms: f64,
    syncs: u32,
    sync_ms: f64,
    cases: usize,
}

impl RouteFigures {
    fn of(route: &Route, taken: &[Taken], line: Duration, sync: Duration) -> Self {
        let sorted = |of: fn(&Taken) -> Duration| {
            let mut times: Vec<Duration> = taken.iter().map(of).collect();
            times.sort_unstable();
            times
        };
        let acknowledged = sorted(|one| one.acknowledged);
        let necessary = line * ROUND_TRIPS + sync * SYNCS;
        let [necessary_ms, round_trip_ms, sync_ms] =
            [necessary, line, sync].map(|time| rounded(time.as_secs_f64() * 1e3));
        let p50_ms = quantile_ms(&acknowledged, 0.50);
        Self {
            p50_ms,
            p99_ms: quantile_ms(&acknowledged, 0.99),
            replicated_p50_ms: quantile_ms(&sorted(|one| one.replicated), 0.50),
            necessary_ms,
            ratio: (p50_ms / necessary_ms * 100.0).round() / 100.0,
            round_trips: ROUND_TRIPS,
            round_trip_ms,
            syncs: SYNCS,
            sync_ms,
            cases: route.cases,
        }
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<RouteFigures>("tongban bench route");

impl Answer for RouteFigures {
    const SCHEMA: &'static str = "tongban.bench-route/v1";

    fn to_text(&self, _: Reader) -> String {
        format!(
            "从收件到属地审批组的签收: p50 {:.1} ms   p99 {:.1} ms   ({} 件, 收件回执 p50 {:.1} ms)\n\
             必需: {} 次往返, 每次 {:.1} ms; {} 次落盘, 每次 {:.1} ms; 共 {:.1} ms\n\
             p50 是必需的 {:.2} 倍",
            self.p50_ms,
            self.p99_ms,
            self.cases,
            self.replicated_p50_ms,
            self.round_trips,
            self.round_trip_ms,
            self.syncs,
            self.sync_ms,
            self.necessary_ms,
            self.ratio,
        )
    }
}

fn as_route(cause: anyhow::Error) -> Failure {
    failed("tongban bench route --keep", cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_necessary_stands_beside_what_was_taken() {
        let route = Route {
            round_trip: Duration::from_millis(40),
            cases: 1,
            keep: false,
        };
        let taken = [Taken {
            replicated: Duration::from_millis(50),
            acknowledged: Duration::from_millis(366),
        }];
        let [line, sync] = [40, 1].map(Duration::from_millis);
        let figures = RouteFigures::of(&route, &taken, line, sync);
        assert!((figures.necessary_ms - 243.0).abs() < 0.01);
        assert!((figures.ratio - 1.51).abs() < 0.01);
        assert!(
            figures
                .to_text(Reader::default())
                .contains("p50 是必需的 1.51 倍")
        );
    }
}
