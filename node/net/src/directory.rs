//! Who is enrolled, by which key, and where to dial them. The registry says so; here it is only
//! looked up. Replaced whole, so that no reader sees half of a change.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use libp2p::{PeerId, identity};
use tongban_types::{NodeId, PublicKey};

use crate::config::NetError;

/// Addresses of one peer that are dialed; a dial tries them all, so their number bounds its cost.
const ADDRESSES_MAX: usize = 8;

/// One enrolled node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its Ed25519 key of role transport.
    pub key: PublicKey,
    /// Where it takes connections; the first eight are dialed. Empty: it can only dial us.
    pub addresses: Vec<SocketAddr>,
}

/// The enrolled nodes: who may connect, and to whom requests may go.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    by_node: BTreeMap<NodeId, Enrolled>,
    by_identity: HashMap<PeerId, NodeId>,
    machines: HashSet<IpAddr>,
}

#[derive(Clone, Debug)]
struct Enrolled {
    identity: PeerId,
    addresses: Vec<SocketAddr>,
}

impl Directory {
    /// Checks that every key is one and that none stands twice.
    pub fn new(peers: impl IntoIterator<Item = (NodeId, Peer)>) -> Result<Self, NetError> {
        let mut directory = Self::default();
        for (node, peer) in peers {
            let identity = identity_of(&peer.key).ok_or(NetError::MalformedKey { node })?;
            if let Some(first) = directory.by_identity.insert(identity, node)
                && first != node
            {
                let second = node;
                return Err(NetError::SharedKey { first, second });
            }
            let addresses: Vec<_> = peer.addresses.into_iter().take(ADDRESSES_MAX).collect();
            let machines = addresses.iter().map(|address| address.ip().to_canonical());
            directory.machines.extend(machines);
            let enrolled = Enrolled {
                identity,
                addresses,
            };
            if let Some(former) = directory.by_node.insert(node, enrolled)
                && former.identity != identity
            {
                directory.by_identity.remove(&former.identity);
            }
        }
        Ok(directory)
    }

    /// Whether the node is enrolled.
    pub fn is_enrolled(&self, node: NodeId) -> bool {
        self.by_node.contains_key(&node)
    }

    /// The enrolled nodes and the libp2p names of their keys, by node.
    pub fn peers(&self) -> impl Iterator<Item = (NodeId, String)> + '_ {
        let enrolled = self.by_node.iter();
        enrolled.map(|(node, enrolled)| (*node, enrolled.identity.to_string()))
    }

    pub(crate) fn node_of(&self, identity: &PeerId) -> Option<NodeId> {
        self.by_identity.get(identity).copied()
    }

    pub(crate) fn identity_of(&self, node: NodeId) -> Option<PeerId> {
        self.by_node.get(&node).map(|enrolled| enrolled.identity)
    }

    pub(crate) fn addresses_of(&self, node: NodeId) -> &[SocketAddr] {
        self.by_node
            .get(&node)
            .map_or(&[], |enrolled| &enrolled.addresses)
    }

    /// Whether an enrolled node is known to be at this address.
    pub(crate) fn is_machine(&self, address: IpAddr) -> bool {
        self.machines.contains(&address.to_canonical())
    }
}

/// The directory in force, shared by everything that asks it.
#[derive(Debug)]
pub(crate) struct DirectoryInForce(RwLock<Arc<Directory>>);

impl DirectoryInForce {
    pub(crate) fn new(directory: Directory) -> Self {
        Self(RwLock::new(Arc::new(directory)))
    }

    pub(crate) fn get(&self) -> Arc<Directory> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, directory: Directory) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }
}

/// The libp2p name of a transport key; `None` when the bytes are no point of the curve.
fn identity_of(key: &PublicKey) -> Option<PeerId> {
    let key = identity::ed25519::PublicKey::try_from_bytes(&key.0).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::new("350100".parse().unwrap(), number).unwrap()
    }

    fn peer(seed: u8) -> Peer {
        let keypair = identity::Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        let key = keypair.public().try_into_ed25519().unwrap().to_bytes();
        Peer {
            key: PublicKey(key),
            addresses: vec!["127.0.0.1:7400".parse().unwrap()],
        }
    }

    #[test]
    fn a_node_is_found_by_its_key_and_by_its_name() {
        let directory = Directory::new([(node(1), peer(1)), (node(2), peer(2))]).unwrap();
        let identity = directory.identity_of(node(2)).unwrap();
        assert_eq!(directory.node_of(&identity), Some(node(2)));
        assert_eq!(
            directory.addresses_of(node(2)),
            ["127.0.0.1:7400".parse().unwrap()]
        );
        assert!(directory.is_machine("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!directory.is_machine("127.0.0.2".parse().unwrap()));
        assert!(!directory.is_enrolled(node(3)));
        assert!(directory.addresses_of(node(3)).is_empty());
    }

    #[test]
    fn one_key_cannot_stand_for_two_nodes() {
        let refused = Directory::new([(node(1), peer(1)), (node(2), peer(1))]);
        assert!(matches!(refused, Err(NetError::SharedKey { .. })));
    }

    #[test]
    fn bytes_off_the_curve_are_no_key() {
        let off_the_curve = Peer {
            key: PublicKey([2; 32]),
            addresses: Vec::new(),
        };
        let refused = Directory::new([(node(1), off_the_curve)]);
        assert!(matches!(refused, Err(NetError::MalformedKey { .. })));
    }
}
