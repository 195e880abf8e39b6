//! The node's log: opened as at a start, but on a copy, so that nothing of it is changed.

use std::fs;
use std::path::Path;

use openraft_rt_tokio::TokioRuntime;
use tongban_wal::Wal;

use super::Finding;
use crate::commands::stopped_node::on_tasks;
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::files::FileError;
use crate::node_process::check_log;
use crate::platform::FileDisk;

/// A larger log is not copied: its node is started instead, which judges it as well.
const COPIED_BYTES_MAX: u64 = 1 << 30;

pub(super) fn examine(configuration: &Configuration, runs: bool) -> Finding {
    let wal = configuration.data.join("wal");
    let files = files_of(&wal);
    let count = files.len();
    if runs {
        let seen = (
            format!("{count} 个文件, 节点正在使用"),
            format!("{count} files, in use by the node"),
        );
        return Finding::success("log", seen);
    }
    if let Err(error) = check_log(&configuration.data) {
        return Finding::failed("log", &error.into());
    }
    if files.is_empty() {
        let why = (
            "还没有日志: 节点从未启动",
            "there is none: the node was never started",
        );
        return Finding::skipped("log", why);
    }
    let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    if bytes > COPIED_BYTES_MAX {
        let why = (
            format!("{bytes} 字节, 不复制来检查"),
            format!("{bytes} bytes, not copied to be looked at"),
        );
        return Finding::skipped("log", why);
    }
    match verify(configuration, &files) {
        Ok(()) => Finding::success(
            "log",
            (
                format!("{count} 个文件, {bytes} 字节, 可以打开"),
                format!("{count} files, {bytes} bytes, it opens"),
            ),
        ),
        Err(failure) => Finding::failed("log", &failure),
    }
}

fn files_of(wal: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(wal).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let bytes = entry.metadata().ok().filter(fs::Metadata::is_file)?.len();
        Some((entry.file_name().into_string().ok()?, bytes))
    });
    files.collect()
}

fn verify(configuration: &Configuration, files: &[(String, u64)]) -> Result<(), Failure> {
    let from = configuration.data.join("wal");
    // Beside the log: the place for temporary files may be small.
    let scratch = tempfile::Builder::new()
        .prefix("tongban-doctor-")
        .tempdir_in(&configuration.data)
        .map_err(FileError::at(&configuration.data))?;
    let to = scratch.path().join("wal");
    fs::create_dir(&to).map_err(FileError::at(&to))?;
    for (name, _) in files {
        fs::copy(from.join(name), to.join(name)).map_err(FileError::at(&from))?;
    }
    on_tasks(async {
        let disk = FileDisk::new(scratch.path());
        let log: Wal<TokioRuntime, FileDisk> = Wal::open(disk, configuration.wal.clone()).await?;
        drop(log);
        Ok(())
    })
}
