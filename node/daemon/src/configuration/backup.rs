//! `[backup]`: who can open what leaves the node.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongban_api::Said;
use tongban_trust::admit_sealing_key;
use tongban_types::SealingPublicKey;

use crate::handed_through::refusal;
use crate::keys::HexKey;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BackupSection {
    /// The public half of the city's offline recovery key, 64 hexadecimal digits. A running node seals backups
    /// to it and to no other, so that nobody who may ask for one can have it made for himself.
    #[serde(deserialize_with = "key", serialize_with = "shown")]
    pub(super) recovery_key: Option<SealingPublicKey>,
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SealingPublicKey>, D::Error> {
    let key = SealingPublicKey(HexKey::deserialize(deserializer)?.0);
    admit_sealing_key(key).map_err(|_| {
        let en = "is no recovery key that may be used";
        refusal::<D::Error>(&Said::new("不是可用的恢复公钥", en))
    })?;
    Ok(Some(key))
}

#[expect(clippy::ref_option, reason = "serde hands a field over by reference")]
fn shown<S: Serializer>(key: &Option<SealingPublicKey>, serializer: S) -> Result<S::Ok, S::Error> {
    match key {
        Some(key) => serializer.serialize_str(&HEXLOWER.encode(&key.0)),
        None => serializer.serialize_none(),
    }
}
