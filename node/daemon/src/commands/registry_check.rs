//! `tongban registry check`: whether a registry may be believed, and what it says.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_runtime::seams::WallClock as _;
use tongban_trust::{
    NodeEntry, Registry, RegistryError, RegistryFile, governance_hash, verify_next,
};
use tongban_types::{Code, GroupId, Hash, KeyRole, NodeId, Timestamp};
use utoipa::ToSchema;

use super::pin::read_pin;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::instant::{beijing, read_time};
use crate::output::{Answer, Described, Mark, Output, Reader, padded};
use crate::platform::SystemClock;
use crate::registry::{believe, read_registry};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 名册文件 (the registry)
    #[arg(value_name = "REGISTRY", default_value = "registry.json")]
    registry: PathBuf,
    /// 应有的治理密钥哈希 (hash its governance keys must have)
    #[arg(long, value_name = "HASH", value_parser = read_pin, conflicts_with = "after")]
    pin: Option<Hash>,
    /// 现行名册; 检查新名册是否正当地接续它 (the registry in force, which this one is to follow)
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// 按哪个时间判断有效期 (RFC 3339), 默认现在 (as of which time; now by default)
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
struct Checked {
    verdict: &'static str,
    code: Option<String>,
    version: u64,
    expires: String,
    expired: bool,
    governance: String,
    governance_compared: bool,
    signatures: usize,
    signatures_needed: usize,
    cities: Vec<City>,
}

#[derive(Serialize, ToSchema)]
struct City {
    code: String,
    name: String,
    issuer: String,
    divisions: Vec<String>,
    nodes: Vec<Node>,
    voters: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct Node {
    id: String,
    addresses: Vec<String>,
    keys: usize,
    /// When the first of those in use ends; `null` where none is.
    keys_until: Option<String>,
}

impl Node {
    fn of(id: NodeId, node: &NodeEntry) -> Self {
        let active = KeyRole::ALL.into_iter();
        let active = active.filter_map(|role| node.active(role));
        Self {
            id: id.to_string(),
            addresses: node.addresses.clone(),
            keys: node.keys.len(),
            keys_until: active.map(|key| key.not_after).min().map(beijing),
        }
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Checked>("tongban registry check");

impl Answer for Checked {
    const SCHEMA: &'static str = "tongban.registry/v1";

    fn to_text(&self, reader: Reader) -> String {
        let mark = |ok: bool| if ok { Mark::Good } else { Mark::Bad };
        let verdict = if self.expired {
            reader.say("已过期", "expired")
        } else {
            reader.say("可信", "to be believed")
        };
        let verdict = reader.paint(mark(!self.expired), verdict);
        let compared = if self.governance_compared { "✓" } else { "?" };
        let expiry = if self.expired { "✗" } else { "✓" };
        let (signed, needed) = (self.signatures, self.signatures_needed);
        let lines = [
            format!("{}: {verdict}", reader.say("结论", "verdict")),
            reader.say(
                format!(" ✓ 签名        {signed} 个, 需要 {needed} 个"),
                format!(" ✓ signatures  {signed}, {needed} are needed"),
            ),
            format!(
                " {compared} {} {}",
                padded(reader.say("治理密钥", "governance"), 11),
                self.governance
            ),
            reader.say(
                format!(" {expiry} 有效期      至 {}", self.expires),
                format!(" {expiry} valid       until {}", self.expires),
            ),
            reader.say(
                format!("第 {} 版, {} 个城市", self.version, self.cities.len()),
                format!("version {}, {} cities", self.version, self.cities.len()),
            ),
        ];
        let mut lines = lines.to_vec();
        lines.extend(self.cities.iter().flat_map(|city| city.lines(reader)));
        if !self.governance_compared {
            let advice = reader.say(
                "治理密钥未与预置值比对: 请向另一城市核对上面的哈希, 再用 --pin",
                "governance keys not compared: ask another city for the hash above, then use --pin",
            );
            lines.push(advice.to_owned());
        }
        if let Some(code) = &self.code {
            lines.push(reader.next(&format!("tongban explain {code}")));
        }
        lines.join("\n")
    }
}

impl City {
    fn lines(&self, reader: Reader) -> Vec<String> {
        let own = format!(
            "  {} {} {} {}  {} {}",
            self.code,
            padded(&self.name, 12),
            reader.say("辖", "for"),
            self.divisions.join(" "),
            reader.say("投票成员", "voters"),
            self.voters.join(" "),
        );
        let node = |node: &Node| {
            let addresses = node.addresses.join(" ");
            let keys = reader.say("把密钥", "keys");
            let until = node.keys_until.as_ref().map_or(String::new(), |until| {
                reader.say(format!(", 至 {until}"), format!(" until {until}"))
            });
            format!("    {}  {addresses}  {} {keys}{until}", node.id, node.keys)
        };
        [own]
            .into_iter()
            .chain(self.nodes.iter().map(node))
            .collect()
    }
}

/// Checks the file.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let bytes = read_registry(&arguments.registry)?;
    let at = arguments.at.unwrap_or_else(|| SystemClock.now());
    let registry = match &arguments.after {
        Some(current) => follow(current, &bytes)?,
        None => believe(&bytes, arguments.pin)?,
    };
    let compared = arguments.pin.is_some() || arguments.after.is_some();
    let signatures = RegistryFile::decode(&bytes)?.signers().count();
    let checked = describe(&registry, at, compared, signatures);
    output.answer(&checked);
    Ok(if checked.expired { Exit::No } else { Exit::Yes })
}

fn follow(current: &std::path::Path, bytes: &[u8]) -> Result<Registry, Failure> {
    let current = believe(&read_registry(current)?, None)?;
    match verify_next(&current, bytes) {
        Ok(next) => Ok(next.into_inner()),
        Err(RegistryError::AlreadyHeld { .. }) => Ok(believe(bytes, None)?),
        Err(error) => Err(error.into()),
    }
}

fn describe(registry: &Registry, at: Timestamp, compared: bool, signatures: usize) -> Checked {
    let cities = registry.cities().map(|(code, city)| City {
        code: code.to_string(),
        name: city.name.clone(),
        issuer: city.issuer.clone(),
        divisions: city.divisions.clone(),
        nodes: city
            .nodes
            .iter()
            .map(|(id, node)| Node::of(*id, node))
            .collect(),
        voters: registry
            .voters(GroupId(code))
            .iter()
            .map(ToString::to_string)
            .collect(),
    });
    let expired = registry.is_expired(at);
    Checked {
        verdict: if expired { "expired" } else { "valid" },
        code: expired.then(|| Code::REGISTRY_EXPIRED.to_string()),
        version: registry.version(),
        expires: beijing(registry.expires()),
        expired,
        governance: governance_hash(registry).to_string(),
        governance_compared: compared,
        signatures,
        signatures_needed: registry.threshold(),
        cities: cities.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn a_node_is_listed_with_the_end_of_the_first_of_its_keys_that_is_in_use() {
        let line = |keys_until: Option<&str>, language| {
            let city = City {
                code: "350100".to_owned(),
                name: "福州市".to_owned(),
                issuer: String::new(),
                divisions: Vec::new(),
                nodes: vec![Node {
                    id: "350100-01".to_owned(),
                    addresses: vec!["a.example:7400".to_owned()],
                    keys: 5,
                    keys_until: keys_until.map(str::to_owned),
                }],
                voters: Vec::new(),
            };
            let mut lines = city.lines(Reader::plain(language));
            lines.pop().unwrap()
        };
        let end = Some("2028-11-24T08:00:00+08:00");
        let dated = line(end, Language::Zh);
        assert!(
            dated.ends_with("  5 把密钥, 至 2028-11-24T08:00:00+08:00"),
            "{dated}"
        );
        let dated = line(end, Language::En);
        assert!(
            dated.ends_with("  5 keys until 2028-11-24T08:00:00+08:00"),
            "{dated}"
        );
        // A node that was given up has keys, and none in use.
        assert!(line(None, Language::Zh).ends_with("  5 把密钥"));
        assert!(line(None, Language::En).ends_with("  5 keys"));
    }
}
