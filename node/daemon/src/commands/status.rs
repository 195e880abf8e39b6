//! `tongban status`: a running node at a glance. The first line says how many more nodes can be lost.
//! Asking changes nothing.

mod view;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use tongban_api::Said;
use tongban_types::Code;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::node_access::{Call, NodeAccess, NodeClient};
use crate::output::Output;

pub(crate) use view::ANSWER;
use view::Status;

/// A node that answers at all answers a status from memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a watched status is asked for again.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// What it takes. Without anything: the node this machine is configured for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeAccess,
    /// 在终端上每两秒更新, Ctrl-C 结束 (show it again every two seconds, at a terminal)
    #[arg(long)]
    watch: bool,
}

/// Asks and shows.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let at_terminal = std::io::stdout().is_terminal() && !output.is_for_machines();
    if arguments.watch && !at_terminal {
        let says = Said::new("--watch 只用于终端", "--watch is for a terminal alone");
        let next = format!("tongban status --json{}", arguments.node.words());
        return Err(Failure::told(Code::USAGE, Exit::Usage, says).then(next));
    }
    let mut client = arguments.node.open(PATIENCE)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the command")?;
    runtime.block_on(async {
        if !arguments.watch {
            return show(&mut client, output).await;
        }
        loop {
            // Clears what is seen and begins at its top.
            Output::verbatim("\u{1b}[2J\u{1b}[H");
            if let Err(failure) = show(&mut client, output).await {
                output.failure(&failure);
            }
            tokio::select! {
                ended = tokio::signal::ctrl_c() => {
                    ended.context("listening for the end")?;
                    return Ok(Exit::Yes);
                }
                () = tokio::time::sleep(WATCH_EVERY) => {}
            }
        }
    })
}

async fn show(client: &mut NodeClient, output: Output) -> Result<Exit, Failure> {
    let Some(answer) = client.order(&Call::get("/api/v1/status")).await? else {
        return Ok(Exit::Yes);
    };
    // Who the partners are is beside the point of a status: who may not see the links sees the rest.
    let peers = client.read("/api/v1/peers").await.unwrap_or(Value::Null);
    let status = Status::of(answer.json(), &peers).at(client.words());
    output.answer(&status);
    Ok(if status.is_healthy() {
        Exit::Yes
    } else {
        Exit::No
    })
}
