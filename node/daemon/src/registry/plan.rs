//! The plan of a registry as an operator writes it, TOML: cities, nodes, addresses, public keys. The registry
//! it describes is made in `draft`.

mod draft;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use toml::value::Datetime;
use tongban_api::Said;
use tongban_types::{CityCode, KeyRole, MalformedId, NodeId, Timestamp};

use super::plan_error::PlanError;
use crate::files::read_bounded;
use crate::handed_through::{parsed, refusal};
use crate::instant::read_time;
use crate::keys::HexKey;
use crate::mistake::{Mistake, Place};

/// A plan or an enrolment larger than this is none: 400 cities take about 600 KiB.
const PLAN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a registry is to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// From then on new peers and keys are refused.
    #[serde(deserialize_with = "time")]
    pub(crate) expires: Timestamp,
    /// Keys enrolled by this plan sign from then on.
    #[serde(deserialize_with = "time")]
    pub(crate) keys_from: Timestamp,
    /// Keys enrolled by this plan sign until then.
    #[serde(deserialize_with = "time")]
    pub(crate) keys_until: Timestamp,
    /// The members.
    #[serde(rename = "city")]
    pub(crate) cities: Vec<CityPlan>,
}

/// A member.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CityPlan {
    /// GB/T 2260 code.
    #[serde(deserialize_with = "text")]
    pub(crate) code: CityCode,
    /// Name in Chinese.
    pub(crate) name: String,
    /// The URL its documents name as their issuer.
    pub(crate) issuer: String,
    /// Prefixes of the divisions it answers for; its own four digits when left out.
    pub(crate) divisions: Option<Vec<String>>,
    /// Its governance key; a member may have none.
    pub(crate) governance: Option<HexKey>,
    /// The voters of its group.
    #[serde(deserialize_with = "texts")]
    pub(crate) voters: Vec<NodeId>,
    /// Its machines.
    #[serde(rename = "node")]
    pub(crate) nodes: Vec<NodePlan>,
}

/// A machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodePlan {
    /// Which node.
    #[serde(deserialize_with = "text")]
    pub(crate) id: NodeId,
    /// Where it is reached: `host:port`.
    pub(crate) addresses: Vec<String>,
    /// The file `tongban key make` printed, beside the plan; instead of `keys` and `sealing`.
    pub(crate) enrolment: Option<PathBuf>,
    /// Its public keys by role.
    pub(crate) keys: Option<BTreeMap<KeyRole, HexKey>>,
    /// Its X25519 key.
    pub(crate) sealing: Option<HexKey>,
    /// It is given up: what stands of it in the registry before stays, to check what it signed, and its keys
    /// sign no more.
    #[serde(default)]
    pub(crate) retired: bool,
}

impl Plan {
    /// Reads a plan.
    pub(crate) fn read(file: &Path) -> Result<Self, PlanError> {
        let bytes = read_bounded(file, PLAN_BYTES_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(Self::parse(file, &text)?)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, Mistake> {
        toml::from_str(text).map_err(|error| Place { file, text }.malformed(error))
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let written = Datetime::deserialize(deserializer)?.to_string();
    read_time(&written).map_err(|_| {
        refusal(&Said::new(
            "写成带时区的时间, 如 2027-11-24T00:00:00Z",
            "write a time with its zone, such as 2027-11-24T00:00:00Z",
        ))
    })
}

fn text<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err = MalformedId>,
{
    parsed(&String::deserialize(deserializer)?)
}

fn texts<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: std::str::FromStr<Err = MalformedId>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parsed(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyFolder;

    /// A plan of three cities, its enrolments beside it.
    pub(super) fn plan_text(folder: &Path) -> String {
        let mut parts = vec![
            "expires = 2027-11-24T00:00:00Z\nkeys_from = 2026-11-23T00:00:00Z\n\
                        keys_until = 2028-11-24T00:00:00Z\n"
                .to_owned(),
        ];
        for code in [350_100, 350_300, 350_900] {
            let node: NodeId = format!("{code}-01").parse().unwrap();
            let keys = KeyFolder::of(&folder.join(code.to_string()));
            keys.make(node).unwrap();
            let enrolment = keys.load().unwrap().enrolment(node);
            let file = format!("{code}.json");
            std::fs::write(folder.join(&file), serde_json::to_vec(&enrolment).unwrap()).unwrap();
            let governance =
                tongban_trust::SigningKey::from_seed(&[u8::try_from(code % 251).unwrap(); 32]);
            parts.push(format!(
                "[[city]]\ncode = \"{code}\"\nname = \"{code} 市\"\n\
                 issuer = \"https://{code}.tongban.example\"\ngovernance = \"{}\"\n\
                 voters = [\"350900-01\", \"350100-01\", \"350300-01\"]\n\
                 [[city.node]]\nid = \"{node}\"\naddresses = [\"127.0.0.1:7400\"]\n\
                 enrolment = \"{file}\"\n",
                governance.public()
            ));
        }
        parts.concat()
    }

    #[test]
    fn the_plan_an_operator_finds_reads_and_places_each_group_on_three_cities() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR"));
        let plan = Plan::read(&sample.join("../../deploy/six-cities/plan.toml")).unwrap();
        assert_eq!(plan.cities.len(), 6);
        for city in &plan.cities {
            let homes: std::collections::BTreeSet<_> =
                city.voters.iter().map(|voter| voter.city()).collect();
            assert!(
                homes.len() == 3 && homes.contains(&city.code),
                "{}",
                city.name
            );
        }
    }

    #[test]
    fn a_mistake_in_a_plan_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let text = plan_text(folder.path());
        let parse = |text: &str| Plan::parse(Path::new("plan.toml"), text);
        let mistake = parse(&text.replacen("2027-11-24T00:00:00Z", "2027-11-24", 1)).unwrap_err();
        assert_eq!((mistake.line, mistake.key.as_str()), (1, "expires"));
        assert!(parse(&text.replacen("issuer", "isuer", 1)).is_err());
        let doubled = text.replacen("350100.json", "350300.json", 1);
        let refused = parse(&doubled).unwrap().to_registry(folder.path(), None);
        assert!(matches!(refused, Err(PlanError::Keys { .. })));
        let absent = text.replacen("enrolment = \"350100.json\"", "", 1);
        let refused = parse(&absent).unwrap().to_registry(folder.path(), None);
        assert!(matches!(refused, Err(PlanError::Keys { .. })));
    }

    #[test]
    fn a_mistake_in_a_plan_is_told_in_one_language_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let text = plan_text(folder.path());
        let told = |was: &str, is: &str| {
            let wrong = text.replacen(was, is, 1);
            let parsed = Plan::parse(Path::new("plan.toml"), &wrong);
            parsed.unwrap_err().says()
        };
        for (was, is, zh, en) in [
            (
                "2027-11-24T00:00:00Z",
                "2027-11-24",
                "写成带时区的时间, 如 2027-11-24T00:00:00Z",
                "write a time with its zone, such as 2027-11-24T00:00:00Z",
            ),
            (
                "\"350100\"",
                "\"350101\"",
                "城市代码不合规则",
                "The city code is not well formed",
            ),
            (
                "350900-01",
                "350900-1",
                "节点号不合规则",
                "The node id is not well formed",
            ),
            (
                "governance = \"",
                "governance = \"0g",
                "应为 64 个小写十六进制数字",
                "must be 64 lowercase hexadecimal digits",
            ),
            (
                "issuer",
                "isuer",
                "; 是不是 issuer?",
                "; did you mean issuer?",
            ),
        ] {
            let told = told(was, is);
            assert!(told.zh.starts_with("plan.toml 第 "), "{told:?}");
            assert!(told.en.starts_with("plan.toml, line "), "{told:?}");
            assert!(told.zh.contains(zh) && !told.zh.contains(en), "{told:?}");
            assert!(told.en.contains(en) && told.en.is_ascii(), "{told:?}");
        }
    }
}
