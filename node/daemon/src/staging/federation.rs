//! The processes of a federation on this machine, and what can be asked of them together.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::time::sleep;
use tongban_types::Role;

use super::case::Desk;
use super::child::ChildNode;
use super::cities::City;
use super::layout::{Layout, Site};
use super::staff::make_token;
use crate::failure::Failure;
use crate::http_client::ClientError;

/// Elections take two seconds; on a busy machine several of them.
const LEADER_TIME_MAX: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A federation of processes.
#[derive(Debug)]
pub(crate) struct Federation {
    /// Its files.
    pub(crate) layout: Layout,
    children: Vec<Option<ChildNode>>,
    operators: Vec<String>,
}

impl Federation {
    /// Makes the files; nothing runs yet.
    pub(crate) fn prepare(layout: Layout) -> Result<Self, Failure> {
        let operators = layout.sites.iter();
        let operators: Result<_, _> = operators
            .map(|site| make_token(site, Role::Operator, "operator"))
            .collect();
        let children = layout.sites.iter().map(|_| None).collect();
        Ok(Self {
            layout,
            children,
            operators: operators?,
        })
    }

    /// Starts every process, and returns when all answer.
    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        for (site, child) in self.layout.sites.iter().zip(&mut self.children) {
            *child = Some(ChildNode::start(site)?);
        }
        for (site, child) in self.layout.sites.iter().zip(&mut self.children) {
            child
                .as_mut()
                .context("it was just started")?
                .until_ready(site)
                .await?;
        }
        Ok(())
    }

    /// The city at a place of the ring.
    pub(crate) fn city(&self, place: usize) -> City {
        self.layout.sites[place].city
    }

    /// The site at a place of the ring.
    pub(crate) fn site(&self, place: usize) -> &Site {
        &self.layout.sites[place]
    }

    /// The place of a city.
    pub(crate) fn place_of(&self, code: u32) -> anyhow::Result<usize> {
        let mut sites = self.layout.sites.iter();
        sites
            .position(|site| site.city.code == code)
            .context("a city of the federation")
    }

    /// A person of a city at its API.
    pub(crate) fn person(&self, place: usize, role: Role, name: &str) -> Result<Desk, Failure> {
        Ok(Desk::new(self.site(place), &self.token(place, role, name)?))
    }

    /// A token for a person of a city.
    pub(crate) fn token(&self, place: usize, role: Role, name: &str) -> Result<String, Failure> {
        make_token(self.site(place), role, name)
    }

    /// Process ids of all that run.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.children
            .iter()
            .flatten()
            .filter_map(ChildNode::pid)
            .collect()
    }

    /// The same for people.
    pub(crate) fn pids_said(&self) -> String {
        let pids: Vec<String> = self.pids().iter().map(ToString::to_string).collect();
        pids.join(" ")
    }

    /// What a node says of itself.
    pub(crate) async fn status(&self, place: usize) -> Option<Value> {
        let mut desk = Desk::new(self.site(place), &self.operators[place]);
        desk.read("/api/v1/status").await.ok()
    }

    /// The other nodes, as the node of a place is linked with them.
    pub(crate) async fn peers(&self, place: usize) -> Result<Value, ClientError> {
        let mut desk = Desk::new(self.site(place), &self.operators[place]);
        desk.read("/api/v1/peers").await
    }

    /// The place whose process leads the group of a city, if its replicas agree that one does.
    pub(crate) async fn leader_of(&self, group: usize) -> Option<usize> {
        let code = self.city(group).code.to_string();
        for place in 0..self.layout.sites.len() {
            if self.children[place].is_none() {
                continue;
            }
            let Some(status) = self.status(place).await else {
                continue;
            };
            let Some(report) = group_in(&status, &code) else {
                continue;
            };
            if report["leader"] == status["node"] && report["stopped"] == false {
                return Some(place);
            }
        }
        None
    }

    /// Kills the process of a city.
    pub(crate) async fn kill(&mut self, place: usize) -> anyhow::Result<ExitStatus> {
        match self.children[place].take() {
            Some(child) => child.kill().await,
            None => bail!(
                "{}的进程没有运行 (its process does not run)",
                self.city(place).name
            ),
        }
    }

    /// Starts the process of a city again, and returns when it answers.
    pub(crate) async fn restart(&mut self, place: usize) -> anyhow::Result<()> {
        let site = &self.layout.sites[place];
        let mut child = ChildNode::start(site)?;
        child.until_ready(site).await?;
        self.children[place] = Some(child);
        Ok(())
    }

    /// Ends every process; returns when all are gone.
    pub(crate) async fn end(&mut self) {
        let children: Vec<ChildNode> = self.children.iter_mut().filter_map(Option::take).collect();
        let ends = children.into_iter().map(|child| tokio::spawn(child.end()));
        // All are told before any is waited for.
        for end in ends.collect::<Vec<_>>() {
            let _ = end.await;
        }
    }
}

fn group_in<'a>(status: &'a Value, code: &str) -> Option<&'a Value> {
    status["groups"]
        .as_array()?
        .iter()
        .find(|group| group["group"] == code)
}

/// Returns the place that leads the group of a city, once there is one other than `except`.
pub(crate) async fn wait_until_leading(
    federation: &Federation,
    group: usize,
    except: Option<usize>,
) -> anyhow::Result<usize> {
    let begun = Instant::now();
    loop {
        match federation.leader_of(group).await {
            Some(leader) if Some(leader) != except => return Ok(leader),
            _ if begun.elapsed() > LEADER_TIME_MAX => {
                bail!(
                    "{}的审批组没有选出主副本 (its group elected no leader)",
                    federation.city(group).name
                )
            }
            _ => sleep(LOOK_EVERY).await,
        }
    }
}
