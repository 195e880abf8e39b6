//! How soon nodes answer again that were stopped, or killed, with many cases, and what they take at rest then;
//! beside nodes with a single one. What the system still holds of their files in memory it keeps, as where a
//! process is restarted and not its machine.

mod figures;
mod filling;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hyper::Method;
use tokio::time::sleep;
use tongban_types::Role;

use self::figures::{CameBack, RestartFigures};
use self::filling::{Filling, Meter};
use super::form::{OWN_CITY, form_of_size};
use super::memory::resident_kib;
use super::{failed, in_federation, scratch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http_client::{HttpAnswer, HttpClient};
use crate::output::Output;
use crate::staging::{Clerk, Federation, Layout, SIX_CITIES, Scheme, StageLine, Stop};

pub(crate) use self::figures::ANSWER;

/// Voters of the group, and nodes: the smallest group that goes on without one of them.
const VOTERS: usize = 3;

/// The place of the node where cases are handed in, and which is measured.
const DESK: usize = 0;

/// Bytes of a form.
const FORM_BYTES: usize = 1_024;

/// What a million cases may take to be put down.
const STOP_TIME_MAX: Duration = Duration::from_mins(5);

/// Far more than is asked for: a slow start is a figure, not a failure.
const START_TIME_MAX: Duration = Duration::from_mins(10);

/// Probes are answered fifty times a second.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Two turns of what a node does by itself every few seconds.
const REST: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restart {
    /// Cases in the group.
    pub(crate) cases: u64,
    /// Writers that fill it, who share a few connections.
    pub(crate) writers: usize,
    /// Kill the nodes instead of stopping them.
    pub(crate) kill: bool,
    /// Leave the folders where they are.
    pub(crate) keep: bool,
}

impl Restart {
    /// Measures, with a single case and with all of them. Whatever happens, no process is left behind.
    pub(crate) async fn measure(&self, output: Output) -> Result<Exit, Failure> {
        let mut stop = Stop::listen().context("listening for signals")?;
        let form = form_of_size(OWN_CITY, FORM_BYTES).map_err(as_restart)?;
        let mut came_back = Vec::new();
        for cases in [1, self.cases] {
            match self.measure_one(cases, &form, &mut stop, output).await? {
                Some(one) => came_back.push(one),
                None => return Ok(Exit::No),
            }
        }
        let (full, empty) = came_back
            .pop()
            .zip(came_back.pop())
            .context("two federations")?;
        output.answer(&RestartFigures::of(&full, &empty, self.kill));
        Ok(Exit::Yes)
    }

    /// A federation of its own, so that no number of the day is used up by a start; `None` when told to stop.
    async fn measure_one(
        &self,
        cases: u64,
        form: &str,
        stop: &mut Stop,
        output: Output,
    ) -> Result<Option<CameBack>, Failure> {
        let folder = scratch(self.keep)?;
        let cities = &SIX_CITIES[..VOTERS];
        let scheme = Scheme::of(cities, VOTERS, StageLine::OwnUnbounded);
        let layout = Layout::make(folder.path(), &scheme)?;
        let filling = Filling {
            cases,
            writers: self.writers,
            form,
        };
        let kept = self.keep.then(|| folder.path());
        let run = async |federation: &mut Federation| self.run(federation, &filling, output).await;
        let measured = in_federation(layout, stop, kept, output, run).await?;
        measured.map_err(as_restart)
    }

    async fn run(
        &self,
        federation: &mut Federation,
        filling: &Filling<'_>,
        output: Output,
    ) -> anyhow::Result<CameBack> {
        federation.start().await?;
        let desk = federation.person(DESK, Role::Clerk, "bench-first");
        let desk = desk.map_err(|failure| failure.cause)?;
        // The first one waits until calendar and items are in the log.
        let first = Clerk::at(desk)
            .collect(OWN_CITY.item, &serde_json::from_str(filling.form)?, false)
            .await
            .context("the first application")?;
        let took = filling.fill(federation, DESK, output).await?;
        let cases = Meter::at(federation, DESK)?.cases().await?;
        output.talk(&format!("审批组有 {cases} 件, 停止并重新启动全部节点"));
        self.end(federation).await?;
        let data_bytes = bytes_below(&federation.site(DESK).data)?;
        let start = Start::again(federation, &first, cases).await?;
        sleep(REST).await;
        Ok(CameBack {
            cases,
            filling: took,
            first_answer: start.first_answer,
            ready: start.ready,
            whole: start.whole,
            resident_kib: resident_kib(federation.pid(DESK)?)?,
            data_bytes,
        })
    }

    async fn end(&self, federation: &mut Federation) -> anyhow::Result<()> {
        if !self.kill {
            return federation.stop(STOP_TIME_MAX).await;
        }
        for place in 0..VOTERS {
            federation.kill(place).await?;
        }
        Ok(())
    }
}

/// How long after the start of all processes the measured one came to something.
struct Start {
    first_answer: Duration,
    ready: Duration,
    whole: Duration,
}

impl Start {
    /// Starts every process, and asks until the node answers about a case, is ready and shows all cases.
    async fn again(federation: &mut Federation, case: &str, cases: u64) -> anyhow::Result<Self> {
        let site = federation.site(DESK);
        let token = federation.token(DESK, Role::Clerk, "bench-first");
        let token = token.map_err(|failure| failure.cause)?;
        let mut reader = HttpClient::new(site.http, site.trust(), Some(&token), START_TIME_MAX);
        let mut prober = HttpClient::new(site.http, site.trust(), None, START_TIME_MAX);
        let mut meter = Meter::at(federation, DESK)?;
        let path = format!("/api/v1/cases/{case}");
        let begun = Instant::now();
        federation.launch()?;
        let (first_answer, ready, ()) = tokio::try_join!(
            Box::pin(until(&mut reader, &path, begun, shows_a_case)),
            Box::pin(until(&mut prober, "/readyz", begun, is_content)),
            federation.until_ready(START_TIME_MAX),
        )?;
        let whole = loop {
            let there = meter.cases().await?;
            if there >= cases {
                break begun.elapsed();
            }
            ensure!(
                begun.elapsed() < START_TIME_MAX,
                "重启后只有 {there} 件, 应为 {cases} 件 (cases are missing after the restart)"
            );
            sleep(LOOK_EVERY).await;
        };
        Ok(Self {
            first_answer,
            ready,
            whole,
        })
    }
}

fn shows_a_case(answer: &HttpAnswer) -> bool {
    answer.status == 200 && answer.json()["case"].is_object()
}

fn is_content(answer: &HttpAnswer) -> bool {
    answer.status == 200
}

/// Reads until the answer is as it should be; how long after `begun` that was.
async fn until(
    client: &mut HttpClient,
    path: &str,
    begun: Instant,
    is_as_it_should_be: fn(&HttpAnswer) -> bool,
) -> anyhow::Result<Duration> {
    loop {
        let last = match client.get(path).await {
            Ok(answer) if is_as_it_should_be(&answer) => return Ok(begun.elapsed()),
            Ok(answer) => answer.unexpected(Method::GET, path),
            // It does not listen yet.
            Err(error) => error,
        };
        if begun.elapsed() > START_TIME_MAX {
            return Err(last).context("重启后没有答复 (no answer after the restart)");
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Bytes of all files in a folder and the folders below it.
fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let (mut bytes, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).context("a data folder")? {
            let entry = entry.context("a data folder")?;
            let metadata = entry.metadata().context("a file of a data folder")?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
    }
    Ok(bytes)
}

fn as_restart(cause: anyhow::Error) -> Failure {
    failed("tongban bench restart --keep", cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_deeper_in_a_data_folder_is_counted_too() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("state/older")).unwrap();
        std::fs::write(folder.path().join("tokens.json"), "0123456789").unwrap();
        std::fs::write(folder.path().join("state/older/db"), "x".repeat(32)).unwrap();
        assert_eq!(bytes_below(folder.path()).unwrap(), 42);
    }
}
