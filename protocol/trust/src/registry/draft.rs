//! Making a registry: a draft is filled, checked, and then signed as a
//! [`RegistryFile`](super::RegistryFile).

use std::collections::BTreeMap;

use tongban_types::{CityCode, KeyRole, NodeId, PublicKey, SealingPublicKey, Timestamp};

use super::entry::{CityEntry, KeyEntry, KeyState, NodeEntry, RegistryDraft};
use super::{Registry, RegistryError};

/// What a node shows of itself to be enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEnrolment {
    /// The node.
    pub node: NodeId,
    /// Where it is reached: `host:port`.
    pub addresses: Vec<String>,
    /// Its public keys by role.
    pub keys: BTreeMap<KeyRole, PublicKey>,
    /// Its X25519 key.
    pub sealing: SealingPublicKey,
    /// Its keys sign from then on.
    pub not_before: Timestamp,
    /// Its keys sign until then.
    pub not_after: Timestamp,
}

impl RegistryDraft {
    /// A first registry without members.
    pub fn first(expires: Timestamp) -> Self {
        Self {
            version: 1,
            expires,
            governance: BTreeMap::new(),
            cities: BTreeMap::new(),
        }
    }

    /// The draft of the registry after `current`, saying the same until it is changed.
    pub fn after(current: &Registry, expires: Timestamp) -> Self {
        let mut draft = current.content().clone();
        draft.version = draft.version.saturating_add(1);
        draft.expires = expires;
        draft
    }

    /// Adds a city that answers for its own four digits and is its own only voter so far, or
    /// renames one that is there.
    pub fn city(&mut self, code: CityCode, name: &str, issuer: &str) -> &mut Self {
        let city = self.cities.entry(code).or_insert_with(|| CityEntry {
            name: String::new(),
            issuer: String::new(),
            divisions: vec![format!("{:04}", code.number() / 100)],
            nodes: BTreeMap::new(),
            voters: Vec::new(),
        });
        name.clone_into(&mut city.name);
        issuer.clone_into(&mut city.issuer);
        self
    }

    /// Enrols a node, or a node's new keys: keys of the same roles it had are retired. A key it has is
    /// renewed: it signs until the new time, and from the earlier of both, so that what it signed
    /// stays in its time. A node whose city is not in the draft is refused, and so is a retired key.
    pub fn enrol(&mut self, enrolment: &NodeEnrolment) -> Result<&mut Self, RegistryError> {
        let city = enrolment.node.city();
        let entry = self
            .cities
            .get_mut(&city)
            .ok_or(RegistryError::UnknownCity { city })?;
        let node = entry
            .nodes
            .entry(enrolment.node)
            .or_insert_with(|| NodeEntry {
                addresses: Vec::new(),
                keys: Vec::new(),
                sealing: enrolment.sealing,
            });
        node.addresses.clone_from(&enrolment.addresses);
        node.sealing = enrolment.sealing;
        for (role, public) in &enrolment.keys {
            for old in &mut node.keys {
                if old.role == *role && old.public != *public {
                    old.state = KeyState::Retired;
                }
            }
            let is_present = |key: &&mut KeyEntry| key.role == *role && key.public == *public;
            match node.keys.iter_mut().find(is_present) {
                Some(key) if key.state == KeyState::Retired => {
                    return Err(RegistryError::KeyRevived { key: *public });
                }
                Some(key) => {
                    key.not_before = key.not_before.min(enrolment.not_before);
                    key.not_after = enrolment.not_after;
                }
                None => node.keys.push(KeyEntry {
                    role: *role,
                    public: *public,
                    state: KeyState::Active,
                    not_before: enrolment.not_before,
                    not_after: enrolment.not_after,
                }),
            }
        }
        Ok(self)
    }

    /// Retires every key of a node that is given up; its number is never given again.
    pub fn retire(&mut self, node: NodeId) -> Result<&mut Self, RegistryError> {
        let city = self.cities.get_mut(&node.city());
        let entry = city.and_then(|city| city.nodes.get_mut(&node));
        for key in &mut entry.ok_or(RegistryError::UnknownNode { node })?.keys {
            key.state = KeyState::Retired;
        }
        Ok(self)
    }

    /// Sets the voters of a city's group.
    pub fn voters(
        &mut self,
        city: CityCode,
        voters: &[NodeId],
    ) -> Result<&mut Self, RegistryError> {
        let entry = self
            .cities
            .get_mut(&city)
            .ok_or(RegistryError::UnknownCity { city })?;
        entry.voters = voters.to_vec();
        Ok(self)
    }

    /// Sets the governance key of a city.
    pub fn governance(&mut self, city: CityCode, key: PublicKey) -> &mut Self {
        self.governance.insert(city, key);
        self
    }

    /// Checks every rule and makes the registry.
    pub fn check(self) -> Result<Registry, RegistryError> {
        Registry::of(self)
    }
}
