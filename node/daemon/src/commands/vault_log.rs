//! The log of a node that is stopped, where its vault stands.

use std::future::Future;
use std::path::Path;

use anyhow::Context as _;
use openraft_rt_tokio::TokioRuntime;
use tongban_types::NodeId;
use tongban_wal::{Wal, WalConfig};

use crate::failure::{Coded, Failure};
use crate::keys::{KeyError, KeyFolder};
use crate::node_process::DataFolder;
use crate::platform::FileDisk;

/// A node that does not run: its folder is taken as long as this lives.
pub(crate) struct StoppedNode {
    pub(crate) node: NodeId,
    pub(crate) log: Wal<TokioRuntime, FileDisk>,
    _folder: DataFolder,
}

impl Coded for tongban_wal::OpenError {
    fn code(&self) -> tongban_types::Code {
        Self::code(self)
    }

    fn exit(&self) -> crate::exit::Exit {
        crate::exit::Exit::Internal
    }
}

impl StoppedNode {
    /// Opens the log of the node whose keys are in the folder.
    pub(crate) async fn open(data: &Path) -> Result<Self, Failure> {
        let owner = KeyFolder::of(data).owner();
        let node = owner.ok_or_else(|| KeyError::Missing {
            path: data.join("keys"),
        })?;
        let folder = DataFolder::take(data, node)?;
        let log = Wal::open(FileDisk::new(folder.path()), WalConfig::default()).await?;
        Ok(Self {
            node,
            log,
            _folder: folder,
        })
    }
}

/// Runs a command that waits for the disk.
pub(crate) fn on_tasks<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the process")?;
    runtime.block_on(work)
}
