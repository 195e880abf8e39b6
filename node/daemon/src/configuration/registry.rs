//! `[registry]`: which federation the node belongs to.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongban_api::Said;
use tongban_types::Hash;

use crate::handed_through::refusal;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrySection {
    /// The signed registry file.
    pub(super) file: PathBuf,
    /// Hash of the governance keys believed at the first start, as `tongban registry check` shows.
    #[serde(deserialize_with = "hash", serialize_with = "shown")]
    pub(super) governance: Hash,
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = HEXLOWER
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash).ok_or_else(|| {
        refusal(&Said::new(
            "应为 64 个小写十六进制数字",
            "must be 64 lowercase hexadecimal digits",
        ))
    })
}

fn shown<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}
