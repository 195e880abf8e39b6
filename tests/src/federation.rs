//! Six cities as six processes on this machine, set up with the commands an operator types: keys, a
//! registry signed by five cities, a configuration each, tokens for people.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::process::{NodeProcess, tongban, until};

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

/// Signatures a registry of six cities needs.
const GOVERNANCE_NEEDED: usize = 5;

/// A start reads a log and opens a store; a busy machine with six of them takes seconds.
const START_LIMIT: Duration = Duration::from_secs(60);

/// One city on this machine.
#[derive(Clone, Debug)]
pub struct Place {
    /// GB/T 2260 code.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// Its data folder.
    pub data: PathBuf,
    /// Everything its process says.
    pub log: PathBuf,
    /// Where its API is.
    pub http: SocketAddr,
    federation: SocketAddr,
    config: PathBuf,
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
    /// Sets six cities up; nothing runs yet. `log_level` is what their nodes log.
    pub fn prepare(log_level: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tongban-test-").tempdir()?;
        let root = folder.path();
        let places = places(root)?;
        let (registry, pin) = sign_registry(root, &places)?;
        for (index, place) in places.iter().enumerate() {
            let sample = sample(index)?;
            fs::write(
                &place.config,
                configuration(&sample, place, &registry, &pin, log_level)?,
            )?;
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
        let mut federation = Self::prepare(log_level)?;
        for index in 0..CITIES.len() {
            federation.start_one(index)?;
        }
        for index in 0..CITIES.len() {
            federation.until_leading(index)?;
        }
        Ok(federation)
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

    /// `kill -9` of the process of a city.
    pub fn kill(&mut self, index: usize) -> Result<()> {
        let process = self.processes[index].take().context("it does not run")?;
        let log = self.places[index].log.display();
        process
            .kill()
            .with_context(|| format!("{}, {log}", self.places[index].name))
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
        let (data, node) = (text(&place.data)?, node_of(place.code));
        let made = tongban(&[
            "token", "create", "--data", data, "--node", &node, "--role", role, "--person", person,
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

fn node_of(code: &str) -> String {
    format!("{code}-01")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the folder of temporary files is UTF-8")
}

fn places(root: &Path) -> Result<Vec<Place>> {
    let ports = free_ports(2 * CITIES.len())?;
    let mut places = Vec::new();
    for ((code, name), ports) in CITIES.into_iter().zip(ports.chunks_exact(2)) {
        let own = root.join(code);
        fs::create_dir(&own)?;
        places.push(Place {
            code,
            name,
            data: own.join("data"),
            log: own.join("node.log"),
            http: (Ipv4Addr::LOCALHOST, ports[0]).into(),
            federation: (Ipv4Addr::LOCALHOST, ports[1]).into(),
            config: own.join("node.toml"),
        });
    }
    Ok(places)
}

/// Free ports below the range the system gives to outgoing connections, so that they stay free
/// while a process is down.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let first = 20_000 + (since.subsec_micros() + std::process::id() * 97) % 10_000;
    let tried = (first..first + 2_000).filter_map(|port| {
        let port = u16::try_from(port).ok()?;
        Some((port, TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?))
    });
    // Held until all are found, so that none is found twice.
    let held: Vec<_> = tried.take(count).collect();
    ensure!(held.len() == count, "too few free ports");
    Ok(held.into_iter().map(|(port, _)| port).collect())
}

/// Makes all keys and the registry, as the cities would between them; returns its file and the hash
/// of its governance keys.
fn sign_registry(root: &Path, places: &[Place]) -> Result<(PathBuf, String)> {
    let mut plan = "expires = 2036-01-01T00:00:00Z\nkeys_from = 2020-01-01T00:00:00Z\n\
                    keys_until = 2037-01-01T00:00:00Z\n"
        .to_owned();
    for (index, place) in places.iter().enumerate() {
        let node = node_of(place.code);
        let enrolment = tongban(&["key", "make", "--data", text(&place.data)?, "--node", &node])?;
        fs::write(root.join(format!("{node}.json")), enrolment.to_string())?;
        let key = governance_key(root, place);
        let governance = tongban(&["key", "make", "--governance", text(&key)?])?;
        let ring = (index..index + 3).map(|next| node_of(places[next % places.len()].code));
        let voters: Vec<String> = ring.map(|node| format!("\"{node}\"")).collect();
        plan += &format!(
            "[[city]]\ncode = \"{code}\"\nname = \"{name}\"\n\
             issuer = \"https://{code}.tongban.example\"\ngovernance = {governance}\n\
             voters = [{voters}]\n[[city.node]]\nid = \"{node}\"\naddresses = [\"{address}\"]\n\
             enrolment = \"{node}.json\"\n",
            code = place.code,
            name = place.name,
            governance = governance["public"],
            voters = voters.join(", "),
            address = place.federation,
        );
    }
    let (file, registry) = (root.join("plan.toml"), root.join("registry.json"));
    fs::write(&file, plan)?;
    let path = text(&registry)?;
    let made = tongban(&["registry", "make", "--plan", text(&file)?, "--out", path])?;
    for place in places.iter().take(GOVERNANCE_NEEDED) {
        let key = governance_key(root, place);
        tongban(&["registry", "sign", path, "--key", text(&key)?])?;
    }
    let pin = made["governance"]
        .as_str()
        .context("the hash of the governance keys")?
        .to_owned();
    let checked = tongban(&["registry", "check", path, "--pin", &pin])?;
    ensure!(checked["verdict"] == "valid", "{checked}");
    Ok((registry, pin))
}

fn governance_key(root: &Path, place: &Place) -> PathBuf {
    root.join(format!("governance-{}.key", place.code))
}

/// The sample an operator finds for a city.
fn sample(index: usize) -> Result<String> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/six-cities");
    for entry in fs::read_dir(samples)? {
        let folder = entry?.path();
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.starts_with(CITIES[index].0) {
            return Ok(fs::read_to_string(folder.join("node.toml"))?);
        }
    }
    anyhow::bail!("there is no sample for {}", CITIES[index].1)
}

/// The sample with what differs on this machine.
fn configuration(
    sample: &str,
    place: &Place,
    registry: &Path,
    pin: &str,
    log_level: &str,
) -> Result<String> {
    let (federation, http) = (place.federation.to_string(), place.http.to_string());
    let changes = [
        ("data", "folder", text(&place.data)?),
        ("federation", "listen", federation.as_str()),
        ("http", "listen", http.as_str()),
        ("registry", "file", text(registry)?),
        ("registry", "governance", pin),
        ("log", "level", log_level),
    ];
    let (mut section, mut written, mut made) = (String::new(), String::new(), 0);
    for line in sample.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        let change = changes
            .iter()
            .find(|(at, name, _)| *at == section && *name == key);
        match change {
            Some((_, _, value)) => {
                made += 1;
                written += &format!("{key} = \"{value}\"\n");
            }
            None => written += &format!("{line}\n"),
        }
    }
    ensure!(
        made == changes.len(),
        "the sample lacks a key that differs here"
    );
    Ok(written)
}
