//! Six cities as six processes on this machine, set up with the commands an operator types: keys, a
//! registry signed by five cities, a configuration each, tokens for people.

pub(crate) mod setup;
mod succession;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{NodeProcess, tongban, until};

use setup::{configuration, places, sample, sign_registry, text};

/// The cities in the order of the ring: each group has its own node and the next two as voters.
pub const CITIES: [(&str, &str); 6] = [
    ("350100", "福州市"),
    ("350300", "莆田市"),
    ("350900", "宁德市"),
    ("350700", "南平市"),
    ("610500", "渭南市"),
    ("621100", "定西市"),
];

/// Places of the cities the story is about.
pub const FUZHOU: usize = 0;
/// The authority of the story.
pub const WEINAN: usize = 4;

/// A start reads a log and opens a store; a busy machine with six of them takes seconds.
const START_LIMIT: Duration = Duration::from_mins(1);

/// One city on this machine.
#[derive(Clone, Debug)]
pub struct Place {
    /// GB/T 2260 code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// Its node.
    pub node: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Everything its process says.
    pub log: PathBuf,
    /// Where its API is.
    pub http: SocketAddr,
    /// Where other nodes reach it.
    pub federation: SocketAddr,
    /// Its configuration.
    pub config: PathBuf,
}

/// Six cities.
#[derive(Debug)]
pub struct Federation {
    /// The cities, in the order of the ring.
    pub places: Vec<Place>,
    /// The signed registry.
    pub registry: PathBuf,
    processes: Vec<Option<NodeProcess>>,
    folder: Option<TempDir>,
}

impl Federation {
    /// Sets six cities up; nothing runs yet. `log_level` is what their nodes log; what is `added`
    /// stands at the end of every configuration.
    pub fn prepare(log_level: &str, added: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tongban-test-").tempdir()?;
        let root = folder.path();
        let places = places(root)?;
        let (registry, pin) = sign_registry(root, &places)?;
        for (index, place) in places.iter().enumerate() {
            let mut text = configuration(&sample(index)?, place, &registry, &pin, log_level)?;
            text.push_str(added);
            fs::write(&place.config, text)?;
        }
        Ok(Self {
            processes: places.iter().map(|_| None).collect(),
            places,
            registry,
            folder: Some(folder),
        })
    }

    /// Sets six cities up, starts them, and returns when every group has a leader.
    pub fn start(log_level: &str) -> Result<Self> {
        Self::start_with(log_level, "")
    }

    /// The same, with something added to every configuration.
    pub fn start_with(log_level: &str, added: &str) -> Result<Self> {
        let mut federation = Self::prepare(log_level, added)?;
        for index in 0..CITIES.len() {
            federation.start_one(index)?;
        }
        for index in 0..CITIES.len() {
            federation.until_leading(index)?;
        }
        Ok(federation)
    }

    /// The governance key of a city, as its officers keep it offline.
    pub fn governance_key(&self, index: usize) -> PathBuf {
        setup::governance_key(self.root(), &self.places[index])
    }

    fn root(&self) -> &Path {
        let root = self.registry.parent();
        root.expect("the registry is a file in the folder")
    }

    /// Starts the process of a city; it does not answer yet.
    pub fn start_one(&mut self, index: usize) -> Result<()> {
        let place = &self.places[index];
        self.processes[index] = Some(NodeProcess::start(&place.config, &place.log)?);
        Ok(())
    }

    /// Whether the process of a city was started and not killed.
    pub fn is_running(&self, index: usize) -> bool {
        self.processes[index].is_some()
    }

    /// The process of a city.
    pub fn pid(&self, index: usize) -> Result<u32> {
        let process = self.processes[index].as_ref().context("it does not run")?;
        Ok(process.id())
    }

    /// `kill -9` of the process of a city.
    pub fn kill(&mut self, index: usize) -> Result<()> {
        let process = self.processes[index].take().context("it does not run")?;
        let log = self.places[index].log.display();
        process
            .kill()
            .with_context(|| format!("{}, {log}", self.places[index].name))
    }

    /// Ends the process of a city in good order.
    pub fn end_one(&mut self, index: usize) -> Result<()> {
        let process = self.processes[index].take().context("it does not run")?;
        process.end(START_LIMIT)
    }

    /// Ends every process in good order.
    pub fn end(&mut self) -> Result<()> {
        let running: Vec<_> = self.processes.iter_mut().filter_map(Option::take).collect();
        running
            .into_iter()
            .try_for_each(|process| process.end(START_LIMIT))
    }

    /// A person of a city at its API, with a token made for this.
    pub fn person(&self, index: usize, role: &str, person: &str) -> Result<Client> {
        Ok(Client::new(
            self.places[index].http,
            &self.token(index, role, person)?,
        ))
    }

    /// A token for a person of a city.
    pub fn token(&self, index: usize, role: &str, person: &str) -> Result<String> {
        let place = &self.places[index];
        let (data, node) = (text(&place.data)?, &place.node);
        let made = tongban(&[
            "token", "create", "--data", data, "--node", node, "--role", role, "--person", person,
        ])?;
        Ok(made["token"].as_str().context("a token")?.to_owned())
    }

    /// Returns once the city's own node sees its group led and follows.
    pub fn until_leading(&mut self, index: usize) -> Result<()> {
        let mut operator = self.person(index, "operator", "operator")?;
        let name = self.places[index].name;
        let log = self.places[index].log.clone();
        let process = self.processes[index].as_mut().context("it does not run")?;
        until(START_LIMIT, &format!("{name} has a leader"), || {
            if let Some(ended) = process.ended()? {
                let said = fs::read_to_string(&log).unwrap_or_default();
                anyhow::bail!("{name} ended by itself: {ended}\n{said}");
            }
            let status = operator.read("/api/v1/status").ok();
            Ok(status
                .filter(|status| status["groups"][0]["leader"].is_string())
                .map(drop))
        })
    }
}

impl Drop for Federation {
    fn drop(&mut self) {
        self.processes.clear();
        // What a failed test leaves is looked at.
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!(
                "the federation's folder is kept: {}",
                folder.keep().display()
            );
        }
    }
}

/// What a status says of the group of a city.
pub fn group_in<'a>(status: &'a Value, code: &str) -> Option<&'a Value> {
    status["groups"]
        .as_array()?
        .iter()
        .find(|group| group["group"] == code)
}
