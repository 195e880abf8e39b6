//! Whom the links lead to, as the registry in force says: looked up at the start and again when a
//! newer registry has entered the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::{sleep, timeout};
use tongban_net::{Directory, Libp2pTransport, NetError, Peer};
use tongban_runtime::NodeHandle;
use tongban_trust::Registry;
use tongban_types::{Code, KeyRole};

use crate::exit::Exit;
use crate::failure::Coded;

/// A name that does not resolve in this time is passed over; the peer can still dial us.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(2);

/// How often the registry in force is looked at. A new one comes a few times a year.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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
}

/// The nodes with an active transport key and where they are reached.
pub(crate) async fn directory_of(registry: &Registry) -> Result<Directory, NetError> {
    let mut peers = Vec::new();
    for (id, node) in registry.nodes() {
        let Some(key) = node.active(KeyRole::Transport) else {
            continue;
        };
        let mut addresses = Vec::new();
        for address in &node.addresses {
            addresses.extend(resolve(address).await);
        }
        peers.push((
            id,
            Peer {
                key: key.public,
                addresses,
            },
        ));
    }
    Directory::new(peers)
}

async fn resolve(address: &str) -> Vec<SocketAddr> {
    if let Ok(address) = address.parse() {
        return vec![address];
    }
    if let Ok(Ok(found)) = timeout(LOOKUP_TIME_MAX, lookup_host(address)).await {
        return found.collect();
    }
    tracing::warn!(address, "the address of a peer does not resolve");
    Vec::new()
}

/// Follows the registry in force until the task is ended.
pub(crate) async fn follow_registry(node: Arc<dyn NodeHandle>, transport: Arc<Libp2pTransport>) {
    let mut version = node.registry().map_or(0, |registry| registry.version());
    loop {
        sleep(LOOK_EVERY).await;
        let Some(registry) = node.registry() else {
            continue;
        };
        if registry.version() == version {
            continue;
        }
        match directory_of(&registry).await {
            Ok(directory) => {
                transport.set_directory(directory);
                version = registry.version();
                tracing::info!(version, "the links follow a new registry");
            }
            Err(error) => tracing::error!(%error, "the links cannot follow the new registry"),
        }
    }
}
