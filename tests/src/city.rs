//! One city whose group has three voters, all its own machines, each a process here. With one of
//! them away a majority is the two others, so that what is replicated is durable at both.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::client::Client;
use crate::federation::setup::{free_ports, text};
use crate::process::{NodeProcess, tongban, until};

/// The city.
pub const CITY: &str = "350100";
/// A division of it, whose people it decides for itself.
pub const DISTRICT: &str = "350102";

/// Voters of its group.
const MACHINES: usize = 3;

/// A start reads a log, opens a store and waits for an election; a busy machine takes seconds.
const START_LIMIT: Duration = Duration::from_mins(1);

/// One machine of the city.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its node.
    pub node: String,
    /// Its data folder, with its keys.
    pub data: PathBuf,
    /// Everything its process says.
    pub log: PathBuf,
    /// Where its API is.
    pub http: SocketAddr,
    federation: SocketAddr,
    config: PathBuf,
}

/// The city.
#[derive(Debug)]
pub struct City {
    /// Its machines.
    pub machines: Vec<Machine>,
    /// The signed registry.
    pub registry: PathBuf,
    processes: Vec<Option<NodeProcess>>,
    folder: Arc<TempDir>,
}

impl City {
    /// Sets the city up in a folder; nothing runs yet. What is `added` stands at the end of every
    /// configuration.
    pub fn prepare(folder: TempDir, added: &str) -> Result<Self> {
        let root = folder.path();
        let machines = machines(root)?;
        let (registry, pin) = sign_registry(root, &machines)?;
        for machine in &machines {
            let text = configuration(machine, &registry, &pin)? + added;
            fs::write(&machine.config, text)?;
        }
        Ok(Self {
            processes: machines.iter().map(|_| None).collect(),
            machines,
            registry,
            folder: Arc::new(folder),
        })
    }

    /// The same city, nothing of it running, over the same folders.
    #[must_use]
    pub fn asleep(&self) -> Self {
        Self {
            machines: self.machines.clone(),
            registry: self.registry.clone(),
            processes: self.machines.iter().map(|_| None).collect(),
            folder: self.folder.clone(),
        }
    }

    /// Writes something else into a machine's configuration.
    pub fn rewrite(&self, index: usize, from: &str, to: &str) -> Result<()> {
        let config = &self.machines[index].config;
        let text = fs::read_to_string(config)?;
        ensure!(text.contains(from), "{from:?} is not in {text}");
        fs::write(config, text.replace(from, to)).context("a configuration")
    }

    /// Starts a machine; it does not answer yet.
    pub fn start(&mut self, index: usize) -> Result<()> {
        self.start_as(index, |_| Ok(()))
    }

    /// The same, with something done to the command first.
    pub fn start_as(
        &mut self,
        index: usize,
        prepare: impl FnOnce(&mut Command) -> Result<()>,
    ) -> Result<()> {
        let machine = &self.machines[index];
        let process = NodeProcess::start_as(&machine.config, &machine.log, prepare)?;
        self.processes[index] = Some(process);
        Ok(())
    }

    /// `kill -9` of a machine.
    pub fn kill(&mut self, index: usize) -> Result<()> {
        let process = self.processes[index].take().context("it does not run")?;
        process.kill()
    }

    /// Lets a machine end in good order.
    pub fn end(&mut self, index: usize) -> Result<()> {
        let process = self.processes[index].take().context("it does not run")?;
        process.end(START_LIMIT)
    }

    /// Waits for a machine that ends by itself.
    pub fn until_ended(&mut self, index: usize) -> Result<()> {
        let mut process = self.processes[index].take().context("it does not run")?;
        until(START_LIMIT, "the machine ends by itself", || {
            process.ended()
        })
        .map(drop)
    }

    /// A token for a person at a machine.
    pub fn token(&self, index: usize, role: &str, person: &str) -> Result<String> {
        let machine = &self.machines[index];
        let data = text(&machine.data)?;
        let made = tongban(&[
            "token",
            "create",
            "--data",
            data,
            "--node",
            &machine.node,
            "--role",
            role,
            "--person",
            person,
        ])?;
        Ok(made["token"].as_str().context("a token")?.to_owned())
    }

    /// A person at a machine, with a token made for this.
    pub fn person(&self, index: usize, role: &str, person: &str) -> Result<Client> {
        let token = self.token(index, role, person)?;
        Ok(Client::new(self.machines[index].http, &token))
    }

    /// Returns once a machine answers, and with `leading` once it sees its group led.
    pub fn until_answering(
        &mut self,
        index: usize,
        operator: &mut Client,
        leading: bool,
    ) -> Result<()> {
        let machine = &self.machines[index];
        let process = self.processes[index].as_mut().context("it does not run")?;
        until(START_LIMIT, &format!("{} answers", machine.node), || {
            if let Some(ended) = process.ended()? {
                let said = fs::read_to_string(&machine.log).unwrap_or_default();
                anyhow::bail!("{} ended by itself: {ended}\n{said}", machine.node);
            }
            let status = operator.read("/api/v1/status").ok();
            let is_there =
                |status: &serde_json::Value| !leading || status["groups"][0]["leader"].is_string();
            Ok(status.filter(is_there).map(drop))
        })
    }
}

fn machines(root: &Path) -> Result<Vec<Machine>> {
    let ports = free_ports(2 * MACHINES)?;
    let mut machines = Vec::new();
    for (number, ports) in (1..).zip(ports.chunks_exact(2)) {
        let node = format!("{CITY}-{number:02}");
        let own = root.join(&node);
        fs::create_dir(&own)?;
        machines.push(Machine {
            node,
            data: own.join("data"),
            log: own.join("node.log"),
            http: (Ipv4Addr::LOCALHOST, ports[0]).into(),
            federation: (Ipv4Addr::LOCALHOST, ports[1]).into(),
            config: own.join("node.toml"),
        });
    }
    Ok(machines)
}

/// Makes all keys and the registry; returns its file and the hash of its governance key.
fn sign_registry(root: &Path, machines: &[Machine]) -> Result<(PathBuf, String)> {
    let key = root.join("governance.key");
    let governance = tongban(&["key", "make", "--governance", text(&key)?])?;
    let voters: Vec<String> = machines
        .iter()
        .map(|one| format!("\"{}\"", one.node))
        .collect();
    let mut plan = format!(
        "expires = 2036-01-01T00:00:00Z\nkeys_from = 2020-01-01T00:00:00Z\n\
         keys_until = 2037-01-01T00:00:00Z\n[[city]]\ncode = \"{CITY}\"\nname = \"福州市\"\n\
         issuer = \"https://{CITY}.tongban.example\"\ngovernance = {}\nvoters = [{}]\n",
        governance["public"],
        voters.join(", "),
    );
    for Machine {
        node,
        data,
        federation,
        ..
    } in machines
    {
        let enrolment = tongban(&["key", "make", "--data", text(data)?, "--node", node])?;
        fs::write(root.join(format!("{node}.json")), enrolment.to_string())?;
        let enrolled = format!(
            "[[city.node]]\nid = \"{node}\"\naddresses = [\"{federation}\"]\n\
             enrolment = \"{node}.json\"\n"
        );
        plan.push_str(&enrolled);
    }
    let (file, registry) = (root.join("plan.toml"), root.join("registry.json"));
    fs::write(&file, plan)?;
    let path = text(&registry)?;
    let made = tongban(&["registry", "make", "--plan", text(&file)?, "--out", path])?;
    tongban(&["registry", "sign", path, "--key", text(&key)?])?;
    let pin = made["governance"]
        .as_str()
        .context("the hash of the governance key")?;
    let checked = tongban(&["registry", "check", path, "--pin", pin])?;
    ensure!(checked["verdict"] == "valid", "{checked}");
    Ok((registry, pin.to_owned()))
}

fn configuration(machine: &Machine, registry: &Path, pin: &str) -> Result<String> {
    let number = machine
        .node
        .rsplit('-')
        .next()
        .unwrap_or_default()
        .trim_start_matches('0');
    Ok(format!(
        "[node]\ncity = \"{CITY}\"\nnumber = {number}\n[data]\nfolder = \"{data}\"\n\
         [federation]\nlisten = \"{federation}\"\n[http]\nlisten = \"{http}\"\ntls = \"off\"\n\
         [registry]\nfile = \"{registry}\"\ngovernance = \"{pin}\"\n[log]\nlevel = \"info\"\n",
        data = text(&machine.data)?,
        federation = machine.federation,
        http = machine.http,
        registry = text(registry)?,
    ))
}
