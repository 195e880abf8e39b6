//! Whom the links lead to, as the registry in force says. Names are looked up at the start, when a
//! newer registry has entered the log, and now and then: a machine that moved is found again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tongban_api::Said;
use tongban_net::{Directory, Libp2pTransport, NetError, Peer};
use tongban_runtime::NodeHandle;
use tongban_runtime::seams::WallClock as _;
use tongban_trust::Registry;
use tongban_types::{Code, KeyRole, NodeId};

use crate::exit::Exit;
use crate::failure::Coded;
use crate::platform::SystemClock;
use crate::says;

/// A name that does not resolve in this time is passed over; the peer can still dial us.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(2);

/// How often the registry in force is looked at. A new one comes a few times a year.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks until names are looked up again: while dials fail, half a minute; else what resolvers keep
/// an answer for anyway.
const LOOKS_WHILE_DIALS_FAIL: u32 = 6;
const LOOKS_AT_EASE: u32 = 60;

impl Coded for NetError {
    fn code(&self) -> Code {
        Self::code(self)
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Listen { .. } => Exit::Conflict,
            _ => Exit::BadConfiguration,
        }
    }

    fn says(&self) -> Option<Said> {
        Some(says::of(self))
    }
}

/// The nodes with an active transport key and where they are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peers {
    registry_version: u64,
    peers: BTreeMap<NodeId, Peer>,
}

impl Peers {
    /// Looks every name of the registry up, all at once.
    pub(crate) async fn of(registry: &Registry) -> Self {
        let mut lookups = JoinSet::new();
        let mut peers = BTreeMap::new();
        for (id, node) in registry.nodes() {
            let Some(key) = node.active(KeyRole::Transport) else {
                continue;
            };
            let peer = Peer {
                key: key.public,
                addresses: Vec::new(),
            };
            peers.insert(id, peer);
            for (place, address) in node.addresses.iter().cloned().enumerate() {
                lookups.spawn(async move { (id, place, resolve(&address).await) });
            }
        }
        let mut found = lookups.join_all().await;
        // As the registry lists them, whatever came first.
        found.sort_unstable();
        for (id, _, addresses) in found {
            if let Some(peer) = peers.get_mut(&id) {
                peer.addresses.extend(addresses);
            }
        }
        Self {
            registry_version: registry.version(),
            peers,
        }
    }

    /// Where a name does not resolve now, the addresses it had are tried further.
    fn keeping(mut self, before: &Self) -> Self {
        for (id, peer) in &mut self.peers {
            if let Some(known) = before.peers.get(id).filter(|_| peer.addresses.is_empty()) {
                peer.addresses.clone_from(&known.addresses);
            }
        }
        self
    }

    /// As the links take them.
    pub(crate) fn directory(&self) -> Result<Directory, NetError> {
        Directory::new(self.peers.clone())
    }
}

async fn resolve(address: &str) -> Vec<SocketAddr> {
    if let Ok(address) = address.parse() {
        return vec![address];
    }
    if let Ok(Ok(found)) = timeout(LOOKUP_TIME_MAX, lookup_host(address)).await {
        let mut found: Vec<SocketAddr> = found.collect();
        // Resolvers turn their answers round.
        found.sort_unstable();
        return found;
    }
    tracing::warn!(address, "the address of a peer does not resolve");
    Vec::new()
}

/// Follows the registry in force and the names in it until the task is ended.
pub(crate) async fn follow_registry(
    node: Arc<dyn NodeHandle>,
    transport: Arc<Libp2pTransport>,
    mut peers: Peers,
) {
    let (mut looks, mut failed_before) = (0, transport.metrics().dials_failed);
    // The group judges by its own time whether a registry is expired; whoever is linked stays so.
    let mut passed_over = None;
    loop {
        sleep(LOOK_EVERY).await;
        looks += 1;
        let Some(registry) = node.registry() else {
            continue;
        };
        let failed = transport.metrics().dials_failed;
        let is_time = if failed == failed_before {
            looks >= LOOKS_AT_EASE
        } else {
            looks >= LOOKS_WHILE_DIALS_FAIL
        };
        if registry.version() == peers.registry_version && !is_time {
            continue;
        }
        (looks, failed_before) = (0, failed);
        if registry.version() != peers.registry_version && registry.is_expired(SystemClock.now()) {
            if passed_over != Some(registry.version()) {
                passed_over = Some(registry.version());
                let (version, code) = (registry.version(), Code::REGISTRY_EXPIRED);
                tracing::warn!(version, %code, "an expired registry brings no new peers");
            }
            continue;
        }
        let found = Peers::of(&registry).await.keeping(&peers);
        if found == peers {
            continue;
        }
        match found.directory() {
            Ok(directory) => {
                transport.set_directory(directory);
                tracing::info!(
                    version = registry.version(),
                    "the links follow new addresses"
                );
                peers = found;
            }
            Err(error) => tracing::error!(%error, "the links cannot follow the new registry"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tongban_trust::testing::SampleFederation;

    use super::*;

    #[tokio::test]
    async fn names_are_looked_up_and_addresses_kept_while_they_do_not_resolve() {
        let registry = SampleFederation::six_cities().registry;
        let peers = Peers::of(&registry).await;
        assert_eq!(peers.peers.len(), registry.nodes().count());
        assert!(
            resolve("localhost:7400")
                .await
                .iter()
                .all(|at| at.ip().is_loopback())
        );
        assert!(!resolve("localhost:7400").await.is_empty());
        let node = SampleFederation::node(0);
        let mut known = peers.clone();
        known.peers.get_mut(&node).unwrap().addresses = resolve("127.0.0.1:7400").await;
        let mut gone = known.clone();
        gone.peers.get_mut(&node).unwrap().addresses.clear();
        assert_eq!(gone.keeping(&known), known);
    }
}
