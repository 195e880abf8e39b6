//! What a node shows to be enrolled: its public keys as JSON, made by `tongban key make`, read by a
//! plan of the registry.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongban_api::Said;
use tongban_types::{KeyRole, NodeId, PublicKey, SealingPublicKey};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::handed_through::{parsed, refusal};
use crate::output::{Answer, Described, Reader};

/// The public half of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    /// Of which form this is, when it was printed.
    #[serde(default, skip_serializing)]
    schema: Option<String>,
    #[schema(value_type = String, pattern = "^[0-9]{6}-[0-9]{2}$")]
    node: TextNode,
    /// By their roles.
    #[schema(value_type = BTreeMap<String, HexKey>)]
    keys: BTreeMap<KeyRole, HexKey>,
    /// What case keys are wrapped to.
    sealing: HexKey,
}

/// 32 bytes as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HexKey(pub(crate) [u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TextNode(NodeId);

impl Enrolment {
    /// Of these keys.
    pub(crate) fn new(
        node: NodeId,
        keys: impl IntoIterator<Item = (KeyRole, PublicKey)>,
        sealing: SealingPublicKey,
    ) -> Self {
        Self {
            schema: None,
            node: TextNode(node),
            keys: keys
                .into_iter()
                .map(|(role, key)| (role, HexKey(key.0)))
                .collect(),
            sealing: HexKey(sealing.0),
        }
    }

    /// The node.
    pub(crate) const fn node(&self) -> NodeId {
        self.node.0
    }

    /// Its signing keys.
    pub(crate) fn keys(&self) -> BTreeMap<KeyRole, PublicKey> {
        self.keys
            .iter()
            .map(|(role, key)| (*role, PublicKey(key.0)))
            .collect()
    }

    /// The key case keys are wrapped to.
    pub(crate) const fn sealing(&self) -> SealingPublicKey {
        SealingPublicKey(self.sealing.0)
    }
}

impl PartialSchema for HexKey {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9a-f]{64}$"))
            .into()
    }
}

impl ToSchema for HexKey {}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Enrolment>("tongban key show");

impl Answer for Enrolment {
    const SCHEMA: &'static str = "tongban.enrolment/v1";

    fn to_text(&self, _: Reader) -> String {
        format!("{} 的公钥", self.node.0)
    }
}

impl Serialize for HexKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            refusal(&Said::new(
                "应为 64 个小写十六进制数字",
                "must be 64 lowercase hexadecimal digits",
            ))
        })
    }
}

impl Serialize for TextNode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TextNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(&String::deserialize(deserializer)?).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrolment_is_read_as_it_was_printed() {
        let keys = [(KeyRole::Command, PublicKey([1; 32]))];
        let enrolment = Enrolment::new(
            "350100-01".parse().unwrap(),
            keys,
            SealingPublicKey([2; 32]),
        );
        let mut json = serde_json::to_value(&enrolment).unwrap();
        assert_eq!(json["node"], "350100-01");
        assert_eq!(json["keys"]["command"], "01".repeat(32));
        json["schema"] = Enrolment::SCHEMA.into();
        let read: Enrolment = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(read.keys(), enrolment.keys());
        json["keys"]["command"] = "0g".into();
        assert!(serde_json::from_value::<Enrolment>(json).is_err());
    }
}
