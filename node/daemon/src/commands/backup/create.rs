//! `tongban backup create`: a backup of a running node, asked of it, to the recovery key it is configured with;
//! or of one that is stopped, made by whoever may read its data folder, to that key or another they name.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use serde::Serialize;
use tongban_api::Said;
use tongban_assembly::replicas_at_rest;
use tongban_runtime::{BackupSink as _, BackupSource, take_backup};
use tongban_types::{Code, DAY_MS, GroupId, SealingPublicKey};
use utoipa::ToSchema;

use super::contents::Contents;
use super::daily::let_go;
use super::destination::Destination;
use crate::commands::pin::read_pin;
use crate::commands::stopped_node::{StoppedNode, on_tasks_until_stopped};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::replace;
use crate::keys::KeyFolder;
use crate::misread::Misread;
use crate::node_access::{NodeAccess, path_word};
use crate::node_process::{BACKUP_STAMP, open_state};
use crate::output::{Answer, Described, Output, Reader};
use crate::platform::{DaemonPlatform, FileDisk, OsEntropy, SystemClock};
use crate::registry::{believe, held_files};

/// A node cuts the state of a group before it hands it out: a large one takes minutes on a slow disk.
const PIECE_PATIENCE: Duration = Duration::from_mins(10);

/// What it takes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// 写到哪个文件, - 为标准输出; 给出已有的目录时, 以节点和时刻命名 (file to write; - for stdout; in a folder that is there it is
    /// named by node and time)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// 写好之后, 从 --out 的目录中删去本节点这么多天以前的备份 (once it is made, let those of the node go from the folder that are
    /// older than so many days)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    keep_days: Option<u16>,
    /// 节点已停止: 直接读它的数据目录 (the node is stopped: read its data folder)
    #[arg(long, conflicts_with_all = ["url", "curl"])]
    stopped: bool,
    /// 恢复密钥的公钥, 由 tongban key make --recovery 输出; 不给则用配置中的, 运行中的节点只用配置中的 (public half of the
    /// recovery key; the one of the configuration by default, and always for a running node)
    #[arg(long, value_name = "PUBLIC_KEY", value_parser = read_recovery, requires = "stopped")]
    to: Option<SealingPublicKey>,
    #[command(flatten)]
    node: NodeAccess,
}

#[derive(Serialize, ToSchema)]
struct Created {
    #[schema(value_type = String)]
    file: PathBuf,
    /// Older ones of the node that were let go.
    #[schema(value_type = Vec<String>)]
    let_go: Vec<PathBuf>,
    #[serde(flatten)]
    contents: Contents,
}

/// Its JSON form.
pub(crate) const ANSWER: Described = Described::answer::<Created>("tongban backup create");

impl Answer for Created {
    const SCHEMA: &'static str = "tongban.backup-created/v1";
    const ROWS: &'static str = "groups";

    fn to_text(&self, reader: Reader) -> String {
        let mut lines = vec![self.contents.to_text(reader)];
        for old in &self.let_go {
            let old = old.display();
            lines.push(reader.say(
                format!("已删去过期的 {old}"),
                format!("let {old} go, which is older than asked"),
            ));
        }
        let file = path_word(&self.file);
        let verify = format!("tongban backup verify {file} --trust registry.json");
        lines.push(reader.next(&verify));
        lines.join("\n")
    }
}

fn read_recovery(text: &str) -> Result<SealingPublicKey, Misread> {
    read_pin(text).map(|bytes| SealingPublicKey(bytes.0))
}

/// Makes the backup. One that is told to stop leaves nothing; what one left that was killed goes first.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<Exit, Failure> {
    let reader = output.reader();
    if !arguments.node.shows_curl() {
        for left in Destination::clear(&arguments.out) {
            let left = left.display();
            output.talk(&reader.say(
                format!("已清除中断的备份留下的 {left}"),
                format!("cleared away {left}, left by a backup that was interrupted"),
            ));
        }
    }
    let Some(made) = on_tasks_until_stopped(make(arguments))? else {
        output.talk(reader.say(
            "备份被中断, 没有备份",
            "the backup was interrupted; there is none",
        ));
        return Ok(Exit::No);
    };
    if let Some(created) = made {
        output.answer(&created);
    }
    Ok(Exit::Yes)
}

/// What was made; nothing is known of what went to stdout, and with `--curl` there is none.
async fn make(arguments: &Arguments) -> Result<Option<Created>, Failure> {
    check_kept_in_a_folder(arguments)?;
    let mut destination = Destination::begin(&arguments.out)?;
    let mut stopped = None;
    if arguments.stopped {
        let (data, recovery) = (arguments.node.folder()?, recovery_key(arguments)?);
        back_up_stopped(&data, recovery, &mut destination).await?;
        stopped = Some(data);
    } else if !ask_running(&arguments.node, &mut destination).await? {
        return Ok(None);
    }
    let finished = destination.finish()?;
    if let Some(data) = stopped {
        replace(&data.join(BACKUP_STAMP), b"", 0o644)?;
    }
    let Some((file, checked)) = finished else {
        return Ok(None);
    };
    let old = match arguments.keep_days {
        Some(days) => {
            let before = checked.head.begun_at.plus_ms(-DAY_MS * i64::from(days));
            let_go(&arguments.out, checked.head.node, before)?
        }
        None => Vec::new(),
    };
    Ok(Some(Created {
        file,
        let_go: old,
        contents: Contents::of(&checked),
    }))
}

/// Older ones are known by the names they were given in a folder.
fn check_kept_in_a_folder(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.keep_days.is_none() || arguments.out.is_dir() {
        return Ok(());
    }
    let says = Said::new(
        "用 --keep-days 时, --out 须是已有的目录",
        "with --keep-days, --out must be a folder that is there",
    );
    Err(Failure::told(Code::USAGE, Exit::Usage, says).then("tongban backup create --help"))
}

/// The key a stopped node is backed up to.
fn recovery_key(arguments: &Arguments) -> Result<SealingPublicKey, Failure> {
    if let Some(named) = arguments.to {
        return Ok(named);
    }
    let configuration = arguments.node.configuration()?;
    let configured = configuration.and_then(|configuration| configuration.recovery_key);
    configured.ok_or_else(|| {
        let says = Said::new(
            "没有用 --to 指明恢复密钥, 配置里也没有 [backup] recovery_key",
            "neither --to nor [backup] recovery_key of the configuration names a recovery key",
        );
        Failure::told(Code::NO_RECOVERY_KEY, Exit::Conflict, says)
    })
}

/// Backs the node that runs on a data folder up into a new file, sealed to the recovery key it is configured with.
pub(crate) async fn back_up_running(data: &Path, out: &Path) -> Result<(), Failure> {
    let mut destination = Destination::begin(out)?;
    ask_running(&NodeAccess::of_data(data), &mut destination).await?;
    destination.finish()?;
    Ok(())
}

/// Whether there is a backup: with `--curl` there is none.
async fn ask_running(node: &NodeAccess, destination: &mut Destination) -> Result<bool, Failure> {
    let mut client = node.open(PIECE_PATIENCE)?;
    let put = async |piece: Bytes| destination.put(piece.to_vec()).await;
    let read = client.read_pieces("/api/v1/backup", put).await?;
    Ok(read.is_some())
}

async fn back_up_stopped(
    data: &Path,
    recovery: SealingPublicKey,
    destination: &mut Destination,
) -> Result<(), Failure> {
    let stopped = StoppedNode::open(data).await?;
    let files = held_files(data)?;
    let groups = match files.iter().find(|(name, _)| name == "registry.json") {
        Some((_, file)) => {
            let registry = believe(file, None)?;
            registry.cities().map(|(city, _)| GroupId(city)).collect()
        }
        // It was never started.
        None => Vec::new(),
    };
    let store = Arc::new(open_state(data)?.0);
    let disk = FileDisk::new(data);
    let replicas = replicas_at_rest::<DaemonPlatform>(&store, &disk, groups).await?;
    let source = BackupSource {
        node: stopped.node,
        recovery,
        local: Arc::new(stopped.log.clone()),
        replicas,
        files,
        signer: Arc::new(KeyFolder::of(data).load()?.ring),
        entropy: Arc::new(OsEntropy),
        clock: Arc::new(SystemClock),
    };
    take_backup(&source, None, destination).await?;
    stopped
        .close()
        .await
        .context("closing the log of the node")?;
    Ok(())
}
