//! The rules every registry keeps, whoever signed it.

use std::collections::{BTreeMap, BTreeSet};

use tongban_types::{CityCode, KeyRole, NodeId, limits::VOTERS_MAX};

use super::entry::{CityEntry, NODE_ROLES, NodeEntry, REQUIRED_ROLES, RegistryDraft};
use super::error::RegistryError;
use super::instant::is_writable;
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
        "versions count from 1 to 2^53-1",
    )?;
    whole(
        is_writable(draft.expires),
        "it expires at a whole second of a year of four digits",
    )?;
    whole(
        (1..=CITIES_MAX).contains(&draft.cities.len()),
        "it has 1 to 400 cities",
    )?;
    let governance = draft.governance.len();
    whole(
        (1..=GOVERNANCE_KEYS_MAX).contains(&governance),
        "it has 1 to 15 governance keys",
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
    rule(is_name(&city.name), "a name has 1 to 32 visible characters")?;
    rule(
        is_issuer_url(&city.issuer),
        "the issuer is an https URL in its one spelling",
    )?;
    rule(
        (1..=DIVISIONS_MAX).contains(&city.divisions.len()),
        "it answers for 1 to 64 prefixes",
    )?;
    let are_prefixes = city
        .divisions
        .iter()
        .all(|prefix| is_division_prefix(prefix));
    rule(are_prefixes, "a division prefix has 2, 4 or 6 digits")?;
    rule(city.nodes.len() <= NODES_MAX, "it has at most 99 nodes")?;
    for (id, node) in &city.nodes {
        if id.city() != code {
            return Err(RegistryError::Node {
                node: *id,
                rule: "it stands under another city",
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
        "it has 1 to 8 addresses",
    )?;
    let are_addresses = node.addresses.iter().all(|address| is_address(address));
    rule(are_addresses, "an address is host:port")?;
    rule(
        (1..=KEYS_MAX).contains(&node.keys.len()),
        "it has 1 to 64 keys",
    )?;
    for key in &node.keys {
        rule(
            NODE_ROLES.contains(&key.role),
            "a node holds no key of that role",
        )?;
        let are_writable = is_writable(key.not_before) && is_writable(key.not_after);
        rule(
            are_writable,
            "key times are whole seconds of years of four digits",
        )?;
        rule(
            key.not_before < key.not_after,
            "a key's time ends after it begins",
        )?;
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
        return refused("its group has 3 or 5 voters");
    }
    if !city.voters.is_sorted_by(|left, right| left < right) {
        return refused("its voters are distinct and sorted");
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
            return refused(
                "a voter is a node with a voter key, in the first registry an active one",
            );
        }
    }
    Ok(())
}

/// Every key is admissible and stands once, over all roles, nodes and governance.
fn check_keys_stand_once(draft: &RegistryDraft) -> Result<(), RegistryError> {
    let mut seen = BTreeSet::new();
    let mut once = |bytes: [u8; 32], holder: String| {
        if seen.insert(bytes) {
            Ok(())
        } else {
            Err(RegistryError::KeyTwice { holder })
        }
    };
    for (city, key) in &draft.governance {
        let holder = || format!("the governance of {city}");
        if !draft.cities.contains_key(city) {
            return Err(RegistryError::UnknownCity { city: *city });
        }
        admit_key(*key).map_err(|source| RegistryError::KeyRefused {
            holder: holder(),
            source,
        })?;
        once(key.0, holder())?;
    }
    for (id, node) in draft.cities.values().flat_map(|city| &city.nodes) {
        for key in &node.keys {
            admit_key(key.public).map_err(|source| RegistryError::KeyRefused {
                holder: id.to_string(),
                source,
            })?;
            once(key.public.0, id.to_string())?;
        }
        admit_sealing_key(node.sealing).map_err(|source| RegistryError::KeyRefused {
            holder: id.to_string(),
            source,
        })?;
        once(node.sealing.0, id.to_string())?;
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
            return refused("another city has its name");
        }
        if issuers.insert(&city.issuer, code).is_some() {
            return refused("another city has its issuer URL");
        }
        for prefix in &city.divisions {
            if divisions.insert(prefix, code).is_some() {
                return refused("one of its division prefixes stands twice");
            }
        }
    }
    Ok(())
}
