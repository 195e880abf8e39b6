//! The tables of a status: the members of the city's own group, and the groups with a replica here.

use serde_json::Value;

use super::trouble::troubles_of;
use super::{Status, city_name, text};
use crate::output::Reader;

impl Status {
    /// Whether a node is in touch, as far as this one knows.
    pub(super) fn is_in_touch(&self, node: &str) -> bool {
        let connected = self.answer["connected"].as_array();
        node == text(&self.answer["node"])
            || connected.is_some_and(|nodes| nodes.iter().any(|one| one == node))
    }

    /// Whether nobody here wanted anything of a node yet.
    pub(super) fn is_idle(&self, node: &str) -> bool {
        self.idle.iter().any(|one| one == node)
    }

    pub(super) fn members(&self, own: &Value, reader: Reader) -> String {
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
                } else if self.is_idle(node) {
                    reader.say("尚无往来", "idle")
                } else {
                    reader.say("断开 !", "away !")
                };
                let city = city_name(node.get(..6).unwrap_or(node));
                table.row([node, city, role, contact].map(ToOwned::to_owned));
            }
        }
        table.text()
    }

    pub(super) fn groups_table(groups: &[Value], reader: Reader) -> String {
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
}
