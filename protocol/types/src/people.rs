//! Who acts: a person of a city in a role. Staff numbers only; a citizen is never named here.

use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{CityCode, MalformedId};
use crate::resident::shown;

/// A staff number, or `system` for what the node does by itself: 1 to 32 of `a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PersonId(String);

impl PersonId {
    /// Checks length and letters.
    pub fn new(text: &str) -> Result<Self, MalformedId> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if text.is_empty() || text.len() > 32 || !text.bytes().all(allowed) {
            return Err(MalformedId {
                what: "staff number",
                what_zh: "工号",
                given: shown(text),
                rule: "1 to 32 of a-z, 0-9, '.', '_' and '-'",
                rule_zh: "1 至 32 个字符, 限 a-z、0-9、'.'、'_' 和 '-'",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The node itself, for acts no person does.
    pub fn system() -> Self {
        Self("system".to_owned())
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PersonId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for PersonId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for PersonId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What a person may do. Numbers are permanent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Collects, corrects, hands over, withdraws for the applicant, delivers (窗口).
    Clerk,
    /// Accepts, asks for correction, refuses to accept, reviews, decides (审批).
    Officer,
    /// Sees every case of the city, and acts in no case (督办).
    Supervisor,
    /// Runs the node; sees no personal data (运维).
    Operator,
    /// Reads evidence and verifies documents (审计).
    Auditor,
    /// The node itself.
    System,
}

impl Role {
    /// Roles a token can be made for.
    pub const PEOPLE: [Self; 5] = [
        Self::Clerk,
        Self::Officer,
        Self::Supervisor,
        Self::Operator,
        Self::Auditor,
    ];

    /// Its name in files, tokens and the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Officer => "officer",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::System => "system",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Role {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        Self::PEOPLE
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| MalformedId {
                what: "role",
                what_zh: "岗位",
                given: shown(text),
                rule: "clerk, officer, supervisor, operator or auditor",
                rule_zh: "clerk、officer、supervisor、operator 或 auditor",
            })
    }
}

/// A person of a city in a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The city that employs the person and answers for the act.
    pub city: CityCode,
    /// The person.
    pub person: PersonId,
    /// The role acted in.
    pub role: Role,
}

impl Actor {
    /// The node of a city acting by itself.
    pub fn system(city: CityCode) -> Self {
        Self {
            city,
            person: PersonId::system(),
            role: Role::System,
        }
    }
}
