//! `tongban key backup`: seals the case keys of a node that is stopped to an offline recovery key.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_runtime::back_up_vault;
use tongban_types::{Code, SealingPublicKey};
use utoipa::ToSchema;

use super::pin::read_pin;
use super::stopped_node::{StoppedNode, on_tasks};
use crate::exit::Exit;
use crate::failure::{Coded, Failure};
use crate::files::replace;
use crate::misread::Misread;
use crate::node_process::BACKUP_STAMP;
use crate::output::{Answer, Described, Output, Reader};
use crate::platform::OsEntropy;

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 已停止的节点的数据目录 (data folder of a stopped node)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 恢复密钥的公钥, 由 tongban key make --recovery 输出 (public half of the recovery key)
    #[arg(long, value_name = "PUBLIC_KEY", value_parser = read_recovery)]
    to: SealingPublicKey,
    /// 写到哪里 (where to)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize, ToSchema)]
struct BackedUp {
    #[schema(value_type = String)]
    file: PathBuf,
    node: String,
    records: usize,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<BackedUp>("tongban key backup");

impl Answer for BackedUp {
    const SCHEMA: &'static str = "tongban.key-backup/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (node, records, file) = (&self.node, self.records, self.file.display());
        reader.say(
            format!("节点 {node} 的 {records} 条办件密钥记录已加密备份到 {file}"),
            format!("{records} records of case keys of node {node} are sealed in {file}"),
        )
    }
}

impl Coded for tongban_runtime::VaultBackupFault {
    fn code(&self) -> Code {
        Self::code(*self)
    }

    fn exit(&self) -> Exit {
        Exit::No
    }

    fn says(&self) -> Option<Said> {
        let zh = match self {
            Self::NoRecoveryKey => "恢复密钥不是 X25519 公钥",
            Self::Malformed => "文件不是办件密钥的备份",
            Self::NotOpened => "备份不能用这把恢复密钥打开, 或已被改动",
        };
        Some(Said::new(zh, self.to_string()))
    }
}

fn read_recovery(text: &str) -> Result<SealingPublicKey, Misread> {
    read_pin(text).map(|bytes| SealingPublicKey(bytes.0))
}

/// Makes the backup.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    on_tasks(async {
        let stopped = StoppedNode::open(&arguments.data).await?;
        let (file, records) = back_up_vault(&stopped.log, stopped.node, arguments.to, &OsEntropy)?;
        replace(&arguments.out, &file, 0o600)?;
        replace(&arguments.data.join(BACKUP_STAMP), b"", 0o644)?;
        output.answer(&BackedUp {
            file: arguments.out.clone(),
            node: stopped.node.to_string(),
            records,
        });
        Ok(Exit::Yes)
    })
}
