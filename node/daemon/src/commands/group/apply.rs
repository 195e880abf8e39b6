//! `tongban group apply`: hands a signed order of placement in, and waits until the group stands so.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tongban_api::MembersShape;
use tongban_types::Code;
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
    /// None where the node keeps no replica of the group: then it cannot know.
    stands: Option<bool>,
    /// Without a replica of the group here any more, none.
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
    // Asked before the order: by it the node may leave the group.
    let mut was_kept =
        !arguments.node.shows_curl() && read_group(&mut client, &group).await?.is_some();
    let path = format!("/api/v1/groups/{group}/placement");
    if client.order(&Call::post(path, &body)).await?.is_none() {
        return Ok(Exit::Yes);
    }
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    loop {
        let seen = read_group(&mut client, &group).await?;
        let (stands, members) = judge(seen, version, was_kept);
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
        was_kept = true;
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

/// Whether the group stands by this order, and its members. A node that kept a replica and has none any
/// more left by the order, and then the group stands: it leaves no sooner. One that had none cannot know.
fn judge(seen: Option<Value>, version: u64, was_kept: bool) -> (Option<bool>, Value) {
    let Some(mut seen) = seen else {
        return (was_kept.then_some(true), Value::Null);
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

    use super::*;
    use crate::output::Language;

    #[test]
    fn a_node_without_a_replica_does_not_say_that_the_group_stands() {
        let (stands, members) = judge(None, 2, false);
        assert_eq!(stands, None);
        assert_eq!(exit_of(stands, 120), Exit::Indeterminate);
        let applied = Applied {
            group: "350100".to_owned(),
            version: 2,
            stands,
            members,
            at: String::new(),
        };
        let said = applied.to_text(Reader::plain(Language::En));
        assert!(said.contains("cannot know"), "{said}");
        assert!(said.contains("group status 350100 --url"), "{said}");
    }

    #[test]
    fn a_node_that_left_by_the_order_says_that_the_group_stands_and_where_to_look() {
        let (stands, members) = judge(None, 2, true);
        assert_eq!(stands, Some(true));
        let applied = Applied {
            group: "350100".to_owned(),
            version: 2,
            stands,
            members,
            at: String::new(),
        };
        let said = applied.to_text(Reader::plain(Language::En));
        assert!(said.contains("stands as order v2 says\n"), "{said}");
        assert!(said.contains("group status 350100 --url"), "{said}");
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
        assert_eq!(judge(seen(1, true), 2, true).0, Some(false));
        assert_eq!(judge(seen(2, false), 2, true).0, Some(false));
        assert_eq!(judge(seen(2, true), 2, true).0, Some(true));
    }
}
