//! The data folder: one process at a time, one node for ever, and no vote by a node whose log is
//! gone.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use thiserror::Error;
use tongban_api::Said;
use tongban_types::{CityCode, Code, NodeId};
use tongban_wal::has_log;

use super::folder_lock::lock;
use super::operator::OPERATOR_FILE;
use super::ready::READY_FILE;
use super::running::RUNNING_FILE;
use crate::exit::Exit;
use crate::failure::Coded;
use crate::files::{FileError, read_bounded, replace};
use crate::keys::KeyFolder;
use crate::platform::FileDisk;

/// Access tokens, in the data folder.
pub(crate) const TOKENS_FILE: &str = "tokens.json";

/// Its time is that of the last backup made of this folder: of the node, or of its case keys alone.
pub(crate) const BACKUP_STAMP: &str = "last-backup";

/// Says which node the folder belongs to, once its log exists.
const OWNER_FILE: &str = "node";

/// What a process leaves of itself for as long as it runs.
const WORD_FILES: [&str; 3] = [READY_FILE, OPERATOR_FILE, RUNNING_FILE];

/// A node's name takes nine bytes.
const OWNER_BYTES_MAX: usize = 64;

/// The folder everything of a node is in, locked for this process.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    owner: NodeId,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub(crate) enum DataFolderError {
    /// Another process uses it.
    #[error("{} 正被另一进程使用", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It belongs to another node.
    #[error("{} 属于节点 {owner}, 不是 {node}", path.display())]
    OfOtherNode {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who asked.
        node: NodeId,
    },
    /// It is another user's, and root would leave files there that the node cannot open.
    #[error("{} 属于用户 {uid}, 不能以 root 使用", path.display())]
    OfOtherUser {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// No node has run on it and no keys are in it yet.
    #[error("{} 里没有节点, 请用 --node 说明是哪个节点", path.display())]
    OfNobody {
        /// The folder.
        path: PathBuf,
    },
    /// The node had a log, and it is gone.
    #[error("{} 里曾有日志, 现在没有了", path.display())]
    LogLost {
        /// The folder.
        path: PathBuf,
    },
    /// Its log cannot be looked for.
    #[error("数据目录 {}", path.display())]
    LogUnreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: tongban_wal::OpenError,
    },
    /// The system refuses.
    #[error("数据目录 {}", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A file in it cannot be used.
    #[error("数据目录中的文件")]
    File(#[from] FileError),
}

impl Coded for DataFolderError {
    fn code(&self) -> Code {
        match self {
            Self::InUse { .. } => Code::FOLDER_IN_USE,
            Self::OfOtherNode { .. } => Code::FOLDER_OF_OTHER_NODE,
            // As for every command that knows its node by the keys.
            Self::OfNobody { .. } => Code::KEY_FILE_MISSING,
            Self::OfOtherUser { .. } => Code::FOLDER_OF_OTHER_USER,
            Self::LogLost { .. } => Code::LOG_LOST,
            Self::LogUnreadable { source, .. } => source.code(),
            Self::Unusable { .. } | Self::File(_) => Code::FOLDER_UNUSABLE,
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::InUse { .. } => Exit::Conflict,
            Self::OfNobody { .. } => Exit::NotFound,
            Self::OfOtherNode { .. } | Self::OfOtherUser { .. } | Self::LogLost { .. } => {
                Exit::BadConfiguration
            }
            Self::LogUnreadable { .. } | Self::Unusable { .. } | Self::File(_) => Exit::Internal,
        }
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            Self::InUse { path } => format!("{} is used by another process", path.display()),
            Self::OfOtherNode { path, owner, node } => {
                format!("{} belongs to node {owner}, not to {node}", path.display())
            }
            Self::OfOtherUser { path, uid } => {
                format!(
                    "{} belongs to user {uid} and is not to be used as root",
                    path.display()
                )
            }
            Self::OfNobody { path } => {
                format!("{} has no node; say by --node which it is", path.display())
            }
            Self::LogLost { path } => format!("{} had a log, which is gone", path.display()),
            Self::LogUnreadable { path, .. } | Self::Unusable { path, .. } => {
                format!("the data folder {}", path.display())
            }
            Self::File(_) => "a file of the data folder".to_owned(),
        };
        Some(Said::new(self.to_string(), en))
    }
}

/// Refuses root in a folder of the node's user: whatever it makes there, the node cannot open. A folder
/// of root's that the node may write to, as a volume of a container, is anybody's.
pub(crate) fn check_user(path: &Path) -> Result<(), DataFolderError> {
    let made_keys = fs::metadata(path.join("keys")).or_else(|_| fs::metadata(path));
    let Ok(uid) = made_keys.map(|found| found.uid()) else {
        return Ok(());
    };
    if geteuid().is_root() && uid != 0 {
        return Err(DataFolderError::OfOtherUser {
            path: path.to_owned(),
            uid,
        });
    }
    Ok(())
}

impl DataFolder {
    /// Takes the folder for `node`, making it if need be.
    pub(crate) fn take(path: &Path, node: NodeId) -> Result<Self, DataFolderError> {
        let unusable = |source| DataFolderError::Unusable {
            path: path.to_owned(),
            source,
        };
        check_user(path)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let lock = lock(path)?;
        if let Some(owner) = owner_of(path)?
            && owner != node.to_string()
        {
            return Err(DataFolderError::OfOtherNode {
                path: path.to_owned(),
                owner,
                node,
            });
        }
        check_log(path)?;
        for folder in ["keys", "wal", "state", "snapshots", "blobs"] {
            let made = DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path.join(folder));
            made.map_err(unusable)?;
        }
        let taken = Self {
            path: path.to_owned(),
            owner: node,
            _lock: lock,
        };
        // A process that was killed left it, and another may have its number by now.
        taken.withdraw_word();
        Ok(taken)
    }

    /// From now on the folder is this node's, and its log must be there. Called when the log exists
    /// and before the process says it is ready.
    pub(crate) fn keep(&self) -> Result<(), DataFolderError> {
        if owner_of(&self.path)?.is_none() {
            let owner = format!("{}\n", self.owner);
            replace(&self.path.join(OWNER_FILE), owner.as_bytes(), 0o644)?;
        }
        Ok(())
    }

    /// Takes back what a process says of itself in the folder.
    pub(super) fn withdraw_word(&self) {
        for file in WORD_FILES {
            let _ = fs::remove_file(self.path.join(file));
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether the log is there, if the node of the folder ever had one. Without it a node does not start: it
/// would not know what it voted.
pub(crate) fn check_log(path: &Path) -> Result<(), DataFolderError> {
    if owner_of(path)?.is_none() {
        return Ok(());
    }
    let look = has_log(&FileDisk::new(path));
    let has_log = look.map_err(|source| DataFolderError::LogUnreadable {
        path: path.to_owned(),
        source,
    })?;
    if has_log {
        Ok(())
    } else {
        Err(DataFolderError::LogLost {
            path: path.to_owned(),
        })
    }
}

fn owner_of(path: &Path) -> Result<Option<String>, DataFolderError> {
    match read_bounded(&path.join(OWNER_FILE), OWNER_BYTES_MAX) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The city of the node a folder belongs to, as it was told or as the folder says.
pub(crate) fn city_of_folder(
    path: &Path,
    told: Option<NodeId>,
) -> Result<CityCode, DataFolderError> {
    let owner = owner_of(path)?;
    let known = owner
        .and_then(|owner| owner.parse().ok())
        .or_else(|| KeyFolder::of(path).owner());
    match (known, told) {
        (Some(owner), Some(node)) if owner != node => Err(DataFolderError::OfOtherNode {
            path: path.to_owned(),
            owner: owner.to_string(),
            node,
        }),
        (Some(node), _) | (None, Some(node)) => Ok(node.city()),
        (None, None) => Err(DataFolderError::OfNobody {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> NodeId {
        text.parse().unwrap()
    }

    fn code_of(path: &Path, id: &str) -> Code {
        DataFolder::take(path, node(id)).unwrap_err().code()
    }

    #[test]
    fn a_second_taker_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let taken = DataFolder::take(&path, node("350100-01")).unwrap();
        assert_eq!(code_of(&path, "350100-01"), Code::FOLDER_IN_USE);
        drop(taken);
        assert!(DataFolder::take(&path, node("350100-01")).is_ok());
    }

    #[test]
    fn a_folder_stays_with_its_node_and_does_not_start_without_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let take = || DataFolder::take(&path, node("350100-01"));
        let taken = take().unwrap();
        // Before the first start there is none to be missed.
        check_log(&path).unwrap();
        let segment = path.join("wal/0000000000000001.log");
        fs::write(&segment, "x").unwrap();
        taken.keep().unwrap();
        drop(taken);
        assert_eq!(code_of(&path, "350100-02"), Code::FOLDER_OF_OTHER_NODE);
        drop(take().unwrap());
        check_log(&path).unwrap();
        fs::remove_file(segment).unwrap();
        assert_eq!(code_of(&path, "350100-01"), Code::LOG_LOST);
        assert_eq!(check_log(&path).unwrap_err().code(), Code::LOG_LOST);
        // What a new file system, or a checkpoint that was never finished, leaves there is no log.
        fs::create_dir(path.join("wal/lost+found")).unwrap();
        fs::write(path.join("wal/checkpoint.new"), "x").unwrap();
        assert_eq!(code_of(&path, "350100-01"), Code::LOG_LOST);
        fs::remove_dir_all(path.join("wal")).unwrap();
        assert_eq!(code_of(&path, "350100-01"), Code::LOG_LOST);
    }

    #[test]
    fn a_folder_of_nobody_is_not_told_as_one_of_another_node() {
        let folder = tempfile::tempdir().unwrap();
        let told = |node| city_of_folder(folder.path(), node);
        let nobody = told(None).unwrap_err();
        assert_eq!(
            (nobody.code(), nobody.exit()),
            (Code::KEY_FILE_MISSING, Exit::NotFound)
        );
        let city = node("350100-01").city();
        assert_eq!(told(Some(node("350100-01"))).unwrap(), city);
        fs::write(folder.path().join(OWNER_FILE), "350100-01").unwrap();
        assert_eq!(told(None).unwrap(), city);
        let other = told(Some(node("350100-02"))).unwrap_err();
        assert_eq!(other.code(), Code::FOLDER_OF_OTHER_NODE);
    }

    #[test]
    fn root_leaves_nothing_in_a_folder_of_the_nodes_user() {
        use std::os::unix::fs::chown;

        let folder = tempfile::tempdir().unwrap();
        if !geteuid().is_root() {
            // Who is not root cannot lock the node out: it may not even write there.
            assert!(check_user(folder.path()).is_ok());
            return;
        }
        chown(folder.path(), Some(12_345), None).unwrap();
        assert_eq!(
            code_of(folder.path(), "350100-01"),
            Code::FOLDER_OF_OTHER_USER
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // What counts is who made the keys.
        fs::create_dir(folder.path().join("keys")).unwrap();
        assert!(check_user(folder.path()).is_ok());
        chown(folder.path(), Some(0), None).unwrap();
        chown(folder.path().join("keys"), Some(12_345), None).unwrap();
        assert_eq!(
            code_of(folder.path(), "350100-01"),
            Code::FOLDER_OF_OTHER_USER
        );
    }
}
