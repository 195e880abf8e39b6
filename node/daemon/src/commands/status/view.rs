//! What a status says to people, and whether all is well. The text, the JSON and the exit code are
//! drawn from the same findings.

use serde::Serialize;
use serde_json::Value;
use tongban_api::StatusShape;
use tongban_types::{Code, Division};
use utoipa::ToSchema;

use crate::node_access::{Contact, Partner, partners};
use crate::output::{Answer, Described, Mark, Reader};

/// What is wrong with a node or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Failed,
    Diverged,
    Stopped,
    Evidence,
    NoQuorum,
    NoGroup,
    DeskRefused,
}

impl Trouble {
    const fn zh(self) -> &'static str {
        match self {
            Self::Failed => "节点故障",
            Self::Diverged => "与多数副本状态不一致, 已停止",
            Self::Stopped => "已停止",
            Self::Evidence => "留有两份不同报文的证据",
            Self::NoQuorum => "没有主副本或多数",
            Self::NoGroup => "没有本市的审批组",
            Self::DeskRefused => "有收件被审批组拒绝",
        }
    }

    const fn en(self) -> &'static str {
        match self {
            Self::Failed => "the node has failed",
            Self::Diverged => "differs from the majority, stopped",
            Self::Stopped => "stopped",
            Self::Evidence => "evidence of two different packets is kept",
            Self::NoQuorum => "no leader or majority",
            Self::NoGroup => "the city's group is not here",
            Self::DeskRefused => "the group refuses what was taken in",
        }
    }

    fn said(self, reader: Reader) -> &'static str {
        reader.say(self.zh(), self.en())
    }

    const fn code(self) -> Code {
        match self {
            Self::Failed => Code::NODE_FAILED,
            Self::Diverged | Self::Stopped => Code::GROUP_STOPPED,
            Self::Evidence => Code::EQUIVOCATION,
            Self::NoQuorum => Code::NO_QUORUM,
            Self::NoGroup => Code::NOT_HOSTED,
            Self::DeskRefused => Code::DESK_REFUSED,
        }
    }
}

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
        if groups.is_empty() {
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
        }
    }

    /// Whether nothing is wrong.
    pub(super) const fn is_healthy(&self) -> bool {
        self.healthy
    }
}

fn groups(answer: &Value) -> &[Value] {
    answer["groups"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn troubles_of(group: &Value) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if group["diverged"] == true {
        troubles.push(Trouble::Diverged);
    } else if group["stopped"] == true {
        troubles.push(Trouble::Stopped);
    } else if group["has_quorum"] != true {
        troubles.push(Trouble::NoQuorum);
    }
    if group["evidence"].as_u64().is_some_and(|proofs| proofs > 0) {
        troubles.push(Trouble::Evidence);
    }
    troubles
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
        if let Some(own) = groups.first() {
            lines.push(self.members(own, reader));
        }
        lines.push(Self::groups_table(groups, reader));
        lines.extend(self.partners(reader));
        if let Some(trouble) = self.troubles.first() {
            lines.push(reader.next(&format!("tongban explain {}", trouble.code())));
        } else if self.is_drained() {
            lines.push(reader.next("tongban node resume"));
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
        format!("{word}: {}", can_lose(groups(&self.answer).first(), reader))
    }

    fn standing_line(&self, reader: Reader) -> String {
        let status = &self.answer;
        let standing = match self.troubles.first() {
            None if self.is_drained() => {
                reader.paint(Mark::Warning, reader.say("停用维护", "drained"))
            }
            None => reader.paint(Mark::Good, reader.say("正常", "well")),
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

    /// Whether a node is in touch, as far as this one knows.
    fn is_in_touch(&self, node: &str) -> bool {
        let connected = self.answer["connected"].as_array();
        node == text(&self.answer["node"])
            || connected.is_some_and(|nodes| nodes.iter().any(|one| one == node))
    }

    fn members(&self, own: &Value, reader: Reader) -> String {
        let mut table = reader.table(&[
            ("成员", "MEMBER"),
            ("城市", "CITY"),
            ("角色", "ROLE"),
            ("联系", "CONTACT"),
        ]);
        let roles = [
            ("voters", reader.say("从", "follower")),
            ("learners", reader.say("学习", "learner")),
        ];
        for (list, role) in roles {
            for member in own[list].as_array().map(Vec::as_slice).unwrap_or_default() {
                let node = text(member);
                let role = if own["leader"] == *member {
                    reader.say("主", "leader")
                } else {
                    role
                };
                let contact = if node == text(&self.answer["node"]) {
                    reader.say("本机", "this node")
                } else if self.is_in_touch(node) {
                    reader.say("已连接", "connected")
                } else {
                    reader.say("断开 !", "away !")
                };
                let city = city_name(node.get(..6).unwrap_or(node));
                table.row([node, city, role, contact].map(ToOwned::to_owned));
            }
        }
        table.text()
    }

    fn groups_table(groups: &[Value], reader: Reader) -> String {
        let mut table = reader.table(&[
            ("审批组", "GROUP"),
            ("主", "LEADER"),
            ("任期", "TERM"),
            ("应用", "APPLIED"),
            ("落后", "BEHIND"),
            ("办件", "CASES"),
            ("未答报文", "UNANSWERED"),
            ("", ""),
        ]);
        for group in groups {
            let count = |name: &str| group[name].as_u64().unwrap_or(0);
            let behind = count("last_index").saturating_sub(count("applied_index"));
            let troubles: Vec<String> = troubles_of(group)
                .into_iter()
                .map(|trouble| format!("! {}", trouble.said(reader)))
                .collect();
            table.row([
                city_name(text(&group["group"])).to_owned(),
                group["leader"]
                    .as_str()
                    .unwrap_or(reader.say("未知", "unknown"))
                    .to_owned(),
                count("term").to_string(),
                count("applied_index").to_string(),
                behind.to_string(),
                count("cases").to_string(),
                count("unanswered").to_string(),
                troubles.join(" "),
            ]);
        }
        table.text()
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

fn can_lose(own: Option<&Value>, reader: Reader) -> String {
    let unknown = |why: &str| format!("0 ({}: {why})", reader.say("未知", "unknown"));
    let Some(own) = own else {
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
        None => {
            let voters = own["voters"].as_array().map_or(0, Vec::len);
            let (count, in_touch) = (&own["can_lose"], &own["voters_in_touch"]);
            reader.say(
                format!("{count} ({voters} 个投票成员, {in_touch} 个在线)"),
                format!("{count} ({voters} voters, {in_touch} in touch)"),
            )
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tongban_api::status_json;
    use tongban_runtime::ports::GroupStatus;
    use tongban_runtime::{GroupReport, NodeReport};
    use tongban_types::{GroupId, NodeId, Timestamp};

    use super::*;
    use crate::output::Language;

    fn node(text: &str) -> NodeId {
        text.parse().unwrap()
    }

    /// A follower of its own group, all well.
    fn report() -> NodeReport {
        let voters = ["350100-01", "350300-01", "350900-01"].map(node).to_vec();
        let group = GroupReport {
            group: GroupId("350100".parse().unwrap()),
            status: GroupStatus {
                leader: Some(voters[1]),
                voters: voters.clone(),
                ..GroupStatus::default()
            },
            time: Timestamp::default(),
            cases: 7,
            unanswered: 0,
            refused: BTreeMap::new(),
            evidence: 0,
            in_touch: 3,
            has_quorum: true,
            can_lose: 1,
            diverged: false,
        };
        NodeReport {
            node: voters[0],
            groups: vec![group],
            connected: voters[1..].to_vec(),
            desk_waiting: 0,
            desk_refused: 0,
            case_keys: 0,
            registry: 1,
            refused_to_peers: BTreeMap::new(),
            relayed: 0,
            draining: false,
            failed: false,
        }
    }

    fn peers() -> Value {
        serde_json::json!({"this_node": "350100-01", "peers": [
            {"city": "350300", "city_name": "莆田市", "state": "connected", "round_trip_us": 12_345},
            {"city": "610500", "city_name": "渭南市", "state": "waiting", "next_dial_ms": 19_100},
        ]})
    }

    /// The status the API gives of a report in which something is changed.
    fn status(change: impl FnOnce(&mut NodeReport)) -> Status {
        let mut report = report();
        change(&mut report);
        Status::of(status_json(&report), &peers())
    }

    #[test]
    fn the_first_line_says_how_many_more_can_be_lost() {
        let well = status(|_| {});
        let shown = well.to_text(Reader::default());
        assert!(well.is_healthy());
        assert!(
            shown.starts_with("可再失去节点: 1 (3 个投票成员, 3 个在线)\n"),
            "{shown}"
        );
        assert!(
            shown.contains("福州市") && shown.contains("正常"),
            "{shown}"
        );
        assert!(!shown.contains("下一步"), "{shown}");
        assert!(
            shown.contains("伙伴城市: 莆田市 正常 12.3 ms · 渭南市 断开 (20 秒后重试)"),
            "{shown}"
        );
        let rows: Vec<Vec<&str>> = shown
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert!(
            rows.contains(&vec!["350300-01", "莆田市", "主", "已连接"]),
            "{shown}"
        );
        assert!(
            rows.contains(&vec!["350100-01", "福州市", "从", "本机"]),
            "{shown}"
        );
        let english = well.to_text(Reader::plain(Language::En));
        assert!(english.starts_with("nodes that can be lost: 1 (3 voters, 3 in touch)\n"));
    }

    #[test]
    fn a_node_that_takes_no_new_case_is_not_said_to_be_well() {
        let drained = status(|node| node.draining = true);
        let shown = drained.to_text(Reader::default());
        assert!(drained.is_healthy());
        assert!(
            shown.contains("停用维护") && shown.ends_with("下一步: tongban node resume"),
            "{shown}"
        );
    }

    #[test]
    fn a_member_out_of_touch_is_seen_at_a_glance() {
        let found = status(|node| node.connected.clear());
        let shown = found.to_text(Reader::default());
        assert_eq!(shown.matches("断开 !").count(), 2, "{shown}");
    }

    #[test]
    fn whatever_is_wrong_is_said_and_is_a_no() {
        type Change = fn(&mut NodeReport);
        let cases: [(Change, &str, &str); 7] = [
            (|node| node.failed = true, "故障", "NODE_FAILED"),
            (
                |node| node.groups[0].status.stopped = true,
                "未知: 本市审批组已停止",
                "GROUP_STOPPED",
            ),
            (
                |node| {
                    node.groups[0].status.stopped = true;
                    node.groups[0].diverged = true;
                },
                "不一致",
                "GROUP_STOPPED",
            ),
            (
                |node| node.groups[0].has_quorum = false,
                "未知: 审批组没有主副本或多数",
                "NO_QUORUM",
            ),
            (|node| node.groups[0].evidence = 1, "证据", "EQUIVOCATION"),
            (|node| node.groups.clear(), "没有本市的审批组", "NOT_HOSTED"),
            (|node| node.desk_refused = 2, "拒绝 2: GET", "DESK_REFUSED"),
        ];
        for (change, said, code) in cases {
            let found = status(change);
            let shown = found.to_text(Reader::default());
            assert!(!found.is_healthy(), "{shown}");
            assert!(shown.contains(said), "{said}: {shown}");
            let standing = shown.lines().nth(1).unwrap_or_default();
            assert!(!standing.contains("正常"), "{shown}");
            let next = shown.lines().next_back().unwrap_or_default();
            let named = next.rsplit(' ').next().and_then(|code| code.parse().ok());
            let entry = named.and_then(Code::entry).unwrap();
            let name = code.to_lowercase().replace('_', "-");
            assert_eq!(entry.name, name, "{shown}");
            assert_eq!(serde_json::to_value(&found).unwrap()["healthy"], false);
        }
    }
}
