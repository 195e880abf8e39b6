//! `tongban group status`: one group, its order in force, its members and how far they are.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::{GroupShape, Said};
use tongban_types::{CityCode, Code};
use utoipa::ToSchema;

use super::PATIENCE;
use super::words::{names, standing, text, voters};
use crate::commands::own_group::own_group;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 审批组, 以城市为名; 默认本市 (the group, named by its city; the node's own by default)
    #[arg(value_name = "CITY")]
    group: Option<CityCode>,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = GroupShape)]
struct Shown(Value);

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Shown>("tongban group status");

impl Answer for Shown {
    const SCHEMA: &'static str = "tongban.group/v1";

    fn to_text(&self, reader: Reader) -> String {
        let group = &self.0;
        let mut lines = vec![
            format!(
                "{} {}  {}",
                text(&group["group"]),
                text(&group["city_name"]),
                standing(group, reader)
            ),
            format!(
                "{}  {}",
                reader.say("可失去", "can lose"),
                group["can_lose"]
            ),
            format!(
                "{}  {}",
                reader.say("主持", "leader"),
                text(&group["leader"])
            ),
            format!(
                "{}  v{}",
                reader.say("部署令", "order"),
                group["placement"]["version"]
            ),
            format!(
                "{}  {}",
                reader.say("投票", "voters"),
                voters(&group["members"])
            ),
            format!(
                "{}  {}",
                reader.say("旁听", "learners"),
                names(&group["members"]["learners"])
            ),
        ];
        let replicas = group["replicas"].as_array().map(Vec::as_slice);
        if let Some(replicas) = replicas.filter(|replicas| !replicas.is_empty()) {
            let mut table =
                reader.table(&[("副本", "REPLICA"), ("应答", "ANSWERS"), ("落后", "LACKS")]);
            for replica in replicas {
                let heard = replica["is_heard"].as_bool() == Some(true);
                table.row([
                    text(&replica["node"]).to_owned(),
                    if heard {
                        reader.say("是", "yes")
                    } else {
                        reader.say("否", "no")
                    }
                    .to_owned(),
                    replica["lacks"].to_string(),
                ]);
            }
            lines.push(table.text());
        }
        lines.join("\n")
    }
}

/// Shows it. A group that stands as ordered and decides is a yes.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let group = if let Some(group) = arguments.group {
        let path = format!("/api/v1/groups/{group}");
        let Some(answer) = client.order(&Call::get(path)).await? else {
            return Ok(Exit::Yes);
        };
        answer.json()
    } else {
        let Some(answer) = client.order(&Call::get("/api/v1/groups")).await? else {
            return Ok(Exit::Yes);
        };
        own_of(&answer.json())
            .map_err(|failure| failure.then(format!("tongban group ls{}", client.words())))?
    };
    let is_well = group["stands"] == true && group["has_quorum"] == true;
    output.answer(&Shown(group));
    Ok(if is_well { Exit::Yes } else { Exit::No })
}

fn own_of(answer: &Value) -> Result<Value, Failure> {
    own_group(answer).cloned().ok_or_else(|| {
        let says = Said::new(
            "本节点没有本市审批组的副本",
            "this node keeps no replica of its own city's group",
        );
        Failure::told(Code::NOT_HOSTED, Exit::NotFound, says).then("tongban group ls")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_without_its_own_citys_group_says_so_and_shows_no_other() {
        let answer = |node: &str| json!({"this_node": node, "groups": [{"group": "350100"}]});
        let own = own_of(&answer("350100-01")).unwrap();
        assert_eq!(own["group"], "350100");
        let failure = own_of(&answer("350300-01")).unwrap_err();
        assert_eq!(failure.code, Code::NOT_HOSTED);
        assert_eq!(failure.exit, Exit::NotFound);
        assert_eq!(failure.next, "tongban group ls");
    }
}
