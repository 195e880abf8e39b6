//! `tongban group apply`: hands a signed order of placement in, and waits until the group stands so; at a node that the
//! order brings in, first for its replica.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::MembersShape;
use tongban_types::{Code, NodeId, PlacementOrder};
use utoipa::ToSchema;

use super::PATIENCE;
use super::file::read_order;
use super::words::voters;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess, NodeClient};
use crate::output::{Answer, Described, Output, Reader};

/// Between two looks at the group.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 已签署的部署令 (the signed order)
    #[arg(value_name = "ORDER")]
    order: PathBuf,
    /// 最多等几秒: 未就位退出码为 9, 本节点不知为 4; 0 不等 (seconds to wait for the group to stand so: exit code 9
    /// if it does not, 4 if this node cannot know; 0 waits for nothing)
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Applied {
    group: String,
    version: u64,
    /// None where the node keeps no replica of the group and the order brings it none: then it cannot know.
    stands: Option<bool>,
    /// Without a replica of the group here any more, or yet, none.
    #[schema(value_type = Option<MembersShape>)]
    members: Value,
    /// How the node was named.
    #[serde(skip)]
    at: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Applied>("tongban group apply");

impl Answer for Applied {
    const SCHEMA: &'static str = "tongban.placement-applied/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (group, version) = (&self.group, self.version);
        let is_kept = !self.members.is_null();
        let voters = if is_kept {
            format!(": {}", voters(&self.members))
        } else {
            String::new()
        };
        let said = match self.stands {
            Some(true) => reader.say(
                format!("{group} 已按部署令 v{version} 就位{voters}"),
                format!("{group} stands as order v{version} says{voters}"),
            ),
            Some(false) if !is_kept => reader.say(
                format!("{group} 的部署令 v{version} 已入日志, 该组的副本还没有到本节点"),
                format!(
                    "order v{version} of {group} is in the log, and the group's replica has not \
                     come to this node yet"
                ),
            ),
            Some(false) => reader.say(
                format!("{group} 的部署令 v{version} 已入日志, 还在执行{voters}"),
                format!(
                    "order v{version} of {group} is in the log and being carried out{voters}"
                ),
            ),
            None => reader.say(
                format!("{group} 的部署令 v{version} 已入日志; 本节点没有该组的副本, 不知是否就位"),
                format!(
                    "order v{version} of {group} is in the log; without a replica of the group this node \
                     cannot know whether it stands"
                ),
            ),
        };
        let at = if is_kept {
            self.at.as_str()
        } else {
            " --url URL --token TOKEN --ca FILE"
        };
        let next = reader.next(&format!("tongban group status {group}{at}"));
        format!("{said}\n{next}")
    }
}

/// What a node has to do with the group that an order places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// It keeps a replica of it, or did: by the order it may leave.
    Keeps,
    /// It keeps none, and the order brings it one.
    ComesIn,
    /// It keeps none, and the order brings it none.
    Stranger,
}

impl Part {
    /// By the groups that the node lists, and by the order.
    fn of(listed: &Value, order: &PlacementOrder) -> Self {
        let group = order.group.to_string();
        let mut kept = listed["groups"].as_array().into_iter().flatten();
        if kept.any(|kept| kept["group"] == group) {
            return Self::Keeps;
        }
        let node = listed["this_node"].as_str();
        let node: Option<NodeId> = node.and_then(|node| node.parse().ok());
        let is_placed = |node| order.voters.contains(&node) || order.learners.contains(&node);
        if node.is_some_and(is_placed) {
            Self::ComesIn
        } else {
            Self::Stranger
        }
    }

    /// Whether the group stands by the order, where the node shows no replica of it. One that kept a replica left
    /// by the order, and leaves no sooner; one that comes in has yet to be told; another cannot know.
    const fn stands_unseen(self) -> Option<bool> {
        match self {
            Self::Keeps => Some(true),
            Self::ComesIn => Some(false),
            Self::Stranger => None,
        }
    }
}

/// Hands it in. What is not finished in time goes on by itself.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let file = read_order(&arguments.order)?;
    if file.signed().is_none() {
        let message = arguments.order.display().to_string();
        let next =
            format!("tongban group sign {message} --key governance.key --trust registry.json");
        return Err(Failure::new(Code::PLACEMENT_UNSIGNED, Exit::No, message).then(next));
    }
    let mut client = arguments.node.open(PATIENCE)?;
    let body: Value = serde_json::from_str(&file.encode_indented()).unwrap_or_default();
    let (group, version) = (file.order().group.to_string(), file.order().version);
    let mut part = Part::Stranger;
    if !arguments.node.shows_curl() {
        // Asked before the order: by it the node may leave the group.
        part = Part::of(&client.read("/api/v1/groups").await?, file.order());
    }
    let path = format!("/api/v1/groups/{group}/placement");
    if client.order(&Call::post(path, &body)).await?.is_none() {
        return Ok(Exit::Yes);
    }
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    loop {
        let seen = read_group(&mut client, &group).await?;
        if seen.is_some() {
            part = Part::Keeps;
        }
        let (stands, members) = judge(seen, version, part);
        if stands != Some(false) || Instant::now() >= until {
            output.answer(&Applied {
                group,
                version,
                stands,
                members,
                at: arguments.node.words(),
            });
            return Ok(exit_of(stands, arguments.wait));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The group as the node shows it; nothing where it keeps no replica of it.
async fn read_group(client: &mut NodeClient, group: &str) -> Result<Option<Value>, Failure> {
    match client.read(&format!("/api/v1/groups/{group}")).await {
        Ok(seen) => Ok(Some(seen)),
        Err(failure) if failure.code == Code::NOT_HOSTED => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whether the group stands by this order, and its members.
fn judge(seen: Option<Value>, version: u64, part: Part) -> (Option<bool>, Value) {
    let Some(mut seen) = seen else {
        return (part.stands_unseen(), Value::Null);
    };
    let is_in_force = seen["placement"]["version"].as_u64() >= Some(version);
    let stands = is_in_force && seen["stands"] == true;
    (Some(stands), seen["members"].take())
}

/// Who does not wait asks for no more than that the order is in the log.
const fn exit_of(stands: Option<bool>, wait: u64) -> Exit {
    if wait == 0 {
        return Exit::Yes;
    }
    match stands {
        Some(true) => Exit::Yes,
        Some(false) => Exit::TimedOut,
        None => Exit::Indeterminate,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tongban_types::GroupId;

    use super::*;
    use crate::both_languages::is_chinese;
    use crate::output::Language;

    fn applied(stands: Option<bool>, members: Value) -> Applied {
        Applied {
            group: "350100".to_owned(),
            version: 2,
            stands,
            members,
            at: String::new(),
        }
    }

    #[test]
    fn a_node_without_a_replica_does_not_say_that_the_group_stands() {
        let (stands, members) = judge(None, 2, Part::Stranger);
        assert_eq!(stands, None);
        assert_eq!(exit_of(stands, 120), Exit::Indeterminate);
        let applied = applied(stands, members);
        let said = applied.to_text(Reader::plain(Language::En));
        assert!(said.contains("cannot know"), "{said}");
        assert!(said.contains("group status 350100 --url"), "{said}");
    }

    #[test]
    fn a_node_that_left_by_the_order_says_that_the_group_stands_and_where_to_look() {
        let (stands, members) = judge(None, 2, Part::Keeps);
        assert_eq!(stands, Some(true));
        let applied = applied(stands, members);
        let said = applied.to_text(Reader::plain(Language::En));
        assert!(said.contains("stands as order v2 says\n"), "{said}");
        assert!(said.contains("group status 350100 --url"), "{said}");
    }

    #[test]
    fn a_node_that_the_order_brings_in_waits_for_its_replica() {
        let (stands, members) = judge(None, 2, Part::ComesIn);
        assert_eq!(stands, Some(false));
        assert_eq!(exit_of(stands, 120), Exit::TimedOut);
        let applied = applied(stands, members);
        let said = applied.to_text(Reader::plain(Language::En));
        assert!(said.contains("has not come to this node yet\n"), "{said}");
        assert!(!said.contains(is_chinese), "{said}");
        let said = applied.to_text(Reader::plain(Language::Zh));
        assert!(said.contains("副本还没有到本节点\n"), "{said}");
    }

    #[test]
    fn what_a_node_has_to_do_with_a_group_is_told_by_its_list_and_the_order() {
        let order = PlacementOrder {
            group: GroupId("350100".parse().unwrap()),
            version: 2,
            voters: vec!["350100-02".parse().unwrap()],
            learners: vec!["350300-01".parse().unwrap()],
            reason: String::new(),
        };
        let other = json!({"group": "350300"});
        let part = |node: &str| Part::of(&json!({"this_node": node, "groups": [other]}), &order);
        assert_eq!(part("350100-02"), Part::ComesIn);
        assert_eq!(part("350300-01"), Part::ComesIn);
        assert_eq!(part("350900-01"), Part::Stranger);
        // It stays, or leaves by the order.
        for node in ["350100-02", "350900-01"] {
            let kept = json!({"this_node": node, "groups": [other, {"group": "350100"}]});
            assert_eq!(Part::of(&kept, &order), Part::Keeps);
        }
    }

    #[test]
    fn a_group_is_looked_at_next_where_its_order_was_handed_in() {
        let members = json!({"voter_sets": [["350100-01"]], "learners": []});
        let applied = Applied {
            group: "350100".to_owned(),
            version: 2,
            stands: Some(false),
            members,
            at: " --data /d".to_owned(),
        };
        let said = applied.to_text(Reader::plain(Language::En));
        assert!(said.ends_with("group status 350100 --data /d"), "{said}");
    }

    #[test]
    fn a_group_stands_by_an_order_once_it_is_in_force_and_carried_out() {
        let seen = |version: u64, stands: bool| {
            Some(json!({"placement": {"version": version}, "stands": stands, "members": {}}))
        };
        let stands = |seen| judge(seen, 2, Part::Keeps).0;
        assert_eq!(stands(seen(1, true)), Some(false));
        assert_eq!(stands(seen(2, false)), Some(false));
        assert_eq!(stands(seen(2, true)), Some(true));
    }
}
