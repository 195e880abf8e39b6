//! `[node]`: which node of which city this is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;
use tongban_types::{CityCode, MalformedId, NodeId};

use crate::handed_through::parsed;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeSection {
    /// GB/T 2260 code of the city, six digits.
    #[serde(deserialize_with = "city", serialize_with = "shown")]
    pub(super) city: CityCode,
    /// Number of the node within the city, 1 to 99, never given twice.
    pub(super) number: Spanned<u8>,
}

impl NodeSection {
    pub(super) fn id(&self) -> Result<NodeId, MalformedId> {
        NodeId::new(self.city, *self.number.get_ref())
    }
}

fn city<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CityCode, D::Error> {
    parsed(&String::deserialize(deserializer)?)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a field over by reference"
)]
fn shown<S: Serializer>(city: &CityCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(city)
}
