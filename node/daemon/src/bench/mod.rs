//! How fast a group takes applications in: processes of this program on loopback, writers at the
//! HTTP API, every application committed by a majority before it is answered.

mod attachments;
mod ceiling;
mod exchange;
mod figures;
mod form;
mod front_end;
mod load;
mod memory;
mod restart;
mod route;
mod slow_line;
mod usage;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::time::{sleep_until, timeout};
use tongban_runtime::Forms;
use tongban_types::{Code, Role};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Described, Output};
use crate::staging::{
    Clerk, Federation, Layout, SIX_CITIES, Scheme, StageLine, Stop, wait_until_leading,
};

use ceiling::Ceiling;
use figures::{Comparison, Figures};
use form::{OWN_CITY, form_of_size};
use front_end::FrontEnd;
use load::{Load, Pace, Quota, Writers};
use usage::Usage;

/// The JSON forms of what is measured here.
pub(crate) const ANSWERS: &[Described] = &[
    attachments::ANSWER,
    exchange::ANSWER,
    figures::ANSWER,
    restart::ANSWER,
    route::ANSWER,
];

pub(crate) use attachments::Attachments;
pub(crate) use exchange::Exchange;
pub(crate) use restart::Restart;
pub(crate) use route::Route;

/// Connections warm, segments begun, leader settled: not measured.
const WARM_UP: Duration = Duration::from_secs(2);

/// What still runs at the end has this long.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The city whose group is measured: its place in the ring.
const MEASURED: usize = 0;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intake {
    /// Voters of the group, a process each.
    pub(crate) voters: usize,
    /// Writers, who share a few connections.
    pub(crate) writers: usize,
    /// Bytes of a form.
    pub(crate) bytes: usize,
    /// Seconds that are measured.
    pub(crate) seconds: u64,
    /// Leave the folder where it is.
    pub(crate) keep: bool,
}

/// Measures with forms sealed, then the same in the clear. Whatever happens, no process is left
/// behind.
pub(crate) async fn measure(intake: &Intake, output: Output) -> Result<Exit, Failure> {
    let mut stop = Stop::listen().context("listening for signals")?;
    let form =
        form_of_size(OWN_CITY, intake.bytes).map_err(|cause| no_such_size("intake", cause))?;
    let ceiling = Ceiling::measure().map_err(as_bench)?;
    let mut measured = Vec::new();
    for forms in [Forms::Sealed, Forms::ClearForMeasurement] {
        match measure_one(intake, &form, forms, ceiling, &mut stop, output).await? {
            Some(figures) => measured.push(figures),
            None => return Ok(Exit::No),
        }
    }
    let (unsealed, sealed) = measured.pop().zip(measured.pop()).context("two runs")?;
    let comparison = Comparison { sealed, unsealed };
    output.answer(&comparison);
    Ok(if comparison.is_whole() {
        Exit::Yes
    } else {
        Exit::No
    })
}

/// One run in a folder of its own; `None` when told to stop.
async fn measure_one(
    intake: &Intake,
    form: &str,
    forms: Forms,
    ceiling: Ceiling,
    stop: &mut Stop,
    output: Output,
) -> Result<Option<Figures>, Failure> {
    let folder = scratch(intake.keep)?;
    let cities = &SIX_CITIES[..intake.voters];
    let scheme = Scheme::of(cities, intake.voters, StageLine::OwnUnbounded);
    let mut layout = Layout::make(folder.path(), &scheme)?;
    for site in &mut layout.sites {
        site.forms = forms;
    }
    let kept = intake.keep.then(|| folder.path());
    let run =
        async |federation: &mut Federation| run(federation, intake, form, ceiling, output).await;
    let measured = in_federation(layout, stop, kept, output, run).await?;
    measured.map_err(as_bench)
}

/// Measures in a federation that was not started yet; nothing if a signal ends it. Whatever happens, no
/// process is left behind; where its folder is kept, it is said.
async fn in_federation<T>(
    layout: Layout,
    stop: &mut Stop,
    kept: Option<&Path>,
    output: Output,
    measure: impl AsyncFnOnce(&mut Federation) -> anyhow::Result<T>,
) -> Result<anyhow::Result<Option<T>>, Failure> {
    let mut federation = Federation::prepare(layout)?;
    let measured = tokio::select! {
        biased;
        () = stop.asked() => Ok(None),
        measured = Box::pin(measure(&mut federation)) => measured.map(Some),
    };
    federation.end().await;
    if let Some(folder) = kept {
        output.talk(&format!("目录: {}", folder.display()));
    }
    Ok(measured)
}

async fn run(
    federation: &mut Federation,
    intake: &Intake,
    form: &str,
    ceiling: Ceiling,
    output: Output,
) -> anyhow::Result<Figures> {
    federation.start().await?;
    let site = federation.site(MEASURED).clone();
    let token = federation.token(MEASURED, Role::Clerk, "bench");
    let token = token.map_err(|failure| failure.cause)?;
    let desk = federation.person(MEASURED, Role::Clerk, "bench-first");
    // The first one waits until calendar and items are in the log.
    let first = serde_json::from_str(form)?;
    Clerk::at(desk.map_err(|failure| failure.cause)?)
        .collect(OWN_CITY.item, &first, false)
        .await
        .context("the first application")?;
    let leader = wait_until_leading(federation, MEASURED, None).await?;
    output.talk(&format!(
        "{}; 主副本在{}, 预热 {} 秒",
        match site.forms {
            Forms::Sealed => "封存表单",
            Forms::ClearForMeasurement => "不封存表单, 作对照",
        },
        federation.city(leader).said(),
        WARM_UP.as_secs()
    ));

    let begin = Instant::now() + WARM_UP;
    let end = begin + Duration::from_secs(intake.seconds);
    let load = Load {
        pace: Pace::unbounded(),
        front_end: FrontEnd::of(&site, &token, intake.writers)?,
        item: OWN_CITY.item,
        form: form.to_owned(),
        hand_over: false,
        begin,
        end,
        quota: Quota::unbounded(),
    };
    let writers = Writers::start(intake.writers, &load);
    sleep_until(begin.into()).await;
    let before = Usage::read(federation, MEASURED).await?;
    sleep_until(end.into()).await;
    let after = Usage::read(federation, MEASURED).await?;
    let written = timeout(Duration::from_secs(30), writers.finish()).await;
    let written = written.context("the writers did not come to their end")?;
    ensure!(
        after.pids == before.pids,
        "a process ended during the measurement"
    );
    if written.latencies.is_empty() {
        bail!(
            "没有一件被答复: {}",
            written.first_failure.unwrap_or_default()
        );
    }
    let leader = federation.city(leader).name;
    Ok(Figures::of(
        intake, written, &before, &after, &ceiling, leader,
    ))
}

fn as_bench(cause: anyhow::Error) -> Failure {
    failed("tongban bench intake --keep", cause)
}

/// How large a form can be is the item's to say; another size is a mistake of whoever asked for it.
fn no_such_size(command: &str, cause: anyhow::Error) -> Failure {
    Failure {
        code: Code::USAGE,
        exit: Exit::Usage,
        next: format!("tongban bench {command} --help"),
        cause,
    }
}

fn failed(next: &str, cause: anyhow::Error) -> Failure {
    Failure {
        code: Code::BENCH_FAILED,
        exit: Exit::Internal,
        next: next.to_owned(),
        cause,
    }
}

/// Runs a measurement in a runtime of its own.
pub(crate) fn run_alone(
    measurement: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the process")?;
    let ended = runtime.block_on(Box::pin(measurement));
    runtime.shutdown_timeout(LAST_WAIT);
    ended
}

/// A folder for a measurement, that goes with it unless it is kept.
fn scratch(keep: bool) -> anyhow::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("tongban-bench-").tempdir();
    let mut folder = folder.context("making a folder for the measurement")?;
    folder.disable_cleanup(keep);
    Ok(folder)
}
