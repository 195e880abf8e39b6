//! The rules every registry keeps, whoever signed it.

use std::collections::{BTreeMap, BTreeSet};

use tongban_types::{CityCode, KeyRole, NodeId, limits::VOTERS_MAX};

use super::entry::{CityEntry, NODE_ROLES, NodeEntry, REQUIRED_ROLES, RegistryDraft};
use super::error::RegistryError;
use super::instant::is_writable;
use super::rule::{CityRule, Holder, NodeRule, WholeRule};
use super::text::{is_address, is_division_prefix, is_issuer_url, is_name};
use crate::json::INTEGER_MAX;
use crate::signing::{admit_key, admit_sealing_key};

/// Members: the country has 333 prefecture-level divisions.
pub(super) const CITIES_MAX: usize = 400;

/// Governance keys: more would make a registry nobody can gather signatures for.
pub(super) const GOVERNANCE_KEYS_MAX: usize = 15;

/// Nodes of a city: their numbers have two digits and are never given twice.
pub(super) const NODES_MAX: usize = 99;

/// Prefixes of a city: a prefecture has at most about thirty counties.
pub(super) const DIVISIONS_MAX: usize = 64;

/// Addresses of a node: one an interface.
pub(super) const ADDRESSES_MAX: usize = 8;

/// Keys of a node: five roles, renewed yearly for a decade, with room for accidents.
pub(super) const KEYS_MAX: usize = 64;

/// Checks everything; what passes can be written, and read back as the same.
pub(super) fn check(draft: &RegistryDraft) -> Result<(), RegistryError> {
    let whole = |holds: bool, rule| {
        if holds {
            Ok(())
        } else {
            Err(RegistryError::Whole { rule })
        }
    };
    let version_max = INTEGER_MAX.unsigned_abs();
    whole(
        (1..=version_max).contains(&draft.version),
        WholeRule::Version,
    )?;
    whole(is_writable(draft.expires), WholeRule::Expiry)?;
    whole(
        (1..=CITIES_MAX).contains(&draft.cities.len()),
        WholeRule::Cities,
    )?;
    let governance = draft.governance.len();
    whole(
        (1..=GOVERNANCE_KEYS_MAX).contains(&governance),
        WholeRule::GovernanceKeys,
    )?;
    for (code, city) in &draft.cities {
        check_city(*code, city)?;
        check_voters(*code, city, draft)?;
    }
    check_keys_stand_once(draft)?;
    check_shared_names(draft)
}

fn check_city(code: CityCode, city: &CityEntry) -> Result<(), RegistryError> {
    let rule = |holds: bool, rule| {
        if holds {
            Ok(())
        } else {
            Err(RegistryError::City { city: code, rule })
        }
    };
    rule(is_name(&city.name), CityRule::Name)?;
    rule(is_issuer_url(&city.issuer), CityRule::Issuer)?;
    rule(
        (1..=DIVISIONS_MAX).contains(&city.divisions.len()),
        CityRule::Divisions,
    )?;
    let are_prefixes = city
        .divisions
        .iter()
        .all(|prefix| is_division_prefix(prefix));
    rule(are_prefixes, CityRule::DivisionPrefix)?;
    rule(city.nodes.len() <= NODES_MAX, CityRule::Nodes)?;
    for (id, node) in &city.nodes {
        if id.city() != code {
            return Err(RegistryError::Node {
                node: *id,
                rule: NodeRule::City,
            });
        }
        check_node(*id, node)?;
    }
    Ok(())
}

fn check_node(id: NodeId, node: &NodeEntry) -> Result<(), RegistryError> {
    let rule = |holds: bool, rule| {
        if holds {
            Ok(())
        } else {
            Err(RegistryError::Node { node: id, rule })
        }
    };
    rule(
        (1..=ADDRESSES_MAX).contains(&node.addresses.len()),
        NodeRule::Addresses,
    )?;
    let are_addresses = node.addresses.iter().all(|address| is_address(address));
    rule(are_addresses, NodeRule::Address)?;
    rule((1..=KEYS_MAX).contains(&node.keys.len()), NodeRule::Keys)?;
    for key in &node.keys {
        rule(NODE_ROLES.contains(&key.role), NodeRule::KeyRole)?;
        let are_writable = is_writable(key.not_before) && is_writable(key.not_after);
        rule(are_writable, NodeRule::KeyTimes)?;
        rule(key.not_before < key.not_after, NodeRule::KeyTimeOrder)?;
    }
    let is_retired = NODE_ROLES.iter().all(|role| active_keys(node, *role) == 0);
    for role in NODE_ROLES {
        let found = active_keys(node, role);
        let is_needed = REQUIRED_ROLES.contains(&role) && !is_retired;
        if found > 1 || (found == 0 && is_needed) {
            return Err(RegistryError::ActiveKeys {
                node: id,
                role,
                found,
            });
        }
    }
    Ok(())
}

fn active_keys(node: &NodeEntry, role: KeyRole) -> usize {
    let is_active = |key: &&super::KeyEntry| key.state == super::KeyState::Active;
    node.keys
        .iter()
        .filter(|key| key.role == role)
        .filter(is_active)
        .count()
}

fn check_voters(
    code: CityCode,
    city: &CityEntry,
    draft: &RegistryDraft,
) -> Result<(), RegistryError> {
    let refused = |rule| Err(RegistryError::City { city: code, rule });
    if city.voters.len() != 3 && city.voters.len() != VOTERS_MAX {
        return refused(CityRule::VoterCount);
    }
    if !city.voters.is_sorted_by(|left, right| left < right) {
        return refused(CityRule::VoterOrder);
    }
    for voter in &city.voters {
        let entry = draft
            .cities
            .get(&voter.city())
            .and_then(|home| home.nodes.get(voter));
        let entry = entry.ok_or(RegistryError::UnknownNode { node: *voter })?;
        // These are the voters the group began with: one that left it since may be retired.
        let is_first = draft.version == 1;
        let mut keys = entry.keys.iter().filter(|key| key.role == KeyRole::Voter);
        if !keys.any(|key| !is_first || key.state == super::KeyState::Active) {
            return refused(CityRule::VoterKey);
        }
    }
    Ok(())
}

/// Every key is admissible and stands once, over all roles, nodes and governance.
fn check_keys_stand_once(draft: &RegistryDraft) -> Result<(), RegistryError> {
    let mut seen = BTreeSet::new();
    let mut once = |bytes: [u8; 32], holder: Holder| {
        if seen.insert(bytes) {
            Ok(())
        } else {
            Err(RegistryError::KeyTwice { holder })
        }
    };
    for (city, key) in &draft.governance {
        let holder = Holder::Governance(*city);
        if !draft.cities.contains_key(city) {
            return Err(RegistryError::UnknownCity { city: *city });
        }
        admit_key(*key).map_err(|source| RegistryError::KeyRefused { holder, source })?;
        once(key.0, holder)?;
    }
    for (id, node) in draft.cities.values().flat_map(|city| &city.nodes) {
        let holder = Holder::Node(*id);
        let refused = |source| RegistryError::KeyRefused { holder, source };
        for key in &node.keys {
            admit_key(key.public).map_err(refused)?;
            once(key.public.0, holder)?;
        }
        admit_sealing_key(node.sealing).map_err(refused)?;
        once(node.sealing.0, holder)?;
    }
    Ok(())
}

/// No two cities share a name, an issuer or a division prefix. A longer prefix within another
/// city's shorter one is no clash: the longer one wins.
fn check_shared_names(draft: &RegistryDraft) -> Result<(), RegistryError> {
    let mut names = BTreeMap::new();
    let mut issuers = BTreeMap::new();
    let mut divisions = BTreeMap::new();
    for (code, city) in &draft.cities {
        let refused = |rule| Err(RegistryError::City { city: *code, rule });
        if names.insert(&city.name, code).is_some() {
            return refused(CityRule::NameShared);
        }
        if issuers.insert(&city.issuer, code).is_some() {
            return refused(CityRule::IssuerShared);
        }
        for prefix in &city.divisions {
            if divisions.insert(prefix, code).is_some() {
                return refused(CityRule::DivisionShared);
            }
        }
    }
    Ok(())
}
