//! The files of six cities on this machine, made as operators make them: a configuration each out of
//! the sample, keys, and a registry that five cities sign.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::{CITIES, Place};
use crate::process::tongban;

/// Signatures a registry of six cities needs.
const GOVERNANCE_NEEDED: usize = 5;

fn node_of(code: &str) -> String {
    format!("{code}-01")
}

pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the folder of temporary files is UTF-8")
}

pub(super) fn places(root: &Path) -> Result<Vec<Place>> {
    let ports = free_ports(2 * CITIES.len())?;
    let mut places = Vec::new();
    for ((code, name), ports) in CITIES.into_iter().zip(ports.chunks_exact(2)) {
        let own = root.join(code);
        fs::create_dir(&own)?;
        places.push(Place {
            code,
            name,
            node: node_of(code),
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
/// while a process is down. They are reserved until this process ends as the product reserves those of the
/// federations it stages: by listening at another address of this machine.
pub(crate) fn free_ports(count: usize) -> Result<Vec<u16>> {
    const RESERVED_AT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 84);
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let first = 20_000 + (since.subsec_micros() + std::process::id() * 97) % 10_000;
    let reserved = (first..first + 2_000).filter_map(|port| {
        let port = u16::try_from(port).ok()?;
        let reservation = TcpListener::bind((RESERVED_AT, port)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((port, reservation))
    });
    let reserved: Vec<_> = reserved.take(count).collect();
    ensure!(reserved.len() == count, "too few free ports");
    let keep = |(port, reservation): (u16, TcpListener)| {
        Box::leak(Box::new(reservation));
        port
    };
    Ok(reserved.into_iter().map(keep).collect())
}

/// Makes all keys and the registry, as the cities would between them; returns its file and the hash
/// of its governance keys.
pub(super) fn sign_registry(root: &Path, places: &[Place]) -> Result<(PathBuf, String)> {
    let mut plan = "expires = 2036-01-01T00:00:00Z\nkeys_from = 2020-01-01T00:00:00Z\n\
                    keys_until = 2037-01-01T00:00:00Z\n"
        .to_owned();
    for (index, place) in places.iter().enumerate() {
        let (data, node) = (text(&place.data)?, &place.node);
        let enrolment = tongban(&["key", "make", "--data", data, "--node", node])?;
        fs::write(root.join(format!("{node}.json")), enrolment.to_string())?;
        let key = governance_key(root, place);
        let governance = tongban(&["key", "make", "--governance", text(&key)?])?;
        let ring = (index..index + 3).map(|next| &places[next % places.len()].node);
        let voters: Vec<String> = ring.map(|node| format!("\"{node}\"")).collect();
        let city = format!(
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
        plan.push_str(&city);
    }
    let (file, registry) = (root.join("plan.toml"), root.join("registry.json"));
    fs::write(&file, plan)?;
    let path = text(&registry)?;
    let made = tongban(&["registry", "make", "--plan", text(&file)?, "--out", path])?;
    sign_by_cities(root, places, path)?;
    let pin = made["governance"]
        .as_str()
        .context("the hash of the governance keys")?
        .to_owned();
    let checked = tongban(&["registry", "check", path, "--pin", &pin])?;
    ensure!(checked["verdict"] == "valid", "{checked}");
    Ok((registry, pin))
}

/// Has as many cities sign a registry as it takes.
pub(super) fn sign_by_cities(root: &Path, places: &[Place], registry: &str) -> Result<()> {
    for place in places.iter().take(GOVERNANCE_NEEDED) {
        let key = governance_key(root, place);
        tongban(&["registry", "sign", registry, "--key", text(&key)?])?;
    }
    Ok(())
}

pub(super) fn governance_key(root: &Path, place: &Place) -> PathBuf {
    root.join(format!("governance-{}.key", place.code))
}

/// The sample an operator finds for a city.
pub(super) fn sample(index: usize) -> Result<String> {
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
pub(super) fn configuration(
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
        ("http", "tls", "off"),
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
                written.extend([key, " = \"", value, "\"\n"]);
            }
            None => written.extend([line, "\n"]),
        }
    }
    ensure!(
        made == changes.len(),
        "the sample lacks a key that differs here"
    );
    Ok(written)
}
