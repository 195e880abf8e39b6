//! Filling a group: writers hand applications in until it has as many cases as asked, and what it has is
//! counted by a node's metrics.

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::timeout;
use tongban_types::Role;

use crate::bench::form::OWN_CITY;
use crate::bench::front_end::FrontEnd;
use crate::bench::load::{Load, Pace, Quota, Writers, Written};
use crate::bench::usage::sample;
use crate::http_client::HttpClient;
use crate::output::Output;
use crate::staging::Federation;

/// A machine on which hundreds of writers work answers later.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often people are told how far it is.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// No case more in this time, longer than two elections and the writers' patience: the group is not well.
const STALLED_AFTER: Duration = Duration::from_mins(1);

/// Cases a second on the slowest disk that is worth measuring on.
const CASES_PER_SECOND_MIN: u64 = 50;

/// Requests that failed are made up for, some of which failed again.
const ROUNDS_MAX: usize = 3;

/// Of so many cases one may be missing in the end: numbers of a node's day are a million, and what is
/// refused uses one up.
const ONE_OF: u64 = 100;

/// Counts the cases of a city's group as its node knows them.
#[derive(Debug)]
pub(super) struct Meter {
    client: HttpClient,
    sample: String,
}

impl Meter {
    /// At the node of a place.
    pub(super) fn at(federation: &Federation, place: usize) -> anyhow::Result<Self> {
        let site = federation.site(place);
        let token = federation.token(place, Role::Operator, "bench-meter");
        let token = token.map_err(|failure| failure.cause)?;
        Ok(Self {
            client: HttpClient::new(site.http, site.trust(), Some(&token), PATIENCE),
            sample: format!("tongban_group_cases{{group=\"{}\"}}", site.city.code),
        })
    }

    /// How many there are now.
    pub(super) async fn cases(&mut self) -> anyhow::Result<u64> {
        let answer = self.client.get("/metrics").await?;
        sample(&String::from_utf8_lossy(&answer.body), &self.sample)
    }
}

/// What the group of a place is filled with, and by how many.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    /// How many cases it is to have.
    pub(super) cases: u64,
    /// Writers, who share a few connections.
    pub(super) writers: usize,
    /// The form of each case.
    pub(super) form: &'a str,
}

impl Filling<'_> {
    /// Hands in until the group has its cases; how long that took.
    pub(super) async fn fill(
        &self,
        federation: &Federation,
        place: usize,
        output: Output,
    ) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let end = begun + STALLED_AFTER + Duration::from_secs(self.cases / CASES_PER_SECOND_MIN);
        let token = federation.token(place, Role::Clerk, "bench");
        let token = token.map_err(|failure| failure.cause)?;
        let mut meter = Meter::at(federation, place)?;
        let mut first_failure = None;
        for _ in 0..ROUNDS_MAX {
            let missing = self.cases.saturating_sub(meter.cases().await?);
            if missing == 0 {
                break;
            }
            let load = Load {
                front_end: FrontEnd::of(federation.site(place), &token, self.writers)?,
                item: OWN_CITY.item,
                form: self.form.to_owned(),
                hand_over: false,
                pace: Pace::unbounded(),
                // What each of them took is not asked.
                begin: end,
                end,
                quota: Quota::of(missing),
            };
            let written = self.round(&load, &mut meter, output).await?;
            first_failure = first_failure.or(written.first_failure);
        }
        let took = begun.elapsed();
        let there = meter.cases().await?;
        ensure!(
            there >= self.cases - self.cases / ONE_OF,
            "只收了 {there} 件, 应为 {} 件 (too few were taken in): {}",
            self.cases,
            first_failure.unwrap_or_default()
        );
        Ok(took)
    }

    /// Until all writers have come to the end of their load.
    async fn round(
        &self,
        load: &Load,
        meter: &mut Meter,
        output: Output,
    ) -> anyhow::Result<Written> {
        let mut written = pin!(Writers::start(self.writers, load).finish());
        let (mut seen, mut grown) = (0, Instant::now());
        loop {
            if let Ok(written) = timeout(SAY_EVERY, written.as_mut()).await {
                return Ok(written);
            }
            let there = meter.cases().await?;
            output.talk(&format!("已收 {there} 件, 共 {} 件", self.cases));
            if there > seen {
                (seen, grown) = (there, Instant::now());
            }
            ensure!(
                grown.elapsed() < STALLED_AFTER,
                "停在 {there} 件 (no more cases are taken in)"
            );
        }
    }
}
