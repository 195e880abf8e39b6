//! Reading the `signed` part of a registry: every member is known, or the file is refused.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use tongban_types::{CityCode, NodeId, PublicKey, SealingPublicKey, Timestamp};

use super::check::{
    ADDRESSES_MAX, CITIES_MAX, DIVISIONS_MAX, GOVERNANCE_KEYS_MAX, KEYS_MAX, NODES_MAX,
};
use super::encode::{SPEC_VERSION, TYPE};
use super::entry::{CityEntry, KeyEntry, KeyState, NODE_ROLES, NodeEntry, RegistryDraft};
use super::error::RegistryError;
use super::instant::read_instant;
use super::key_id::{KeyId, tuf_key};
use super::threshold_of;
use crate::json::{Fields, Json, ShapeError, ShapeProblem};

/// The draft that a `signed` part states.
pub(super) fn draft_of(signed: Json) -> Result<RegistryDraft, RegistryError> {
    let mut fields = Fields::of(signed, "signed")?;
    exactly(&mut fields, "_type", TYPE)?;
    exactly(&mut fields, "spec_version", SPEC_VERSION)?;
    let version = fields.integer("version")?;
    let draft = RegistryDraft {
        version: u64::try_from(version).unwrap_or(0),
        expires: instant(&mut fields, "expires")?,
        governance: governance(fields.object("governance")?)?,
        cities: keyed(&mut fields, "cities", CITIES_MAX, city)?,
    };
    fields.end()?;
    Ok(draft)
}

fn governance(mut fields: Fields) -> Result<BTreeMap<CityCode, PublicKey>, RegistryError> {
    let mut keys = BTreeMap::new();
    for (id, object) in fields.table("keys", GOVERNANCE_KEYS_MAX)? {
        let place = fields.place_of("keys");
        let key = tuf_public(&object, &place)?;
        if KeyId::read(&id) != Some(KeyId::of(key)) {
            return Err(ShapeError::new(place, ShapeProblem::OtherKeyId).into());
        }
        keys.insert(id, key);
    }
    let count = keys.len();
    let mut by_city = BTreeMap::new();
    for (city, id) in fields.table("holders", GOVERNANCE_KEYS_MAX)? {
        let place = fields.place_of("holders");
        let key = id.as_text().and_then(|id| keys.remove(id));
        let key = key.ok_or_else(|| ShapeError::new(&*place, ShapeProblem::NoKeyOfItsOwn))?;
        by_city.insert(parsed(&city, &place)?, key);
    }
    if !keys.is_empty() {
        let place = fields.place_of("holders");
        return Err(ShapeError::new(place, ShapeProblem::KeyUnnamed).into());
    }
    let (expected, found) = (threshold_of(count), fields.integer("threshold")?);
    if usize::try_from(found) != Ok(expected) {
        return Err(RegistryError::Threshold {
            keys: count,
            expected,
            found,
        });
    }
    fields.end()?;
    Ok(by_city)
}

fn tuf_public(object: &Json, place: &str) -> Result<PublicKey, ShapeError> {
    let mut fields = Fields::of(object.clone(), place)?;
    let key = PublicKey(hex(&fields.object("keyval")?.text("public")?, place)?);
    if *object == tuf_key(key) {
        Ok(key)
    } else {
        Err(ShapeError::new(place, ShapeProblem::NoTufKey))
    }
}

fn city(mut fields: Fields) -> Result<CityEntry, ShapeError> {
    let place = fields.place_of("voters");
    let voters = fields.texts("voters", tongban_types::limits::VOTERS_MAX)?;
    let entry = CityEntry {
        name: fields.text("name")?,
        issuer: fields.text("iss")?,
        divisions: fields.texts("divisions", DIVISIONS_MAX)?,
        voters: voters
            .iter()
            .map(|voter| parsed(voter, &place))
            .collect::<Result<_, _>>()?,
        nodes: keyed::<NodeId, _>(&mut fields, "nodes", NODES_MAX, node)?,
    };
    fields.end()?;
    Ok(entry)
}

fn node(mut fields: Fields) -> Result<NodeEntry, ShapeError> {
    let place = fields.place_of("keys");
    let keys = fields.list("keys", KEYS_MAX)?.into_iter();
    let sealing = fields.text("sealing")?;
    let entry = NodeEntry {
        addresses: fields.texts("addresses", ADDRESSES_MAX)?,
        keys: keys
            .map(|key| Fields::of(key, &*place).and_then(key_entry))
            .collect::<Result<_, _>>()?,
        sealing: SealingPublicKey(hex(&sealing, &fields.place_of("sealing"))?),
    };
    fields.end()?;
    Ok(entry)
}

fn key_entry(mut fields: Fields) -> Result<KeyEntry, ShapeError> {
    let (role, state) = (fields.text("role")?, fields.text("state")?);
    let role = NODE_ROLES.into_iter().find(|known| known.name() == role);
    let state = [KeyState::Active, KeyState::Retired]
        .into_iter()
        .find(|known| known.name() == state);
    let malformed = |name, problem| ShapeError::new(fields.place_of(name), problem);
    let entry = KeyEntry {
        role: role.ok_or_else(|| malformed("role", ShapeProblem::NoRole))?,
        state: state.ok_or_else(|| malformed("state", ShapeProblem::NoKeyState))?,
        public: PublicKey(hex(&fields.text("public")?, &fields.place_of("public"))?),
        not_before: instant(&mut fields, "not_before")?,
        not_after: instant(&mut fields, "not_after")?,
    };
    fields.end()?;
    Ok(entry)
}

fn keyed<K, V>(
    fields: &mut Fields,
    name: &str,
    max: usize,
    read: fn(Fields) -> Result<V, ShapeError>,
) -> Result<BTreeMap<K, V>, ShapeError>
where
    K: Ord + std::str::FromStr,
{
    let place = fields.place_of(name);
    let entries = fields.table(name, max)?.into_iter().map(|(id, value)| {
        let key = parsed(&id, &place)?;
        Ok((key, read(Fields::of(value, format!("{place}.{id}"))?)?))
    });
    entries.collect()
}

fn exactly(fields: &mut Fields, name: &str, expected: &'static str) -> Result<(), ShapeError> {
    if fields.text(name)? == expected {
        Ok(())
    } else {
        let problem = ShapeProblem::OtherText { expected };
        Err(ShapeError::new(fields.place_of(name), problem))
    }
}

fn instant(fields: &mut Fields, name: &str) -> Result<Timestamp, ShapeError> {
    read_instant(&fields.text(name)?)
        .ok_or_else(|| ShapeError::new(fields.place_of(name), ShapeProblem::NoTime))
}

fn parsed<T: std::str::FromStr>(text: &str, place: &str) -> Result<T, ShapeError> {
    text.parse()
        .map_err(|_| ShapeError::new(place, ShapeProblem::MalformedCode))
}

fn hex(text: &str, place: &str) -> Result<[u8; 32], ShapeError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| ShapeError::new(place, ShapeProblem::NotHexadecimal { digits: 64 }))
}
