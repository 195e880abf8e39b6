//! `tongban key show`: prints the public halves of a node's keys again, as `key make` did.

use std::path::PathBuf;

use clap::Args;
use tongban_api::Said;
use tongban_types::{Code, NodeId};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::keys::KeyFolder;
use crate::output::Output;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 节点的数据目录 (data folder of the node)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 节点编号, 如 350100-01 (the node)
    #[arg(long, value_name = "NODE")]
    node: NodeId,
}

/// Shows them.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let folder = KeyFolder::of(&arguments.data);
    if let Some(owner) = folder.owner()
        && owner != arguments.node
    {
        let node = arguments.node;
        let says = Said::new(
            format!("这些密钥属于节点 {owner}, 不是 {node}"),
            format!("these keys are of node {owner}, not of {node}"),
        );
        let data = arguments.data.display();
        let next = format!("tongban key show --data {data} --node {owner}");
        return Err(Failure::told(Code::FOLDER_OF_OTHER_NODE, Exit::No, says).then(next));
    }
    let keys = folder.load()?;
    output.answer_json(&keys.enrolment(arguments.node));
    Ok(Exit::Yes)
}
