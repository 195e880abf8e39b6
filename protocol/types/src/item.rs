//! Service items as the log knows them: code, version and the terms a case is bound to. Forms and
//! texts are data files beside the program.

use serde::{Deserialize, Deserializer, Serialize};

use crate::hash::Hash;
use crate::ids::MalformedId;
use crate::resident::shown;

/// The 12-character base code of an item (基本编码): digits and capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemCode([u8; 12]);

impl ItemCode {
    /// Checks length and letters.
    pub fn new(text: &str) -> Result<Self, MalformedId> {
        let malformed = || MalformedId {
            what: "item code",
            what_zh: "事项基本编码",
            given: shown(text),
            rule: "12 digits or capital letters",
            rule_zh: "12 位数字或大写字母",
        };
        let bytes: [u8; 12] = text.as_bytes().try_into().map_err(|_| malformed())?;
        if !bytes
            .iter()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        {
            return Err(malformed());
        }
        Ok(Self(bytes))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked to be ASCII when made")
    }
}

impl std::fmt::Display for ItemCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for ItemCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ItemCode({self})")
    }
}

impl std::str::FromStr for ItemCode {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        Self::new(text)
    }
}

impl Serialize for ItemCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ItemCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// One version of an item: a case stays under the version it was collected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemVersion {
    /// The item.
    pub code: ItemCode,
    /// Its version, from 1.
    pub version: u32,
}

impl std::fmt::Display for ItemVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.code, self.version)
    }
}

/// How an item is handled across places (国办发〔2020〕35号). Numbers are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandlingMode {
    /// 全程网办: the whole way on line.
    Online,
    /// 异地代收代办: collected elsewhere on behalf of the authority.
    CollectedElsewhere,
    /// 多地联办: several authorities together.
    Joint,
}

/// What a case of an item is bound to; enters a group's log as a command, so that every replica
/// reckons the same due dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemTerms {
    /// Which item and version.
    pub item: ItemVersion,
    /// Its handling mode.
    pub mode: HandlingMode,
    /// Working days within which all corrections must be asked at once, else the case counts as
    /// accepted (行政许可法 art. 32(4): five).
    pub notice_days: u16,
    /// Working days promised from acceptance; 0 for an immediate item (即办件).
    pub promise_days: u16,
    /// Working days the law allows from acceptance; `None` where the law sets none.
    pub statutory_days: Option<u16>,
    /// `urn:tongban:vct:<type>:<version>` of the document a grant produces, at most 128 bytes;
    /// `None` if a grant produces none.
    pub document_type: Option<String>,
    /// SHA-256 of the item's file, so that both cities can show they meant the same text.
    pub file: Hash,
}
