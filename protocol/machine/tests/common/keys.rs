//! Keys made from the names of their holders, so that every run signs the same bytes.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use tongban_trust::SigningKey;
use tongban_types::{CityCode, KeyRole, NodeId, sha256_parts};

type Name = (String, KeyRole);

static MADE: LazyLock<Mutex<BTreeMap<Name, &'static SigningKey>>> =
    LazyLock::new(|| Mutex::new(BTreeMap::new()));

fn key(holder: &str, role: KeyRole) -> &'static SigningKey {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry((holder.to_owned(), role)).or_insert_with(|| {
        let seed = sha256_parts(&[b"machine tests", holder.as_bytes(), role.name().as_bytes()]);
        Box::leak(Box::new(SigningKey::from_seed(&seed.0)))
    })
}

/// The key of a node in a role.
pub(crate) fn key_of(node: NodeId, role: KeyRole) -> &'static SigningKey {
    key(&node.to_string(), role)
}

/// The command key of a node.
pub(crate) fn command_key(node: NodeId) -> &'static SigningKey {
    key_of(node, KeyRole::Command)
}

/// The voter key of a node.
pub(crate) fn voter_key(node: NodeId) -> &'static SigningKey {
    key_of(node, KeyRole::Voter)
}

/// The offline key of a city.
pub(crate) fn governance_key(city: CityCode) -> &'static SigningKey {
    key(&city.to_string(), KeyRole::Governance)
}

/// A key no registry knows.
pub(crate) fn stranger() -> &'static SigningKey {
    key("a stranger", KeyRole::Voter)
}
