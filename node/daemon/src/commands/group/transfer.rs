//! `tongban group transfer`: hands the lead of a group from the node to another voter.

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tongban_types::{CityCode, NodeId};
use utoipa::ToSchema;

use super::PATIENCE;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::{Answer, Described, Output, Reader};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 审批组, 以城市为名 (the group, named by its city)
    #[arg(value_name = "CITY")]
    group: CityCode,
    /// 接任主持的投票成员 (the voter that is to lead)
    #[arg(long, value_name = "NODE")]
    to: NodeId,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct HandedOver {
    group: String,
    to: String,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<HandedOver>("tongban group transfer");

impl Answer for HandedOver {
    const SCHEMA: &'static str = "tongban.lead-handed-over/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (group, to) = (&self.group, &self.to);
        let said = reader.say(
            format!("{group} 的主持已移交 {to}"),
            format!("the lead of {group} was handed to {to}"),
        );
        let next = reader.next(&format!("tongban group status {group}"));
        format!("{said}\n{next}")
    }
}

/// Hands it over.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let path = format!("/api/v1/groups/{}/lead", arguments.group);
    let body = json!({"to": arguments.to.to_string()});
    if client.order(&Call::post(path, &body)).await?.is_some() {
        output.answer(&HandedOver {
            group: arguments.group.to_string(),
            to: arguments.to.to_string(),
        });
    }
    Ok(Exit::Yes)
}
