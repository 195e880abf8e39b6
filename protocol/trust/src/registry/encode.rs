//! A registry as JSON: the `signed` part of its TUF envelope.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use tongban_types::{CityCode, PublicKey};

use super::entry::{CityEntry, KeyEntry, NodeEntry, RegistryDraft};
use super::instant::write_instant;
use super::key_id::{KeyId, tuf_key};
use super::threshold_of;
use crate::json::Json;

/// The `_type` of the file; the signed bytes begin with it.
pub(super) const TYPE: &str = "tongban-registry";

/// The version of this form.
pub(super) const SPEC_VERSION: &str = "1.0.0";

/// The `signed` part of a checked registry.
pub(super) fn signed_part(draft: &RegistryDraft) -> Json {
    Json::object([
        ("_type", Json::text(TYPE)),
        ("spec_version", Json::text(SPEC_VERSION)),
        ("version", number(draft.version)),
        ("expires", Json::text(write_instant(draft.expires))),
        ("governance", governance(&draft.governance)),
        (
            "cities",
            table(
                draft
                    .cities
                    .iter()
                    .map(|(code, entry)| (code.to_string(), city(entry))),
            ),
        ),
    ])
}

fn governance(keys: &BTreeMap<CityCode, PublicKey>) -> Json {
    let by_id = keys
        .values()
        .map(|key| (KeyId::of(*key).to_string(), tuf_key(*key)));
    let holders = keys.iter();
    let holders =
        holders.map(|(city, key)| (city.to_string(), Json::text(KeyId::of(*key).to_string())));
    Json::object([
        ("keys", table(by_id)),
        ("holders", table(holders)),
        ("threshold", number(threshold_of(keys.len()) as u64)),
    ])
}

fn city(entry: &CityEntry) -> Json {
    let voters = entry
        .voters
        .iter()
        .map(|voter| Json::text(voter.to_string()));
    Json::object([
        ("name", Json::text(&entry.name)),
        ("iss", Json::text(&entry.issuer)),
        (
            "divisions",
            Json::List(entry.divisions.iter().map(Json::text).collect()),
        ),
        ("voters", Json::List(voters.collect())),
        (
            "nodes",
            table(
                entry
                    .nodes
                    .iter()
                    .map(|(id, entry)| (id.to_string(), node(entry))),
            ),
        ),
    ])
}

fn node(entry: &NodeEntry) -> Json {
    Json::object([
        (
            "addresses",
            Json::List(entry.addresses.iter().map(Json::text).collect()),
        ),
        ("sealing", Json::text(HEXLOWER.encode(&entry.sealing.0))),
        ("keys", Json::List(entry.keys.iter().map(key).collect())),
    ])
}

fn key(entry: &KeyEntry) -> Json {
    Json::object([
        ("role", Json::text(entry.role.name())),
        ("public", Json::text(entry.public.to_string())),
        ("state", Json::text(entry.state.name())),
        ("not_before", Json::text(write_instant(entry.not_before))),
        ("not_after", Json::text(write_instant(entry.not_after))),
    ])
}

fn table(members: impl Iterator<Item = (String, Json)>) -> Json {
    Json::Object(members.collect())
}

fn number(value: u64) -> Json {
    Json::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}
