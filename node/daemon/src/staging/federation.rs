//! The processes of a federation on this machine, and what can be asked of them together.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::sleep;
use tongban_types::Role;

use super::case::Desk;
use super::child::{ChildNode, START_TIME_MAX};
use super::cities::City;
use super::layout::{Layout, Site};
use super::staff::make_token;
use crate::failure::Failure;
use crate::http_client::ClientError;
use crate::output::Reader;

/// Elections take two seconds; on a busy machine several of them.
const LEADER_TIME_MAX: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A lead that was handed over is taken up within a few round trips. Asked for again before that, it would
/// begin a second election.
const HAND_OVER_TIME: Duration = Duration::from_millis(500);

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
        self.launch()?;
        self.until_ready(START_TIME_MAX).await
    }

    /// Starts every process; none answers yet.
    pub(crate) fn launch(&mut self) -> anyhow::Result<()> {
        for (site, child) in self.layout.sites.iter().zip(&mut self.children) {
            *child = Some(ChildNode::start(site)?);
        }
        Ok(())
    }

    /// Returns when every process answers; an error if one ends, or is waited for longer than `time_max`.
    pub(crate) async fn until_ready(&mut self, time_max: Duration) -> anyhow::Result<()> {
        for (site, child) in self.layout.sites.iter().zip(&mut self.children) {
            let child = child.as_mut().context("a process was not started")?;
            child.until_ready(site, time_max).await?;
        }
        Ok(())
    }

    /// The city of the node at a place: of the ring, or behind it for a second node.
    pub(crate) fn city(&self, place: usize) -> City {
        self.layout.sites[place].city
    }

    /// The site at a place.
    pub(crate) fn site(&self, place: usize) -> &Site {
        &self.layout.sites[place]
    }

    /// The place of a city in the ring, which is that of its first node.
    pub(crate) fn place_of(&self, code: u32) -> anyhow::Result<usize> {
        let mut sites = self.layout.sites.iter();
        sites
            .position(|site| site.city.code == code)
            .context("a city of the federation")
    }

    /// The place of the other node of a city that has two.
    pub(crate) fn other_node(&self, place: usize) -> Option<usize> {
        let city = self.site(place).node.city();
        let is_other = |other: &usize| *other != place && self.site(*other).node.city() == city;
        (0..self.layout.sites.len()).find(is_other)
    }

    /// A node as a reader says it: by its city, and by its number too where the city has two.
    pub(crate) fn node_name(&self, place: usize, reader: Reader) -> String {
        let site = self.site(place);
        let city = site.city.name_for(reader);
        if self.other_node(place).is_some() {
            format!("{city} {}", site.node)
        } else {
            city.to_owned()
        }
    }

    /// Whether the process of a place was started and neither killed nor ended since.
    pub(crate) fn is_running(&self, place: usize) -> bool {
        self.children[place].is_some()
    }

    /// A person of a city at the API of one of its nodes.
    pub(crate) fn person(&self, place: usize, role: Role, name: &str) -> Result<Desk, Failure> {
        Ok(Desk::new(self.site(place), &self.token(place, role, name)?))
    }

    /// A token for a person of a city at one of its nodes.
    pub(crate) fn token(&self, place: usize, role: Role, name: &str) -> Result<String, Failure> {
        make_token(self.site(place), role, name)
    }

    /// Process id of the node of a place.
    pub(crate) fn pid(&self, place: usize) -> anyhow::Result<u32> {
        let child = self.children[place].as_ref();
        child
            .and_then(ChildNode::pid)
            .context("a process does not run")
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

    /// Has the group of a city led at a place, by the order an operator gives; returns once it is.
    pub(crate) async fn lead_at(&self, group: usize, place: usize) -> anyhow::Result<()> {
        let path = format!("/api/v1/groups/{}/lead", self.city(group).code);
        let order = Bytes::from(json!({"to": self.site(place).node.to_string()}).to_string());
        let begun = Instant::now();
        loop {
            let pause = match self.leader_of(group).await {
                Some(leader) if leader == place => return Ok(()),
                Some(leader) => {
                    let mut desk = Desk::new(self.site(leader), &self.operators[leader]);
                    // Refused while the other one lags or the lead is changing: then it is asked again.
                    let _ = desk.client.post(&path, &[], order.clone()).await;
                    HAND_OVER_TIME
                }
                None => LOOK_EVERY,
            };
            if begun.elapsed() > LEADER_TIME_MAX {
                bail!(
                    "{}的审批组没有由 {} 主持 (its group is not led there)",
                    self.city(group).name,
                    self.site(place).node
                );
            }
            sleep(pause).await;
        }
    }

    /// Kills the process of a place.
    pub(crate) async fn kill(&mut self, place: usize) -> anyhow::Result<ExitStatus> {
        match self.children[place].take() {
            Some(child) => child.kill().await,
            None => bail!(
                "{}的进程没有运行 (its process does not run)",
                self.city(place).name
            ),
        }
    }

    /// Starts the process of a place again, and returns when it answers.
    pub(crate) async fn restart(&mut self, place: usize) -> anyhow::Result<()> {
        let site = &self.layout.sites[place];
        let mut child = ChildNode::start(site)?;
        child.until_ready(site, START_TIME_MAX).await?;
        self.children[place] = Some(child);
        Ok(())
    }

    /// Ends every process in good order, to be started again; all are told before any is waited for, at most
    /// `time_max` each.
    pub(crate) async fn stop(&mut self, time_max: Duration) -> anyhow::Result<()> {
        for child in self.children.iter_mut().flatten() {
            child.tell_to_end();
        }
        for place in &mut self.children {
            if let Some(child) = place {
                child.until_ended(time_max).await?;
            }
            *place = None;
        }
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
