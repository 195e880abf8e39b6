//! The shape of an item's file, as `protocol/items/README.md` describes it. Every member is known;
//! one that is not stops the file from being loaded.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tongban_types::{CityCode, Division, HandlingMode, ItemCode};
use utoipa::ToSchema;

/// A name in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// How far an item reaches (通办范围).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// 全国.
    Nationwide,
    /// 跨省.
    CrossProvince,
    /// 跨市.
    CrossCity,
    /// 跨县.
    CrossCounty,
}

impl Reach {
    /// Whether an item that reaches so far is handled across between two cities.
    pub fn has_both(self, here: CityCode, there: CityCode) -> bool {
        let province = |city: CityCode| Division::from(city).province();
        match self {
            Self::Nationwide | Self::CrossProvince => true,
            Self::CrossCity => province(here) == province(there),
            Self::CrossCounty => here == there,
        }
    }
}

/// What is charged. The federation takes no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fee {
    /// Nothing.
    None,
}

/// How a material is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaterialForm {
    /// 原件验.
    OriginalChecked,
    /// 原件收.
    OriginalTaken,
    /// 复印件.
    Copy,
    /// 电子文档.
    Electronic,
}

/// Where a material comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaterialSource {
    /// 申请人自备.
    Applicant,
    /// 政府核发.
    GovernmentIssued,
    /// 其他.
    Other,
}

/// One row of the list of materials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Unique in the file.
    pub code: String,
    /// Its name.
    pub name: Names,
    /// Whether it must be handed in.
    pub required: bool,
    /// How.
    pub form: MaterialForm,
    /// How many originals.
    pub originals: u8,
    /// How many copies.
    pub copies: u8,
    /// Where it comes from.
    pub source: MaterialSource,
    /// When it need not be handed in.
    pub exemption: Option<String>,
}

/// What a guide tells an applicant (办事指南).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guide {
    /// GB/T 39046: 01 permit, 07 confirmation, 20 public service ...
    pub item_type: String,
    /// How far the item reaches.
    pub reach: Reach,
    /// GB/T 39046: 1 natural person, 2 enterprise ...
    pub service_object: Vec<String>,
    /// Visits to a hall at most.
    pub visits_max: u8,
    /// What it costs.
    pub fee: Fee,
    /// Laws by title and article, in Chinese.
    pub law_basis: Vec<String>,
    /// What an applicant must fulfil, in Chinese.
    pub conditions: Vec<String>,
    /// What an applicant hands in.
    pub materials: Vec<Material>,
}

/// A claim of the document and where in the form it stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimFile {
    pub name: String,
    pub from: String,
    pub disclosable: bool,
}

/// The document a grant produces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultFile {
    #[serde(rename = "type")]
    pub kind: String,
    pub vct: String,
    pub name: Names,
    pub claims: Vec<ClaimFile>,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemFile {
    pub code: ItemCode,
    pub version: u32,
    pub name: Names,
    pub item_type: String,
    pub handling_mode: HandlingMode,
    pub reach: Reach,
    pub service_object: Vec<String>,
    pub statutory_days: Option<u16>,
    pub promise_days: u16,
    pub notice_days: u16,
    pub visits_max: u8,
    pub fee: Fee,
    pub law_basis: Vec<String>,
    pub conditions: Vec<String>,
    pub materials: Vec<Material>,
    pub form: Value,
    pub result: Option<ResultFile>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_handled_across_as_far_as_it_reaches() {
        let city = |code: &str| code.parse::<CityCode>().unwrap();
        let (fuzhou, putian, weinan) = (city("350100"), city("350300"), city("610500"));
        let all = [fuzhou, putian, weinan];
        let with = |reach: Reach| all.map(|there| reach.has_both(fuzhou, there));
        assert_eq!(with(Reach::Nationwide), [true; 3]);
        assert_eq!(with(Reach::CrossProvince), [true; 3]);
        assert_eq!(with(Reach::CrossCity), [true, true, false]);
        assert_eq!(with(Reach::CrossCounty), [true, false, false]);
    }
}
