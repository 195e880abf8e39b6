//! `tongban node drain`: takes the node out of service, and says when it is safe to stop.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::PATIENCE;
use super::view::Drained;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::Output;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

const DRAIN: &str = "/api/v1/node/drain";

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 最多等几秒直到可以停机 (seconds to wait until it is safe to stop)
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    #[command(flatten)]
    node: NodeAccess,
}

/// Drains it: safe to stop is a yes, and what is not yet safe in time a no.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let Some(answer) = client.order(&Call::post(DRAIN, &json!({}))).await? else {
        return Ok(Exit::Yes);
    };
    let mut drained = Drained(answer.json());
    let until = Instant::now() + Duration::from_secs(arguments.wait);
    while !drained.is_safe() && Instant::now() < until {
        tokio::time::sleep(LOOK_EVERY).await;
        drained = Drained(client.read(DRAIN).await?);
    }
    if drained.is_safe() {
        output.answer(&drained);
        return Ok(Exit::Yes);
    }
    output.answer_then(&drained, &format!("tongban node drain{}", client.words()));
    Ok(Exit::No)
}
