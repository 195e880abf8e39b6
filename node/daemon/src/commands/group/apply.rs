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
    /// 最多等几秒; 0 不等 (seconds to wait for the group to stand so; 0 waits for nothing)
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    wait: u64,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Applied {
    group: String,
    version: u64,
    stands: bool,
    /// Without a replica of the group here any more, none.
    #[schema(value_type = Option<MembersShape>)]
    members: Value,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Applied>("tongban group apply");

impl Answer for Applied {
    const SCHEMA: &'static str = "tongban.placement-applied/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (group, version, voters) = (&self.group, self.version, voters(&self.members));
        let said = if self.stands {
            reader.say(
                format!("{group} 已按部署令 v{version} 就位: {voters}"),
                format!("{group} stands as order v{version} says: {voters}"),
            )
        } else {
            reader.say(
                format!("{group} 的部署令 v{version} 已入日志, 还在执行: {voters}"),
                format!(
                    "order v{version} of {group} is in the log and being carried out: {voters}"
                ),
            )
        };
        let next = reader.next(&format!("tongban group status {group}"));
        format!("{said}\n{next}")
    }
}

/// Hands it in. What is not finished in time goes on by itself.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let file = read_order(&arguments.order)?;
    if file.signed().is_none() {
        let message = arguments.order.display().to_string();
        let next = format!("tongban group sign {message} --key governance.key");
        return Err(Failure::new(Code::PLACEMENT_UNSIGNED, Exit::No, message).then(next));
    }
    let mut client = arguments.node.open(PATIENCE)?;
    let body: Value = serde_json::from_str(&file.encode_indented()).unwrap_or_default();
    let (group, version) = (file.order().group, file.order().version);
    let path = format!("/api/v1/groups/{group}/placement");
    if client.order(&Call::post(path, &body)).await?.is_none() {
        return Ok(Exit::Yes);
    }
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    let group = group.to_string();
    loop {
        let (stands, members) = look(&mut client, &group, version).await?;
        if stands || Instant::now() >= until {
            output.answer(&Applied {
                group,
                version,
                stands,
                members,
            });
            let in_time = stands || arguments.wait == 0;
            return Ok(if in_time { Exit::Yes } else { Exit::TimedOut });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether the group stands by this order, and its members. A node that left the group by it says that it
/// has none, and then the group stands: it leaves no sooner.
async fn look(
    client: &mut NodeClient,
    group: &str,
    version: u64,
) -> Result<(bool, Value), Failure> {
    match client.read(&format!("/api/v1/groups/{group}")).await {
        Ok(mut seen) => {
            let is_in_force = seen["placement"]["version"].as_u64() >= Some(version);
            let stands = is_in_force && seen["stands"] == true;
            Ok((stands, seen["members"].take()))
        }
        Err(failure) if failure.code == Code::NOT_HOSTED => Ok((true, Value::Null)),
        Err(failure) => Err(failure),
    }
}
