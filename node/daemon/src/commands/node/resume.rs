//! `tongban node resume`: takes the node back into service.

use clap::Args;
use serde_json::json;

use super::PATIENCE;
use super::view::Drained;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess};
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeAccess,
}

/// Takes it back.
pub(super) async fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let mut client = arguments.node.open(PATIENCE)?;
    let call = Call::post("/api/v1/node/resume", &json!({}));
    if let Some(answer) = client.order(&call).await? {
        output.answer(&Drained(answer.json()));
    }
    Ok(Exit::Yes)
}
