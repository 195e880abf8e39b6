//! `tongban backup restore`: a new node of the same city out of a backup. It has keys of its own, a number
//! never given before, an empty log and no state: nothing it says can contradict what the lost one said.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_runtime::{Restored, Restoring, WhatComesBack, table_name};
use tongban_types::{Code, NodeId};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::contents::Contents;
use super::source::{Source, SourceArguments};
use crate::commands::stopped_node::{on_tasks, open_log};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{FileError, replace};
use crate::keys::{KeyFolder, read_seed};
use crate::node_process::{DataFolder, check_user};
use crate::output::{Answer, Described, Output, Reader};
use crate::platform::FileDisk;
use crate::registry::{believe, is_held_name};

/// What a new file system has at its root.
const LOST_AND_FOUND: &str = "lost+found";

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    /// 恢复密钥的私钥文件 (recovery key)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 恢复到哪个目录, 必须为空或不存在 (folder to restore to, empty or absent)
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// 新的节点编号, 从未登记过 (number of the new node, never given before)
    #[arg(long, value_name = "NODE")]
    node: NodeId,
    /// 只说会做什么, 什么都不写 (write nothing; say what would be done)
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
struct Answered {
    dry_run: bool,
    new_node: String,
    #[schema(value_type = String)]
    data: PathBuf,
    /// Records put back, by table.
    restored: BTreeMap<&'static str, u64>,
    /// Registry files put back.
    files: Vec<String>,
    #[serde(flatten)]
    contents: Contents,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Answered>("tongban backup restore");

impl Answer for Answered {
    const SCHEMA: &'static str = "tongban.backup-restored/v1";

    fn to_text(&self, reader: Reader) -> String {
        let (node, data) = (&self.new_node, self.data.display());
        let count = |table| self.restored.get(table).copied().unwrap_or(0);
        let (keys, waiting, files) = (count("vault"), count("desk"), self.files.len());
        let done = if self.dry_run {
            reader.say(
                format!("未写任何文件。将在 {data} 建立新节点 {node}:"),
                format!("nothing was written. In {data} a new node {node} would come to be:"),
            )
        } else {
            reader.say(
                format!("{data} 里是新节点 {node}:"),
                format!("in {data} there is a new node {node}:"),
            )
        };
        let mut lines = vec![
            done,
            reader.say(
                format!("  放回办件密钥记录 {keys} 条, 待入组的收件 {waiting} 件, 名册 {files} 份"),
                format!(
                    "  back: {keys} records of case keys, {waiting} applications not yet in the group, {files} registries"
                ),
            ),
            reader.say(
                "  新的: 编号, 全部签名密钥, 空日志; 旧日志和旧投票一概不用".to_owned(),
                "  new: its number, every key that signs, an empty log; no old log, no old vote"
                    .to_owned(),
            ),
            reader.say(
                "  组状态不放回: 登记并用部署令编入后, 由各组的主副本送来".to_owned(),
                "  no state: once enrolled and placed by an order, the groups' leaders send it"
                    .to_owned(),
            ),
        ];
        if !self.dry_run {
            lines.push(reader.next(&format!("tongban key show --data {data} --node {node}")));
        }
        lines.join("\n")
    }
}

/// Restores, or says what that would do.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let seed = read_seed(&arguments.key)?;
    let source = Source::check(&arguments.source)?;
    check_number(arguments.node, &source)?;
    check_user(&arguments.data)?;
    check_holds_only(&arguments.data, &[LOST_AND_FOUND])?;
    let restored = if arguments.dry_run {
        rehearse(&source, &seed)?
    } else {
        on_tasks(restore(&source, &seed, &arguments.data, arguments.node))?
    };
    output.answer(&Answered {
        dry_run: arguments.dry_run,
        new_node: arguments.node.to_string(),
        data: arguments.data.clone(),
        restored: restored
            .records
            .into_iter()
            .map(|(table, count)| (table_name(table), count))
            .collect(),
        files: restored.files.into_keys().collect(),
        contents: Contents::of(&source.checked),
    });
    Ok(Exit::Yes)
}

/// A node under a number that was given out may have voted: the new one must not be taken for it.
fn check_number(node: NodeId, source: &Source) -> Result<(), Failure> {
    let lost = source.checked.head.node;
    if node.city() != lost.city() {
        let says = Said::new(
            format!("备份属于 {lost}, 与 {node} 不是一个城市"),
            format!("the backup is of {lost}, of another city than {node}"),
        );
        return Err(Failure::told(Code::BACKUP_OF_OTHER_CITY, Exit::No, says));
    }
    if node == lost || source.registry.node(node).is_some() {
        let version = source.registry.version();
        let says = Said::new(
            format!("{node} 已用过 (备份属于 {lost}, 名册第 {version} 版)"),
            format!(
                "{node} was in use (the backup is of {lost}, the registry of version {version})"
            ),
        );
        return Err(Failure::told(Code::NODE_NUMBER_USED, Exit::No, says));
    }
    Ok(())
}

/// Refuses a folder that has anything in it.
pub(super) fn check_empty(folder: &Path) -> Result<(), Failure> {
    check_holds_only(folder, &[])
}

/// Nothing is ever restored over anything.
fn check_holds_only(folder: &Path, spared: &[&str]) -> Result<(), Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::at(folder)(error).into()),
    };
    for entry in entries {
        let name = entry.map_err(FileError::at(folder))?.file_name();
        if !spared.iter().any(|spared| name == *spared) {
            let says = Said::new(
                format!("{} 不是空的", folder.display()),
                format!("{} is not empty", folder.display()),
            );
            let (code, exit) = (Code::FOLDER_NOT_EMPTY, Exit::Conflict);
            return Err(Failure::told(code, exit, says));
        }
    }
    Ok(())
}

/// Opens everything and counts it.
fn rehearse(source: &Source, seed: &Zeroizing<[u8; 32]>) -> Result<Restored, Failure> {
    let mut opening = source.open(seed)?;
    let mut restored = Restored::default();
    while let Some(chunk) = opening.next_chunk()? {
        restored.count(&chunk)?;
    }
    check_files(&restored)?;
    Ok(restored)
}

/// The keys come last: a folder that is not restored whole starts no node.
async fn restore(
    source: &Source,
    seed: &Zeroizing<[u8; 32]>,
    data: &Path,
    node: NodeId,
) -> Result<Restored, Failure> {
    let mut opening = source.open(seed)?;
    let folder = DataFolder::take(data, node)?;
    let log = open_log(data).await?;
    let disk = FileDisk::new(data);
    let mut restoring = Restoring::into(&log, &disk, WhatComesBack::Records);
    while let Some(chunk) = opening.next_chunk()? {
        restoring.put(chunk).await?;
    }
    let restored = restoring.finish();
    log.close().await.context("closing the log of the node")?;
    check_files(&restored)?;
    for (name, bytes) in &restored.files {
        replace(&data.join(name), bytes, 0o644)?;
    }
    KeyFolder::of(data).make(node)?;
    folder.keep()?;
    Ok(restored)
}

/// Only registries come back, and only such as their own governance signed.
fn check_files(restored: &Restored) -> Result<(), Failure> {
    for (name, bytes) in &restored.files {
        if !is_held_name(name) {
            let says = Said::new(
                format!("备份里有不认识的文件 {name:?}"),
                format!("the backup has a file that is not known: {name:?}"),
            );
            return Err(Failure::told(Code::MALFORMED_RECORD, Exit::No, says));
        }
        believe(bytes, None)?;
    }
    Ok(())
}
