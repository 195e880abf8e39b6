//! `tongban key recover`: puts the case keys of a backup into the vault of a node of the same city
//! that is stopped, or was never started.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_runtime::open_vault_backup;
use tongban_types::Code;
use utoipa::ToSchema;

use super::stopped_node::{StoppedNode, on_tasks};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::keys::read_seed;
use crate::output::{Answer, Described, Output, Reader};

/// A vault of ten million cases takes about this much.
const BACKUP_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 已停止的节点的数据目录, 其中已有 keys/ (data folder of a stopped node that has its keys/)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 恢复密钥的私钥文件 (the recovery key)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 备份文件 (the backup)
    #[arg(value_name = "FILE")]
    backup: PathBuf,
}

#[derive(Serialize, ToSchema)]
struct Recovered {
    node: String,
    from: String,
    records: usize,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Recovered>("tongban key recover");

impl Answer for Recovered {
    const SCHEMA: &'static str = "tongban.key-recovery/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (node, from, records) = (&self.node, &self.from, self.records);
        reader.say(
            format!("节点 {node} 从 {from} 的备份恢复了 {records} 条办件密钥记录"),
            format!("node {node} has {records} records of case keys from the backup of {from}"),
        )
    }
}

/// Recovers the keys.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let seed = read_seed(&arguments.key)?;
    let file = read_bounded(&arguments.backup, BACKUP_BYTES_MAX)?;
    let opened = open_vault_backup(&file, &seed)?;
    on_tasks(async {
        let stopped = StoppedNode::open(&arguments.data).await?;
        if stopped.node.city() != opened.node.city() {
            let (lost, here) = (opened.node, stopped.node);
            let says = Said::new(
                format!("备份属于 {lost}, 不是 {here} 的城市"),
                format!("the backup is of {lost}, of another city than {here}"),
            );
            return Err(Failure::told(Code::FOLDER_OF_OTHER_NODE, Exit::No, says));
        }
        let restored = opened.restore(&stopped.log).await;
        let records = restored.context("writing the keys into the log of the node")?;
        output.answer(&Recovered {
            node: stopped.node.to_string(),
            from: opened.node.to_string(),
            records,
        });
        Ok(Exit::Yes)
    })
}
