//! What a registry says, as plain records: cities, their nodes, the nodes' keys. Nothing here is
//! checked; [`Registry`](super::Registry) is the checked form.

use std::collections::BTreeMap;

use tongban_types::{CityCode, KeyRole, NodeId, PublicKey, SealingPublicKey, Timestamp};

/// Everything a registry says. The governance threshold follows from the number of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryDraft {
    /// Counts up by one from registry to registry; the first is 1.
    pub version: u64,
    /// From then on new peers and new keys are refused.
    pub expires: Timestamp,
    /// The offline keys that sign registries, at most one a city.
    pub governance: BTreeMap<CityCode, PublicKey>,
    /// The members.
    pub cities: BTreeMap<CityCode, CityEntry>,
}

/// A member of the federation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityEntry {
    /// Its name in Chinese.
    pub name: String,
    /// The HTTPS URL that its documents name as their issuer.
    pub issuer: String,
    /// The divisions it answers for, as prefixes of GB/T 2260 codes: 2, 4 or 6 digits.
    pub divisions: Vec<String>,
    /// Its machines.
    pub nodes: BTreeMap<NodeId, NodeEntry>,
    /// The voters of its approval group, which may be other cities' nodes.
    pub voters: Vec<NodeId>,
}

/// A machine of a city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEntry {
    /// Where it is reached: `host:port`.
    pub addresses: Vec<String>,
    /// Its signing keys, retired ones too: what they signed is still to be checked.
    pub keys: Vec<KeyEntry>,
    /// The X25519 key to which case keys are wrapped.
    pub sealing: SealingPublicKey,
}

/// A signing key and the time in which it may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// What it signs.
    pub role: KeyRole,
    /// Its public half.
    pub public: PublicKey,
    /// Whether it is in use.
    pub state: KeyState,
    /// It signs from then on.
    pub not_before: Timestamp,
    /// It signs until then.
    pub not_after: Timestamp,
}

/// Whether a key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It signs.
    Active,
    /// It signs no more; what it signed before stays to be checked.
    Retired,
}

impl KeyState {
    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

impl KeyEntry {
    /// Whether the time in which it may sign holds `at`.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }
}

impl NodeEntry {
    /// Its active key of a role.
    pub fn active(&self, role: KeyRole) -> Option<&KeyEntry> {
        self.keys
            .iter()
            .find(|key| key.role == role && key.state == KeyState::Active)
    }
}

/// Roles whose keys a node holds; each working node has one active key of the first four.
pub(super) const NODE_ROLES: [KeyRole; 5] = [
    KeyRole::Transport,
    KeyRole::Command,
    KeyRole::Voter,
    KeyRole::Receipt,
    KeyRole::Issuer,
];

/// Roles a working node cannot do without; only issuing may be left to other nodes of the city.
pub(super) const REQUIRED_ROLES: [KeyRole; 4] = [
    KeyRole::Transport,
    KeyRole::Command,
    KeyRole::Voter,
    KeyRole::Receipt,
];
