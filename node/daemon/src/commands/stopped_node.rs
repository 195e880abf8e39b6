//! A node that is stopped: its folder, and its log, where its own records stand.

use std::future::Future;
use std::path::Path;

use anyhow::Context as _;
use openraft_rt_tokio::TokioRuntime;
use tongban_api::Said;
use tongban_runtime::ports::LogFailed;
use tongban_types::NodeId;
use tongban_wal::{OpenError, Wal, WalConfig};

use crate::failure::{Coded, Failure};
use crate::keys::{KeyError, KeyFolder};
use crate::node_process::DataFolder;
use crate::platform::FileDisk;
use crate::says;
use crate::staging::Stop;

/// A log of a data folder.
pub(crate) type Log = Wal<TokioRuntime, FileDisk>;

/// A node that does not run: its folder is taken as long as this lives.
pub(crate) struct StoppedNode {
    pub(crate) node: NodeId,
    pub(crate) log: Log,
    _folder: DataFolder,
}

impl Coded for OpenError {
    fn code(&self) -> tongban_types::Code {
        Self::code(self)
    }

    fn exit(&self) -> crate::exit::Exit {
        crate::exit::Exit::Internal
    }

    fn says(&self) -> Option<Said> {
        Some(says::of(self))
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
        let log = open_log(folder.path()).await?;
        Ok(Self {
            node,
            log,
            _folder: folder,
        })
    }

    /// Lets the folder go, its log closed as a node closes it.
    pub(crate) async fn close(self) -> Result<(), LogFailed> {
        self.log.close().await
    }
}

/// Opens the log in a data folder.
pub(crate) async fn open_log(data: &Path) -> Result<Log, OpenError> {
    Wal::open(FileDisk::new(data), WalConfig::default()).await
}

/// Runs a command that waits for the disk.
pub(crate) fn on_tasks<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the tasks of the process")?;
    runtime.block_on(work)
}

/// The same, until the process is told to stop: then the work is let go where it stands, with what it holds, and
/// there is no answer. Work on threads of its own has ended when this returns.
pub(crate) fn on_tasks_until_stopped<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<Option<T>, Failure> {
    on_tasks(async {
        let mut stop = Stop::listen().context("listening for signals")?;
        tokio::select! {
            biased;
            () = stop.asked() => Ok(None),
            done = Box::pin(work) => done.map(Some),
        }
    })
}
