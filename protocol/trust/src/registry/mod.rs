//! The registry of the federation: which cities are members, what they answer for, their machines
//! and keys, and who votes where. A `Registry` is checked; that it is also signed is said by
//! `Verified<Registry>`.

mod check;
mod decode;
mod draft;
mod encode;
mod entry;
mod envelope;
mod error;
mod history;
pub(crate) mod instant;
mod key_id;
mod rule;
mod text;

use std::collections::BTreeMap;

use tongban_types::{CityCode, GroupId, KeyRole, NodeId, PublicKey, Timestamp};

pub use draft::NodeEnrolment;
pub use entry::{CityEntry, KeyEntry, KeyState, NodeEntry, RegistryDraft};
pub use envelope::{RegistryFile, governance_hash, verify_first, verify_next};
pub use error::RegistryError;
pub use key_id::KeyId;
pub use rule::{CityRule, GovernanceOf, Holder, NodeRule, WholeRule};

/// A registry that keeps every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    content: RegistryDraft,
    holders: BTreeMap<PublicKey, KeyHolder>,
    thumbprints: BTreeMap<String, PublicKey>,
    divisions: BTreeMap<String, CityCode>,
    issuers: BTreeMap<String, CityCode>,
}

/// Whose a signing key of a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The node that holds it.
    pub node: NodeId,
    /// The key, its role and its times.
    pub entry: KeyEntry,
}

impl Registry {
    /// Checks every rule.
    fn of(content: RegistryDraft) -> Result<Self, RegistryError> {
        check::check(&content)?;
        let mut registry = Self {
            content,
            holders: BTreeMap::new(),
            thumbprints: BTreeMap::new(),
            divisions: BTreeMap::new(),
            issuers: BTreeMap::new(),
        };
        for (code, city) in &registry.content.cities {
            registry.issuers.insert(city.issuer.clone(), *code);
            for prefix in &city.divisions {
                registry.divisions.insert(prefix.clone(), *code);
            }
            for (node, entry) in &city.nodes {
                for key in &entry.keys {
                    let holder = KeyHolder {
                        node: *node,
                        entry: *key,
                    };
                    registry.holders.insert(key.public, holder);
                    if key.role == KeyRole::Issuer {
                        registry
                            .thumbprints
                            .insert(key.public.thumbprint(), key.public);
                    }
                }
            }
        }
        Ok(registry)
    }

    /// What it says, as plain records.
    pub fn content(&self) -> &RegistryDraft {
        &self.content
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.content.version
    }

    /// When it expires.
    pub fn expires(&self) -> Timestamp {
        self.content.expires
    }

    /// Whether it is expired: collecting, timers and existing cases go on, new peers and keys do
    /// not.
    pub fn is_expired(&self, at: Timestamp) -> bool {
        at >= self.content.expires
    }

    /// The members, in order.
    pub fn cities(&self) -> impl Iterator<Item = (CityCode, &CityEntry)> {
        self.content.cities.iter().map(|(code, city)| (*code, city))
    }

    /// All enrolled nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeEntry)> {
        self.content
            .cities
            .values()
            .flat_map(|city| city.nodes.iter().map(|(id, node)| (*id, node)))
    }

    /// A member.
    pub fn city(&self, code: CityCode) -> Option<&CityEntry> {
        self.content.cities.get(&code)
    }

    /// The member that answers for a six-digit division, by the longest prefix.
    pub fn city_of_division(&self, division: u32) -> Option<CityCode> {
        if division > 999_999 {
            return None;
        }
        let digits = format!("{division:06}");
        [6, 4, 2]
            .iter()
            .find_map(|length| self.divisions.get(&digits[..*length]).copied())
    }

    /// The member of an issuer URL, exactly.
    pub fn city_of_issuer(&self, issuer: &str) -> Option<CityCode> {
        self.issuers.get(issuer).copied()
    }

    /// An enrolled node.
    pub fn node(&self, node: NodeId) -> Option<&NodeEntry> {
        self.city(node.city())?.nodes.get(&node)
    }

    /// The node whose active transport key this is.
    pub fn node_by_transport(&self, key: PublicKey) -> Option<NodeId> {
        self.key_holder(KeyRole::Transport, key)
    }

    /// Whose a node's signing key is, retired ones too.
    pub fn key(&self, key: PublicKey) -> Option<&KeyHolder> {
        self.holders.get(&key)
    }

    /// The node that holds this key in this role, if the key is active.
    pub fn key_holder(&self, role: KeyRole, key: PublicKey) -> Option<NodeId> {
        let holder = self.holders.get(&key)?;
        let is_active = holder.entry.state == KeyState::Active;
        (holder.entry.role == role && is_active).then_some(holder.node)
    }

    /// As `key_holder`, and the key may sign at that time.
    pub fn key_holder_at(&self, role: KeyRole, key: PublicKey, at: Timestamp) -> Option<NodeId> {
        let node = self.key_holder(role, key)?;
        self.holders.get(&key)?.entry.covers(at).then_some(node)
    }

    /// The active key of a node in a role.
    pub fn key_of(&self, role: KeyRole, node: NodeId) -> Option<PublicKey> {
        self.node(node)?.active(role).map(|key| key.public)
    }

    /// Whether this is an active command key of one of the city's nodes.
    pub fn command_key_of(&self, city: CityCode, key: PublicKey) -> bool {
        self.key_holder(KeyRole::Command, key)
            .is_some_and(|node| node.city() == city)
    }

    /// The issuer key of an RFC 7638 thumbprint, retired ones too.
    pub fn issuer_key(&self, thumbprint: &str) -> Option<&KeyHolder> {
        self.key(*self.thumbprints.get(thumbprint)?)
    }

    /// The voters a group begins with, sorted; empty for a group there is not. Who votes later is for
    /// the placement orders in the group's own log to say.
    pub fn voters(&self, group: GroupId) -> &[NodeId] {
        self.city(group.city()).map_or(&[], |city| &city.voters)
    }

    /// The active voter key of a node.
    pub fn voter_key(&self, node: NodeId) -> Option<PublicKey> {
        self.key_of(KeyRole::Voter, node)
    }

    /// The governance key of a city, if it has one.
    pub fn governance_key(&self, city: CityCode) -> Option<PublicKey> {
        self.content.governance.get(&city).copied()
    }

    /// Checks that this registry may follow `current` as far as that can be told before it is signed:
    /// its version is the next, keys keep their history and groups their voters.
    pub fn check_follows(&self, current: &Self) -> Result<(), RegistryError> {
        let expected = current.version().saturating_add(1);
        if self.version() != expected {
            return Err(RegistryError::Skipped {
                expected,
                found: self.version(),
            });
        }
        history::check_history(current, self)
    }

    /// How many governance keys must sign: ⌊2n/3⌋+1.
    pub fn threshold(&self) -> usize {
        threshold_of(self.content.governance.len())
    }
}

/// ⌊2n/3⌋+1 of n governance keys.
fn threshold_of(keys: usize) -> usize {
    2 * keys / 3 + 1
}
