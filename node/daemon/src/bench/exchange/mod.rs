//! How many cases a second go from one city to another and are acknowledged: each a packet with a
//! certificate of the sender's voters, entered by a majority of the receiver's, answered with a certified
//! acknowledgement that a majority of the sender's enters. Measured while applications are taken in, and
//! where what was taken in before waits for a line that comes back.

mod backlog;
mod figures;
mod steady;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tongban_types::Role;

use super::form::{OTHER_CITY, form_of_size};
use super::front_end::FrontEnd;
use super::usage::{Usage, metrics, sample};
use super::{failed, in_federation, no_such_size, scratch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::staging::{City, Clerk, Federation, Layout, Scheme, StageLine, Stop};

use self::figures::ExchangeFigures;

pub(crate) use self::figures::ANSWER;
pub(super) use self::steady::cities;

/// Voters of each group.
const VOTERS: usize = 3;

/// Where cases are handed in: its place in the ring.
const INTAKE: usize = 0;

/// How often it is looked how many are acknowledged: to tell it costs a node some milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    /// Writers, who share a few connections.
    pub(crate) writers: usize,
    /// Bytes of a form.
    pub(crate) bytes: usize,
    /// Seconds that are measured.
    pub(crate) seconds: u64,
    /// Leave the folders where they are.
    pub(crate) keep: bool,
}

impl Exchange {
    /// Measures one after the other. Whatever happens, no process is left behind.
    pub(crate) async fn measure(&self, output: Output) -> Result<Exit, Failure> {
        let mut stop = Stop::listen().context("listening for signals")?;
        let form = form_of_size(OTHER_CITY, self.bytes)
            .map_err(|cause| no_such_size("exchange", cause))?;
        let run = async |federation: &mut Federation| self.steady(federation, &form, output).await;
        let steady = self.within(&cities(), &mut stop, output, run).await?;
        let Some(steady) = steady else {
            return Ok(Exit::No);
        };
        let run = async |federation: &mut Federation| self.drain(federation, &form, output).await;
        let drained = self
            .within(&backlog::cities(), &mut stop, output, run)
            .await?;
        let Some(drained) = drained else {
            return Ok(Exit::No);
        };
        let figures = ExchangeFigures::of(self, steady, drained);
        output.answer(&figures);
        Ok(if figures.is_whole() {
            Exit::Yes
        } else {
            Exit::No
        })
    }

    /// One measurement in a folder of its own; `None` when told to stop.
    async fn within<T>(
        &self,
        cities: &[City],
        stop: &mut Stop,
        output: Output,
        measure: impl AsyncFnOnce(&mut Federation) -> anyhow::Result<T>,
    ) -> Result<Option<T>, Failure> {
        let folder = scratch(self.keep)?;
        let scheme = Scheme::of(cities, VOTERS, StageLine::OwnUnbounded);
        let layout = Layout::make(folder.path(), &scheme)?;
        let kept = self.keep.then(|| folder.path());
        let measured = in_federation(layout, stop, kept, output, measure).await?;
        measured.map_err(as_exchange)
    }

    /// The desk's front end, once a first case has gone all the way: calendar and items are in the logs.
    async fn front_end(
        &self,
        federation: &Federation,
        form: &str,
    ) -> anyhow::Result<Arc<FrontEnd>> {
        let token = federation.token(INTAKE, Role::Clerk, "bench");
        let token = token.map_err(|failure| failure.cause)?;
        let desk = federation.person(INTAKE, Role::Clerk, "bench-first");
        let mut first = Clerk::at(desk.map_err(|failure| failure.cause)?);
        let case = first
            .collect(OTHER_CITY.item, &serde_json::from_str(form)?, true)
            .await;
        let case = case.context("the first application")?;
        first.desk().until_state(&case, &["received"]).await?;
        FrontEnd::of(federation.site(INTAKE), &token, self.writers)
    }
}

/// What a look finds.
struct Found {
    acknowledged: u64,
    /// When so many were acknowledged: to read what processes used takes some time more.
    at: Instant,
    usage: Usage,
}

impl Found {
    async fn look(federation: &Federation) -> anyhow::Result<Self> {
        Ok(Self {
            acknowledged: acknowledged(federation).await?,
            at: Instant::now(),
            usage: Usage::read(federation, INTAKE).await?,
        })
    }
}

/// Packets of the receiving city whose answer its group has entered.
async fn acknowledged(federation: &Federation) -> anyhow::Result<u64> {
    let group = federation.city(INTAKE).code;
    let name = format!("tongban_group_parcels_total{{group=\"{group}\",fate=\"acknowledged\"}}");
    // None has come so far yet: no sample.
    Ok(sample(&metrics(federation, INTAKE).await?, &name).unwrap_or(0))
}

fn as_exchange(cause: anyhow::Error) -> Failure {
    failed("tongban bench exchange --keep", cause)
}
