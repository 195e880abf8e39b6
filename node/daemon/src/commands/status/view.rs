//! What a status says to people, and whether all is well. The text, the JSON and the exit code are
//! drawn from the same findings.

mod reserve;
mod tables;
#[cfg(test)]
mod tests;
mod trouble;

use serde::Serialize;
use serde_json::Value;
use tongban_api::StatusShape;
use tongban_types::Division;
use utoipa::ToSchema;

use crate::commands::own_group::own_group;
use crate::node_access::{Contact, Partner, partners};
use crate::output::{Answer, Described, Mark, Reader};

use reserve::Reserve;
use trouble::{Trouble, troubles_of};

/// An answer of `GET /api/v1/status`, and what is wrong in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    healthy: bool,
    #[serde(flatten)]
    #[schema(value_type = StatusShape)]
    answer: Value,
    #[serde(skip)]
    troubles: Vec<Trouble>,
    #[serde(skip)]
    partners: Vec<Partner>,
    /// Nodes that were dialed in vain.
    #[serde(skip)]
    unreached: Vec<String>,
    /// Nodes of which nobody here wanted anything yet: whether they are up is not known.
    #[serde(skip)]
    idle: Vec<String>,
    /// How the node was named.
    #[serde(skip)]
    at: String,
}

impl Status {
    /// Reads an answer, and that of `GET /api/v1/peers` or null.
    pub(super) fn of(mut answer: Value, peers: &Value) -> Self {
        if let Some(members) = answer.as_object_mut() {
            // The command's own envelope says it.
            members.remove("schema");
        }
        let mut troubles = Vec::new();
        if answer["failed"] != false {
            troubles.push(Trouble::Failed);
        }
        let groups = groups(&answer);
        troubles.extend(groups.iter().flat_map(troubles_of));
        if own_group(&answer).is_none() {
            troubles.push(Trouble::NoGroup);
        }
        if answer["desk_refused"]
            .as_u64()
            .is_some_and(|cases| cases > 0)
        {
            troubles.push(Trouble::DeskRefused);
        }
        Self {
            healthy: troubles.is_empty(),
            troubles,
            answer,
            partners: partners(peers),
            unreached: nodes_in(peers, "waiting"),
            idle: nodes_in(peers, "idle"),
            at: String::new(),
        }
    }

    /// With how the node was named, for the command that comes next.
    pub(super) fn at(mut self, words: &str) -> Self {
        words.clone_into(&mut self.at);
        self
    }

    /// Whether nothing is wrong.
    pub(super) const fn is_healthy(&self) -> bool {
        self.healthy
    }
}

/// The peers to which the links stand so.
fn nodes_in(peers: &Value, state: &str) -> Vec<String> {
    let peers = peers["peers"].as_array().into_iter().flatten();
    let found = peers.filter(|peer| peer["state"] == state);
    found.map(|peer| text(&peer["node"]).to_owned()).collect()
}

fn groups(answer: &Value) -> &[Value] {
    answer["groups"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Status>("tongban status");

impl Answer for Status {
    const SCHEMA: &'static str = "tongban.status/v1";

    fn to_text(&self, reader: Reader) -> String {
        let status = &self.answer;
        let groups = groups(status);
        let mut lines = vec![self.can_lose_line(reader), self.standing_line(reader)];
        if self.troubles.contains(&Trouble::DeskRefused) {
            lines.push(format!(
                "! {} {}: GET /api/v1/cases?state=stored",
                Trouble::DeskRefused.said(reader),
                status["desk_refused"]
            ));
        }
        if let Some(own) = own_group(status) {
            lines.push(self.members(own, reader));
        }
        lines.push(Self::groups_table(groups, reader));
        lines.extend(self.partners(reader));
        if let Some(trouble) = self.troubles.first() {
            lines.push(reader.next(&format!("tongban explain {}", trouble.code())));
        } else if self.is_drained() {
            lines.push(reader.next(&format!("tongban node resume{}", self.at)));
        } else if self.reserve() != Reserve::Whole {
            lines.push(reader.next(&format!("{}{}", self.look_at_voters(), self.at)));
        }
        lines.join("\n")
    }
}

impl Status {
    /// Out of service by an operator's word: nothing is wrong, and yet no new case is taken.
    fn is_drained(&self) -> bool {
        self.answer["draining"] == true
    }

    fn can_lose_line(&self, reader: Reader) -> String {
        let word = reader.say("可再失去节点", "nodes that can be lost");
        format!("{word}: {}", self.can_lose(reader))
    }

    fn can_lose(&self, reader: Reader) -> String {
        let unknown = |why: &str| format!("0 ({}: {why})", reader.say("未知", "unknown"));
        let Some(own) = own_group(&self.answer) else {
            return unknown(Trouble::NoGroup.said(reader));
        };
        let trouble = troubles_of(own)
            .into_iter()
            .find(|trouble| *trouble != Trouble::Evidence);
        match trouble {
            Some(Trouble::NoQuorum) => unknown(reader.say(
                "审批组没有主副本或多数; 收件仍可进行",
                "the group has no leader or majority; collecting goes on",
            )),
            Some(trouble) => unknown(&format!(
                "{}{}",
                reader.say("本市审批组", "the city's group: "),
                trouble.said(reader)
            )),
            None => self.can_lose_while_well(own, reader),
        }
    }

    /// Whoever leads hears every voter. Another node goes by its links: one that is up may not answer the leader,
    /// and of one that nobody here wanted anything of it knows nothing.
    fn can_lose_while_well(&self, own: &Value, reader: Reader) -> String {
        let voters = own["voters"].as_array().map(Vec::as_slice);
        let voters = voters.unwrap_or_default();
        let count = voters.len();
        let (can_lose, in_touch) = (&own["can_lose"], &own["voters_in_touch"]);
        if own["leader"] == self.answer["node"] {
            return reader.say(
                format!("{can_lose} ({count} 个投票成员, {in_touch} 个在线)"),
                format!("{can_lose} ({count} voters, {in_touch} in touch)"),
            );
        }
        let is_unknown = voters.iter().any(|voter| self.is_idle(text(voter)));
        let least = if is_unknown {
            reader.say("至少 ", "at least ")
        } else {
            ""
        };
        let leader = text(&own["leader"]);
        reader.say(
            format!(
                "{least}{can_lose} ({count} 个投票成员, 本机所见 {in_touch} 个在线; 以主副本 {leader} 所见为准)"
            ),
            format!(
                "{least}{can_lose} ({count} voters, {in_touch} in touch as seen from here; {leader} leads and knows)"
            ),
        )
    }

    fn standing_line(&self, reader: Reader) -> String {
        let status = &self.answer;
        let standing = match self.troubles.first() {
            None if self.is_drained() => {
                reader.paint(Mark::Warning, reader.say("停用维护", "drained"))
            }
            None => match self.reserve().said(reader) {
                Some(said) => reader.paint(Mark::Warning, said),
                None => reader.paint(Mark::Good, reader.say("正常", "well")),
            },
            Some(Trouble::Failed) => reader.paint(Mark::Bad, reader.say("故障", "failed")),
            Some(_) => reader.paint(Mark::Bad, reader.say("异常", "troubled")),
        };
        let node = text(&status["node"]);
        let city = city_name(node.get(..6).unwrap_or(node)).to_owned();
        let connected = status["connected"].as_array().map_or(0, Vec::len);
        let (registry, waiting) = (&status["registry"], &status["desk_waiting"]);
        reader.say(
            format!(
                "{city} {node} · {standing} · 名册第 {registry} 版 · 已连接 {connected} 个节点 · 待复制 {waiting} 件"
            ),
            format!(
                "{city} {node} · {standing} · registry {registry} · {connected} nodes connected · {waiting} cases to be replicated"
            ),
        )
    }

    /// The other cities of the federation, as the links to them stand.
    fn partners(&self, reader: Reader) -> Option<String> {
        let partners: Vec<String> = self
            .partners
            .iter()
            .map(|partner| format!("{} {}", partner.name, contact(&partner.contact, reader)))
            .collect();
        let word = reader.say("伙伴城市", "partners");
        (!partners.is_empty()).then(|| format!("{word}: {}", partners.join(" · ")))
    }
}

fn contact(contact: &Contact, reader: Reader) -> String {
    let well = reader.paint(Mark::Good, reader.say("正常", "well"));
    match contact {
        Contact::Connected { round_trip_us } => match round_trip_us {
            Some(us) => format!("{well} {}.{} ms", us / 1_000, us % 1_000 / 100),
            None => well,
        },
        Contact::Dialing => reader.say("连接中", "dialing").to_owned(),
        Contact::Idle => reader.say("尚无往来", "idle").to_owned(),
        Contact::Away { next_dial_ms } => {
            let away = reader.paint(Mark::Bad, reader.say("断开", "away"));
            let seconds = next_dial_ms.div_ceil(1_000);
            let next = reader.say(
                format!("{seconds} 秒后重试"),
                format!("next dial in {seconds} s"),
            );
            format!("{away} ({next})")
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn city_name(code: &str) -> &str {
    let division: Option<Division> = code.parse().ok();
    division.and_then(Division::name).unwrap_or(code)
}
