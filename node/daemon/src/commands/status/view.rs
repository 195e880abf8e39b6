//! What a status says to people, and whether all is well. The text, the JSON and the exit code are
//! drawn from the same findings.

use serde::Serialize;
use serde_json::Value;
use tongban_types::{Code, Division};

use crate::columns::padded;
use crate::output::Answer;

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
            Self::Diverged => "副本状态不一致, 已停止",
            Self::Stopped => "已停止",
            Self::Evidence => "留有两份不同报文的证据",
            Self::NoQuorum => "没有主副本或多数",
            Self::NoGroup => "没有本市的审批组",
            Self::DeskRefused => "有收件被审批组拒绝",
        }
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
#[derive(Debug, Serialize)]
pub(super) struct Status {
    healthy: bool,
    #[serde(flatten)]
    answer: Value,
    #[serde(skip)]
    troubles: Vec<Trouble>,
}

impl Status {
    /// Reads an answer.
    pub(super) fn of(mut answer: Value) -> Self {
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

impl Answer for Status {
    const SCHEMA: &'static str = "tongban.status/v1";

    fn to_text(&self) -> String {
        let status = &self.answer;
        let groups = groups(status);
        let standing = match self.troubles.first() {
            None => "正常",
            Some(Trouble::Failed) => "故障",
            Some(_) => "异常",
        };
        let mut lines = vec![
            format!("可再失去节点: {}", can_lose(groups.first())),
            format!(
                "节点 {} · {standing} · 名册第 {} 版 · 已连接 {} 个节点 · 待复制 {} 件",
                text(&status["node"]),
                status["registry"],
                status["connected"].as_array().map_or(0, Vec::len),
                status["desk_waiting"],
            ),
        ];
        if self.troubles.contains(&Trouble::DeskRefused) {
            lines.push(format!(
                "! {} {} 件: GET /api/v1/cases?state=stored",
                Trouble::DeskRefused.zh(),
                status["desk_refused"]
            ));
        }
        lines.extend(groups.iter().map(group_line));
        if let Some(trouble) = self.troubles.first() {
            lines.push(format!("下一步: tongban explain {}", trouble.code()));
        }
        lines.join("\n")
    }
}

fn group_line(group: &Value) -> String {
    let mut line = format!(
        "  {} 主 {} 任期 {} 应用 {}/{} 办件 {} 未答报文 {}",
        padded(city_name(&group["group"]), 8),
        group["leader"].as_str().unwrap_or("未知"),
        group["term"],
        group["applied_index"],
        group["last_index"],
        group["cases"],
        group["unanswered"],
    );
    for trouble in troubles_of(group) {
        line.push_str(" ! ");
        line.push_str(trouble.zh());
    }
    line
}

fn can_lose(own: Option<&Value>) -> String {
    let Some(own) = own else {
        return format!("0 (未知: {})", Trouble::NoGroup.zh());
    };
    let unknown = troubles_of(own)
        .into_iter()
        .find(|trouble| *trouble != Trouble::Evidence);
    match unknown {
        Some(Trouble::NoQuorum) => "0 (未知: 审批组没有主副本或多数; 收件仍可进行)".to_owned(),
        Some(trouble) => format!("0 (未知: 本市审批组{})", trouble.zh()),
        None => {
            let voters = own["voters"].as_array().map_or(0, Vec::len);
            let (count, in_touch) = (&own["can_lose"], &own["voters_in_touch"]);
            format!("{count} ({voters} 个投票成员, {in_touch} 个在线)")
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn city_name(group: &Value) -> &str {
    let code = text(group);
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
            failed: false,
        }
    }

    /// The status the API gives of a report in which something is changed.
    fn status(change: impl FnOnce(&mut NodeReport)) -> Status {
        let mut report = report();
        change(&mut report);
        Status::of(status_json(&report))
    }

    #[test]
    fn the_first_line_says_how_many_more_can_be_lost() {
        let well = status(|_| {});
        let shown = well.to_text();
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
            (|node| node.desk_refused = 2, "拒绝 2 件", "DESK_REFUSED"),
        ];
        for (change, said, code) in cases {
            let found = status(change);
            let shown = found.to_text();
            assert!(!found.is_healthy(), "{shown}");
            assert!(shown.contains(said), "{said}: {shown}");
            assert!(!shown.contains("正常"), "{shown}");
            let next = shown.lines().next_back().unwrap_or_default();
            let named = next.rsplit(' ').next().and_then(|code| code.parse().ok());
            let entry = named.and_then(Code::entry).unwrap();
            let name = code.to_lowercase().replace('_', "-");
            assert_eq!(entry.name, name, "{shown}");
            assert_eq!(serde_json::to_value(&found).unwrap()["healthy"], false);
        }
    }
}
