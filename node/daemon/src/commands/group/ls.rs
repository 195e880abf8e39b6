//! `tongban group ls`: every group the node keeps a replica of.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::GroupShape;
use utoipa::ToSchema;

use super::PATIENCE;
use super::words::{names, standing, text, voters};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Listed {
    #[schema(value_type = String)]
    this_node: Value,
    #[schema(value_type = Vec<GroupShape>)]
    groups: Vec<Value>,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Listed>("tongban group ls");

impl Answer for Listed {
    const SCHEMA: &'static str = "tongban.groups/v1";
    const ROWS: &'static str = "groups";

    fn to_text(&self, reader: Reader) -> String {
        let mut table = reader.table(&[
            ("审批组", "GROUP"),
            ("城市", "CITY"),
            ("可失去", "CAN LOSE"),
            ("主持", "LEADER"),
            ("部署令", "ORDER"),
            ("状态", "STATE"),
            ("投票", "VOTERS"),
            ("旁听", "LEARNERS"),
        ]);
        for group in &self.groups {
            table.row([
                text(&group["group"]).to_owned(),
                text(&group["city_name"]).to_owned(),
                group["can_lose"].to_string(),
                text(&group["leader"]).to_owned(),
                group["placement"]["version"].to_string(),
                standing(group, reader).to_owned(),
                voters(&group["members"]),
                names(&group["members"]["learners"]),
            ]);
        }
        table.text()
    }
}

/// Lists them.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let Some(answer) = client.order(&Call::get("/api/v1/groups")).await? else {
        return Ok(Exit::Yes);
    };
    let mut page = answer.json();
    let groups = match page["groups"].take() {
        Value::Array(groups) => groups,
        _ => Vec::new(),
    };
    output.answer(&Listed {
        this_node: page["this_node"].take(),
        groups,
    });
    Ok(Exit::Yes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::Language;

    #[test]
    fn a_group_under_way_shows_both_sets_of_voters() {
        let listed = Listed {
            this_node: json!("350100-01"),
            groups: vec![json!({
                "group": "350100", "city_name": "福州市", "can_lose": 1, "leader": "350100-01",
                "placement": {"version": 4}, "stands": false, "stopped": false,
                "members": {"voter_sets": [["350100-01", "350300-01"], ["350100-01", "350700-01"]],
                    "learners": []},
            })],
        };
        let text = listed.to_text(Reader::plain(Language::En));
        assert!(
            text.contains("350100-01 350300-01 → 350100-01 350700-01"),
            "{text}"
        );
        assert!(text.contains("changing"), "{text}");
    }
}
