//! `tongban backup drill`: restores a backup into a scratch folder, opens what was written as a node would,
//! compares every state with what the lost node signed, and tries the case keys on the forms.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use data_encoding::HEXLOWER;
use serde::Serialize;
use tongban_assembly::replicas_at_rest;
use tongban_runtime::ports::{LocalLog as _, LocalTable};
use tongban_runtime::seams::Entropy as _;
use tongban_runtime::{Examination, Replica, Restoring, WhatComesBack, examine, table_name};
use tongban_types::{BackedUpState, Code, GroupId};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::restore::check_empty;
use super::source::{Source, SourceArguments};
use crate::commands::stopped_node::{on_tasks_until_stopped, open_log};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::FileError;
use crate::keys::read_seed;
use crate::node_process::open_state;
use crate::output::{Answer, Described, Mark, Output, Reader};
use crate::platform::{DaemonPlatform, FileDisk, OsEntropy};

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    /// 恢复密钥的私钥文件 (recovery key)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// 演练用的空目录, 用后删除, 不写则在临时目录下新建 (empty folder to use, removed afterwards)
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// What a drill found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Drilled {
    verdict: &'static str,
    code: Option<String>,
    node: String,
    /// Each group the node had a replica of.
    pub(crate) groups: Vec<Compared>,
    tables: BTreeMap<&'static str, Table>,
    /// What became of the city's forms.
    pub(crate) cases: Tried,
}

/// A group's state, as it was signed and as it was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Compared {
    /// The group.
    pub(crate) group: String,
    index: u64,
    /// What the node signed.
    pub(crate) promised: String,
    /// What came back; empty if no state did.
    pub(crate) restored: String,
    /// Whether index, state hash and the digest over every pair of the state are equal.
    pub(crate) equal: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct Table {
    #[serde(skip)]
    of: LocalTable,
    promised: u64,
    restored: u64,
}

/// What the keys that came back do with the forms that came back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tried {
    /// Cases of the city.
    pub(crate) cases: u64,
    /// Forms that open with a key that came back.
    pub(crate) opened: u64,
    without_key: u64,
    broken: u64,
}

impl Drilled {
    fn of(source: &Source, found: &Found) -> Self {
        let checked = &source.checked;
        let groups = checked.states().map(|promised| {
            let restored = found.states.get(&promised.group);
            Compared {
                group: promised.group.to_string(),
                index: promised.index,
                promised: HEXLOWER.encode(&promised.state_hash.0),
                restored: restored
                    .map(|state| HEXLOWER.encode(&state.state_hash.0))
                    .unwrap_or_default(),
                equal: restored == Some(promised),
            }
        });
        let tables = checked.records().into_iter().map(|(table, promised)| {
            let restored = found.records.get(&table).copied().unwrap_or(0);
            let counted = Table {
                of: table,
                promised,
                restored,
            };
            (table_name(table), counted)
        });
        let Examination {
            cases,
            opened,
            without_key,
            broken,
        } = found.examined;
        let mut drilled = Self {
            verdict: "passed",
            code: None,
            node: checked.head.node.to_string(),
            groups: groups.collect(),
            tables: tables.collect(),
            cases: Tried {
                cases,
                opened,
                without_key,
                broken,
            },
        };
        if !drilled.has_passed() {
            drilled.verdict = "failed";
            drilled.code = Some(Code::DRILL_FAILED.to_string());
        }
        drilled
    }

    /// Whether everything came back as it was signed.
    pub(crate) fn has_passed(&self) -> bool {
        self.groups.iter().all(|group| group.equal)
            && self
                .tables
                .values()
                .all(|table| table.promised == table.restored)
            && self.cases.broken == 0
    }
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Drilled>("tongban backup drill");

impl Answer for Drilled {
    const SCHEMA: &'static str = "tongban.backup-drill/v1";
    const ROWS: &'static str = "groups";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines = Vec::new();
        for group in &self.groups {
            let (mark, word) = if group.equal {
                (Mark::Good, reader.say("状态哈希一致", "equal state hashes"))
            } else {
                (
                    Mark::Bad,
                    reader.say("状态哈希不一致", "different state hashes"),
                )
            };
            let (id, index) = (&group.group, group.index);
            lines.push(format!("{id} #{index} {}", reader.paint(mark, word)));
            lines.push(format!(
                "  {} {}",
                reader.say("签名时", "signed  "),
                group.promised
            ));
            lines.push(format!(
                "  {} {}",
                reader.say("恢复后", "restored"),
                group.restored
            ));
        }
        for table in self.tables.values() {
            let Table {
                of,
                promised,
                restored,
            } = table;
            let name = table_said(*of, reader);
            lines.push(reader.say(
                format!("{name}: 备份 {promised} 条, 恢复 {restored} 条"),
                format!("{name}: {restored} of {promised} records restored"),
            ));
        }
        let Tried {
            cases,
            opened,
            without_key,
            broken,
        } = self.cases;
        lines.push(reader.say(
            format!("本市办件 {cases} 件: 表单能打开 {opened}, 密钥不在本节点 {without_key}, 打不开 {broken}"),
            format!("{cases} cases of the city: {opened} forms open, {without_key} have their key elsewhere, {broken} do not open"),
        ));
        lines.push(if self.has_passed() {
            reader.paint(Mark::Good, reader.say("演练通过", "the drill passed"))
        } else {
            reader.paint(Mark::Bad, reader.say("演练未通过", "the drill failed"))
        });
        lines.extend(
            self.code
                .as_ref()
                .map(|code| reader.next(&format!("tongban explain {code}"))),
        );
        lines.join("\n")
    }
}

/// A table of the node's own records, in words.
fn table_said(table: LocalTable, reader: Reader) -> &'static str {
    let (zh, en) = match table {
        LocalTable::Desk => ("待入组的收件", "applications not yet replicated"),
        LocalTable::Vault => ("办件密钥", "case keys"),
        LocalTable::Counters => ("办件编号计数", "counters of case numbers"),
        LocalTable::Tokens => ("访问令牌", "access tokens"),
        LocalTable::Proposed => ("已提交待入组的收件", "applications proposed"),
        LocalTable::Founding => ("建节点时的治理密钥", "governance keys begun with"),
        LocalTable::Files => ("附件归属", "files that cases name"),
        LocalTable::Placed => ("收到的部署令", "orders of placement"),
    };
    reader.say(zh, en)
}

/// Drills with the file somebody points at.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let seed = read_seed(&arguments.key)?;
    let source = Source::check(&arguments.source)?;
    // It goes behind the tasks: what still writes into it when the drill is interrupted ends with them.
    let mut scratch = None;
    let drilled = on_tasks_until_stopped(async {
        let scratch = scratch.insert(Scratch::make(arguments.scratch.as_deref())?);
        drill_in(&source, &seed, scratch).await
    })?;
    if let Some(scratch) = scratch {
        scratch.remove()?;
    }
    let Some(drilled) = drilled else {
        let reader = output.reader();
        output.talk(reader.say(
            "演练被中断, 演练用的目录已删除",
            "the drill was interrupted; its scratch folder is removed",
        ));
        return Ok(Exit::No);
    };
    output.answer(&drilled);
    Ok(if drilled.has_passed() {
        Exit::Yes
    } else {
        Exit::No
    })
}

/// Restores into a scratch folder, looks, and removes it. No node is touched; the folder holds case keys in the clear
/// until it is removed.
pub(crate) async fn drill(
    source: &Source,
    seed: &Zeroizing<[u8; 32]>,
    scratch: &Path,
) -> Result<Drilled, Failure> {
    let scratch = Scratch::make(Some(scratch))?;
    let drilled = drill_in(source, seed, &scratch).await?;
    scratch.remove()?;
    Ok(drilled)
}

async fn drill_in(
    source: &Source,
    seed: &Zeroizing<[u8; 32]>,
    scratch: &Scratch,
) -> Result<Drilled, Failure> {
    restore_all(source, seed, &scratch.0).await?;
    let found = Found::look(source, &scratch.0).await?;
    Ok(Drilled::of(source, &found))
}

/// Records and states, as files.
async fn restore_all(
    source: &Source,
    seed: &Zeroizing<[u8; 32]>,
    scratch: &Path,
) -> Result<(), Failure> {
    let mut opening = source.open(seed)?;
    let log = open_log(scratch).await?;
    let disk = FileDisk::new(scratch);
    let mut restoring = Restoring::into(&log, &disk, WhatComesBack::RecordsAndStates);
    while let Some(chunk) = opening.next_chunk()? {
        restoring.put(chunk).await?;
        // The chunks of a state are written without waiting: whoever interrupts is heard between two of them.
        tokio::task::yield_now().await;
    }
    log.close().await.context("closing the log of the drill")?;
    Ok(())
}

/// What stands in a scratch folder, read as a node would read it.
struct Found {
    states: BTreeMap<GroupId, BackedUpState>,
    records: BTreeMap<LocalTable, u64>,
    examined: Examination,
}

impl Found {
    async fn look(source: &Source, scratch: &Path) -> Result<Self, Failure> {
        let log = open_log(scratch).await?;
        let store = Arc::new(open_state(scratch)?.0);
        let disk = FileDisk::new(scratch);
        let groups = source.checked.states().map(|state| state.group);
        let opened = replicas_at_rest::<DaemonPlatform>(&store, &disk, groups).await?;
        let own = GroupId(source.checked.head.node.city());
        let (mut states, mut examined) = (BTreeMap::new(), Examination::default());
        for replica in &opened {
            let replica: &Replica<DaemonPlatform> = replica;
            let state = replica.describe().await;
            let state = state.context("reading a state that was restored")?;
            states.extend(state.map(|state| (state.group, state)));
            if replica.group() == own {
                examined = examine(&log, replica).await?;
            }
        }
        let tables = source.checked.records().into_keys();
        let records = tables.map(|table| (table, log.count(table) as u64));
        let records = records.collect();
        log.close().await.context("closing the log of the drill")?;
        Ok(Self {
            states,
            records,
            examined,
        })
    }
}

/// A folder that goes with its holder, whatever became of the drill.
struct Scratch(PathBuf);

impl Scratch {
    fn make(told: Option<&Path>) -> Result<Self, Failure> {
        let path = if let Some(path) = told {
            // It goes whole: of the root of a disk not even what came with it is spared.
            check_empty(path)?;
            path.to_owned()
        } else {
            let name: [u8; 8] = OsEntropy.array();
            let name = format!("tongban-drill-{}", HEXLOWER.encode(&name));
            std::env::temp_dir().join(name)
        };
        let mut builder = DirBuilder::new();
        let made = builder.recursive(told.is_some()).mode(0o700).create(&path);
        made.map_err(FileError::at(&path))?;
        // One that was there may be open to others.
        let closed = fs::set_permissions(&path, Permissions::from_mode(0o700));
        closed.map_err(FileError::at(&path))?;
        Ok(Self(path))
    }

    fn remove(&self) -> Result<(), FileError> {
        fs::remove_dir_all(&self.0).map_err(FileError::at(&self.0))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already where the drill came to its end.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Language;

    #[test]
    fn no_table_of_a_backup_is_said_by_the_name_that_programs_read() {
        let tables = [
            LocalTable::Proposed,
            LocalTable::Desk,
            LocalTable::Founding,
            LocalTable::Files,
            LocalTable::Vault,
        ];
        for table in tables {
            for language in [Language::Zh, Language::En] {
                let said = table_said(table, Reader::plain(language));
                assert_ne!(said, table_name(table));
            }
        }
    }
}
