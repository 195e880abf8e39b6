//! How many cases a second go from one city to another and are acknowledged: each a packet with a
//! certificate of the sender's voters, entered by a majority of the receiver's, answered with a certified
//! acknowledgement that a majority of the sender's enters.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout};
use tongban_types::Role;
use utoipa::ToSchema;

use super::figures::{count, float, rounded};
use super::form::{OTHER_CITY, form_of_size};
use super::front_end::FrontEnd;
use super::load::{Load, Pace, Quota, Writers};
use super::usage::{Usage, metrics, sample};
use super::{WARM_UP, failed, in_federation, no_such_size, scratch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Described, Output, Reader};
use crate::staging::{City, Clerk, Federation, Layout, SIX_CITIES, Scheme, StageLine, Stop};

/// Voters of each group: all three nodes host both groups.
const VOTERS: usize = 3;

/// Cases handed in and not yet acknowledged above which writers wait: four deliveries, so that there is
/// always one to be made, while no time goes into what is not measured.
const ON_THE_WAY_MAX: u64 = 2_048;

/// How often it is looked how many are on the way.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where cases are handed in: its place in the ring of three.
const INTAKE: usize = 0;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    /// Writers, who share a few connections.
    pub(crate) writers: usize,
    /// Bytes of a form.
    pub(crate) bytes: usize,
    /// Seconds that are measured.
    pub(crate) seconds: u64,
    /// Leave the folder where it is.
    pub(crate) keep: bool,
}

/// Fuzhou, a neighbour that hosts a replica of both, and Weinan.
pub(super) fn cities() -> [City; 3] {
    [SIX_CITIES[0], SIX_CITIES[1], SIX_CITIES[4]]
}

impl Exchange {
    /// Measures. Whatever happens, no process is left behind.
    pub(crate) async fn measure(&self, output: Output) -> Result<Exit, Failure> {
        let mut stop = Stop::listen().context("listening for signals")?;
        let form = form_of_size(OTHER_CITY, self.bytes)
            .map_err(|cause| no_such_size("exchange", cause))?;
        let folder = scratch(self.keep)?;
        let cities = cities();
        let scheme = Scheme::of(&cities, VOTERS, StageLine::OwnUnbounded);
        let layout = Layout::make(folder.path(), &scheme)?;
        let kept = self.keep.then(|| folder.path());
        let run = async |federation: &mut Federation| self.run(federation, &form, output).await;
        let measured = in_federation(layout, &mut stop, kept, output, run).await?;
        let Some(figures) = measured.map_err(as_exchange)? else {
            return Ok(Exit::No);
        };
        output.answer(&figures);
        Ok(if figures.failures == 0 {
            Exit::Yes
        } else {
            Exit::No
        })
    }

    async fn run(
        &self,
        federation: &mut Federation,
        form: &str,
        output: Output,
    ) -> anyhow::Result<ExchangeFigures> {
        federation.start().await?;
        let token = federation.token(INTAKE, Role::Clerk, "bench");
        let token = token.map_err(|failure| failure.cause)?;
        let desk = federation.person(INTAKE, Role::Clerk, "bench-first");
        let mut first = Clerk::at(desk.map_err(|failure| failure.cause)?);
        let case = first
            .collect(OTHER_CITY.item, &serde_json::from_str(form)?, true)
            .await;
        let case = case.context("the first application")?;
        first.desk().until_state(&case, &["received"]).await?;
        output.talk(&format!("预热 {} 秒", WARM_UP.as_secs()));

        let begin = Instant::now() + WARM_UP;
        let end = begin + Duration::from_secs(self.seconds);
        let (go, held) = watch::channel(true);
        let pace = Pace::held_by(held);
        let load = Load {
            pace: pace.clone(),
            front_end: FrontEnd::of(federation.site(INTAKE), &token, self.writers)?,
            item: OTHER_CITY.item,
            form: form.to_owned(),
            hand_over: true,
            begin,
            end,
            quota: Quota::unbounded(),
        };
        let writers = Writers::start(self.writers, &load);
        let (before, after, measured) = tokio::select! {
            looked = look_at_both_ends(federation, begin, end) => looked?,
            failed = hold_back(federation, &pace, go) => return Err(failed),
        };
        let written = timeout(Duration::from_secs(30), writers.finish()).await;
        let written = written.context("the writers did not come to their end")?;
        let cases = after.acknowledged.saturating_sub(before.acknowledged);
        if cases == 0 {
            bail!(
                "没有一件被签收: {}",
                written.first_failure.unwrap_or_default()
            );
        }
        let cpu = after.usage.cpu_us.saturating_sub(before.usage.cpu_us);
        Ok(ExchangeFigures {
            packets_per_second: rounded(float(cases) / measured.as_secs_f64()),
            taken_in_per_second: rounded(count(written.latencies.len()) / float(self.seconds)),
            cpu_us_per_packet: rounded(float(cpu) / float(cases)),
            packets: cases,
            form_bytes: self.bytes,
            writers: self.writers,
            seconds: self.seconds,
            voters: VOTERS,
            failures: written.failures,
            first_failure: written.first_failure,
        })
    }
}

/// What a look finds.
struct Found {
    acknowledged: u64,
    usage: Usage,
}

impl Found {
    async fn look(federation: &Federation) -> anyhow::Result<Self> {
        Ok(Self {
            acknowledged: acknowledged(federation).await?,
            usage: Usage::read(federation, INTAKE).await?,
        })
    }
}

/// What was found at the beginning and at the end, and how long lay between.
async fn look_at_both_ends(
    federation: &Federation,
    begin: Instant,
    end: Instant,
) -> anyhow::Result<(Found, Found, Duration)> {
    sleep_until(begin.into()).await;
    let before = Found::look(federation).await?;
    sleep_until(end.into()).await;
    let after = Found::look(federation).await?;
    Ok((before, after, begin.elapsed()))
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

/// Packets of the receiving city whose answer its group has entered.
async fn acknowledged(federation: &Federation) -> anyhow::Result<u64> {
    let group = federation.city(INTAKE).code;
    let name = format!("tongban_group_parcels_total{{group=\"{group}\",fate=\"acknowledged\"}}");
    // None has come so far yet: no sample.
    Ok(sample(&metrics(federation, INTAKE).await?, &name).unwrap_or(0))
}

/// What was measured.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ExchangeFigures {
    /// Packets whose acknowledgement the sender's group entered.
    packets_per_second: f64,
    /// Applications taken in meanwhile.
    taken_in_per_second: f64,
    /// Processor time of all nodes.
    cpu_us_per_packet: f64,
    packets: u64,
    form_bytes: usize,
    writers: usize,
    seconds: u64,
    voters: usize,
    failures: u64,
    first_failure: Option<String>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<ExchangeFigures>("tongban bench exchange");

impl Answer for ExchangeFigures {
    const SCHEMA: &'static str = "tongban.bench-exchange/v1";

    fn to_text(&self, _: Reader) -> String {
        let mut lines = vec![
            format!(
                "每秒 {:.0} 个包, 均有属地的签收   ({} 个, {} 秒, {} 个写入者, 表单 {} 字节, 每组 {} 个投票成员)",
                self.packets_per_second,
                self.packets,
                self.seconds,
                self.writers,
                self.form_bytes,
                self.voters,
            ),
            format!(
                "同时每秒收件 {:.0} 件; 每个包处理器时间 {:.0} µs (各节点合计)",
                self.taken_in_per_second, self.cpu_us_per_packet,
            ),
        ];
        let first = self.first_failure.as_deref().unwrap_or_default();
        lines.extend(
            (self.failures > 0).then(|| format!("未成 {} 次, 首次: {first}", self.failures)),
        );
        lines.join("\n")
    }
}

fn as_exchange(cause: anyhow::Error) -> Failure {
    failed("tongban bench exchange --keep", cause)
}
