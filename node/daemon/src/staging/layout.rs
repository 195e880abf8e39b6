//! The files of a federation on this machine: keys, a signed registry, and a configuration a node.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tongban_runtime::Forms;
use tongban_runtime::seams::{Entropy as _, WallClock as _};
use tongban_trust::{RegistryFile, SigningKey, governance_hash};
use tongban_types::{CityCode, DAY_MS, Hash, NodeId, SealingPublicKey, Timestamp};
use zeroize::Zeroizing;

use super::cities::City;
use super::ports::free_ports;
use super::sample::configuration;
use crate::failure::Failure;
use crate::files::replace;
use crate::keys::{HexKey, KeyFolder, write_seed};
use crate::platform::{OsEntropy, SystemClock};
use crate::registry::{CityPlan, NodePlan, Plan};
use crate::tls::{OWN_CERTIFICATE, Trust};

/// Numbers of a city's nodes.
const FIRST: u8 = 1;
const SECOND: u8 = 2;

/// Where everything of a federation on this machine is.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The folder of all of it.
    pub(crate) folder: PathBuf,
    /// The signed registry.
    pub(crate) registry: PathBuf,
    /// The hash of its governance keys.
    pub(crate) governance: Hash,
    /// The first node of each city, in the order of the ring, and behind them the second ones.
    pub(crate) sites: Vec<Site>,
}

/// One node of a city on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Whose.
    pub(crate) city: City,
    /// Which.
    pub(crate) node: NodeId,
    /// Its configuration.
    pub(crate) config: PathBuf,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// Its log.
    pub(crate) log: PathBuf,
    /// Where its process says that it answers.
    pub(crate) ready: PathBuf,
    /// Where its API is.
    pub(crate) http: SocketAddr,
    /// What its API is spoken over.
    pub(crate) line: StageLine,
    /// Whether its process seals forms.
    pub(crate) forms: Forms,
    /// Whether its node speaks QUIC beside TCP.
    pub(crate) quic: bool,
    /// Where it listens for other cities' nodes.
    pub(crate) federation: SocketAddr,
    /// Where the registry says that it listens: the same, or what stands in front of it.
    pub(crate) front: SocketAddr,
}

/// What a federation on this machine is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheme<'a> {
    /// The cities, in the order of the ring.
    pub(crate) cities: &'a [City],
    /// Voters of each group: the city's own nodes and the first ones of the next cities in the ring.
    pub(crate) voters: usize,
    /// Cities with two nodes of their own: their groups vote on both, so that each can go on without the
    /// other.
    pub(crate) with_two: &'a [u32],
    /// What the API of each is spoken over.
    pub(crate) line: StageLine,
    /// Cities whose nodes speak TCP alone, as where UDP is cut.
    pub(crate) without_quic: &'a [u32],
    /// Whose private half opens backups of the nodes.
    pub(crate) recovery: Option<SealingPublicKey>,
}

/// What the API of a staged node is spoken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StageLine {
    /// TLS with each node's own certificate, as people have it.
    Own,
    /// The same without a bound on how often one asks: to measure what is behind.
    OwnUnbounded,
    /// Without TLS and without a bound on how often one asks: to measure what is behind.
    PlainUnbounded,
}

impl Site {
    /// How a client here knows its node.
    pub(crate) fn trust(&self) -> Trust {
        match self.line {
            StageLine::Own | StageLine::OwnUnbounded => {
                Trust::Exactly(self.data.join(OWN_CERTIFICATE))
            }
            StageLine::PlainUnbounded => Trust::Plain,
        }
    }

    /// Where its API is, for people.
    pub(crate) fn url(&self) -> String {
        let scheme = match self.line {
            StageLine::Own | StageLine::OwnUnbounded => "https",
            StageLine::PlainUnbounded => "http",
        };
        format!("{scheme}://{}", self.http)
    }
}

impl<'a> Scheme<'a> {
    /// Cities of one node each that all speak QUIC, and that are not backed up.
    pub(crate) const fn of(cities: &'a [City], voters: usize, line: StageLine) -> Self {
        Self {
            cities,
            voters,
            with_two: &[],
            line,
            without_quic: &[],
            recovery: None,
        }
    }
}

impl Layout {
    /// Makes everything in an existing, empty folder.
    pub(crate) fn make(folder: &Path, scheme: &Scheme<'_>) -> Result<Self, Failure> {
        let sites = sites(&whole(folder)?, scheme)?;
        Self::make_of(folder, sites, scheme)
    }

    /// The same, with an address in front of each node that others reach it by: whoever makes it relays
    /// from there.
    pub(crate) fn make_apart(folder: &Path, scheme: &Scheme<'_>) -> Result<Self, Failure> {
        let mut sites = sites(&whole(folder)?, scheme)?;
        let fronts = free_ports(sites.len())?;
        for (site, front) in sites.iter_mut().zip(fronts) {
            site.front = (Ipv4Addr::LOCALHOST, front).into();
        }
        Self::make_of(folder, sites, scheme)
    }

    fn make_of(folder: &Path, sites: Vec<Site>, scheme: &Scheme<'_>) -> Result<Self, Failure> {
        let folder = whole(folder)?;
        let mut plan = Plan {
            expires: whole_second(SystemClock.now().plus_ms(365 * DAY_MS)),
            keys_from: whole_second(SystemClock.now().plus_ms(-DAY_MS)),
            keys_until: whole_second(SystemClock.now().plus_ms(730 * DAY_MS)),
            cities: Vec::new(),
        };
        let mut governance = Vec::new();
        for (place, site) in sites.iter().take(scheme.cities.len()).enumerate() {
            let key = governance_key(&folder, site)?;
            let nodes: Result<_, Failure> = own_sites(&sites, site).map(node_plan).collect();
            let voters = voters(&sites, scheme, place);
            plan.cities.push(city_plan(site, &key, voters, nodes?));
            governance.push(key);
        }
        let registry = plan.to_registry(&folder, None)?;
        let pin = governance_hash(&registry);
        let mut file = RegistryFile::unsigned(registry);
        let threshold = file.registry().threshold();
        for key in governance.iter().take(threshold) {
            file.sign(key);
        }
        let path = folder.join("registry.json");
        replace(&path, file.encode_indented().as_bytes(), 0o644)?;
        for site in &sites {
            let text = configuration(site, &path, pin, scheme.recovery)?;
            replace(&site.config, text.as_bytes(), 0o644)?;
        }
        Ok(Self {
            folder,
            registry: path,
            governance: pin,
            sites,
        })
    }
}

/// Paths are written into files that are read from elsewhere.
fn whole(folder: &Path) -> anyhow::Result<PathBuf> {
    folder
        .canonicalize()
        .context("the folder of the federation")
}

fn sites(folder: &Path, scheme: &Scheme<'_>) -> anyhow::Result<Vec<Site>> {
    let has_two = |city: &&City| scheme.with_two.contains(&city.code);
    let firsts = scheme.cities.iter().map(|city| (city, FIRST));
    let seconds = scheme.cities.iter().filter(has_two);
    let nodes: Vec<(&City, u8)> = firsts.chain(seconds.map(|city| (city, SECOND))).collect();
    let ports = free_ports(2 * nodes.len())?;
    let mut sites = Vec::with_capacity(nodes.len());
    for ((city, number), ports) in nodes.into_iter().zip(ports.chunks_exact(2)) {
        let node = NodeId::new(CityCode::new(city.code)?, number)?;
        let own = folder.join(if number == FIRST {
            city.code.to_string()
        } else {
            node.to_string()
        });
        std::fs::create_dir_all(&own).context("the folder of a node")?;
        sites.push(Site {
            city: *city,
            node,
            config: own.join("node.toml"),
            data: own.join("data"),
            log: own.join("node.log"),
            ready: own.join("ready.json"),
            forms: Forms::Sealed,
            quic: !scheme.without_quic.contains(&city.code),
            line: scheme.line,
            http: (Ipv4Addr::LOCALHOST, ports[0]).into(),
            federation: (Ipv4Addr::LOCALHOST, ports[1]).into(),
            front: (Ipv4Addr::LOCALHOST, ports[1]).into(),
        });
    }
    Ok(sites)
}

/// Draws a governance key and keeps it beside the cities, as each city would keep its own offline.
fn governance_key(folder: &Path, site: &Site) -> Result<SigningKey, Failure> {
    let seed = Zeroizing::new(OsEntropy.array());
    write_seed(
        &folder.join(format!("governance-{}.key", site.city.code)),
        &seed,
    )?;
    Ok(SigningKey::from_seed(&seed))
}

/// Every node of a site's city.
fn own_sites<'a>(sites: &'a [Site], site: &Site) -> impl Iterator<Item = &'a Site> {
    let city = site.node.city();
    sites.iter().filter(move |own| own.node.city() == city)
}

/// The voters of the group of the city at a place of the ring.
fn voters(sites: &[Site], scheme: &Scheme<'_>, place: usize) -> Vec<NodeId> {
    let ring = scheme.cities.len();
    let partners = (place + 1..place + ring).map(|next| &sites[next % ring]);
    let replicas = own_sites(sites, &sites[place]).chain(partners);
    replicas.map(|site| site.node).take(scheme.voters).collect()
}

fn city_plan(site: &Site, key: &SigningKey, voters: Vec<NodeId>, nodes: Vec<NodePlan>) -> CityPlan {
    CityPlan {
        code: site.node.city(),
        name: site.city.name.to_owned(),
        issuer: format!("https://{}.tongban.example", site.city.code),
        divisions: None,
        governance: Some(HexKey(key.public().0)),
        voters,
        nodes,
    }
}

/// Draws a node's keys and keeps them in its data folder; what the plan says of it.
fn node_plan(site: &Site) -> Result<NodePlan, Failure> {
    let keys = KeyFolder::of(&site.data);
    keys.make(site.node)?;
    let enrolment = keys.load()?.enrolment(site.node);
    let public = enrolment
        .keys()
        .into_iter()
        .map(|(role, key)| (role, HexKey(key.0)));
    Ok(NodePlan {
        id: site.node,
        addresses: vec![site.front.to_string()],
        enrolment: None,
        keys: Some(public.collect()),
        sealing: Some(HexKey(enrolment.sealing().0)),
        retired: false,
    })
}

/// Registries write times to the second.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(at.unix_seconds() * 1_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tongban_runtime::recovery_public;
    use tongban_types::GroupId;

    use super::super::cities::SIX_CITIES;
    use super::*;
    use crate::configuration::Configuration;
    use crate::registry::{believe, read_registry};

    #[test]
    fn what_is_made_is_what_a_node_accepts() {
        let folder = tempfile::tempdir().unwrap();
        let last = SIX_CITIES[5].code;
        let scheme = Scheme {
            without_quic: &[last],
            recovery: Some(recovery_public(&Zeroizing::new([7; 32]))),
            ..Scheme::of(&SIX_CITIES, 3, StageLine::Own)
        };
        let layout = Layout::make(folder.path(), &scheme).unwrap();
        let bytes = read_registry(&layout.registry).unwrap();
        let registry = believe(&bytes, Some(layout.governance)).unwrap();
        assert_eq!(registry.cities().count(), 6);
        for site in &layout.sites {
            let configuration = Configuration::read(&site.config).unwrap();
            assert_eq!(configuration.node, site.node);
            assert_eq!(configuration.http_listen, site.http);
            assert_eq!(configuration.governance, layout.governance);
            assert_eq!(configuration.federation_quic, site.city.code != last);
            assert_eq!(configuration.recovery_key, scheme.recovery);
        }
        let hosted = |node| {
            registry
                .cities()
                .filter(move |(_, city)| city.voters.contains(&node))
        };
        assert!(
            layout
                .sites
                .iter()
                .all(|site| hosted(site.node).count() == 3)
        );
    }

    #[test]
    fn a_city_with_two_nodes_votes_on_both_and_on_one_of_the_next_city() {
        let folder = tempfile::tempdir().unwrap();
        let scheme = Scheme {
            with_two: &[610_500],
            ..Scheme::of(&SIX_CITIES, 3, StageLine::Own)
        };
        let layout = Layout::make(folder.path(), &scheme).unwrap();
        let bytes = read_registry(&layout.registry).unwrap();
        let registry = believe(&bytes, Some(layout.governance)).unwrap();
        assert_eq!(
            (registry.cities().count(), registry.nodes().count()),
            (6, 7)
        );
        let weinan = GroupId(CityCode::new(610_500).unwrap());
        let voters: Vec<String> = registry
            .voters(weinan)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(voters, ["610500-01", "610500-02", "621100-01"]);
        for (place, site) in layout.sites.iter().enumerate() {
            assert_eq!(Configuration::read(&site.config).unwrap().node, site.node);
            assert_eq!(site.node.number(), if place == 6 { 2 } else { 1 });
        }
        let folders: BTreeSet<&PathBuf> = layout.sites.iter().map(|site| &site.data).collect();
        assert_eq!(folders.len(), 7, "each has its own");
    }
}
