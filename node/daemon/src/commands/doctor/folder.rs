//! The data folder: whose it is, who may read it, and whether a node runs on it.

use std::fs::{self, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Finding;
use crate::configuration::Configuration;
use crate::node_process::{LOCK_FILE, READY_FILE, Ready, city_of_folder};

/// The node that runs on a folder, if one does: it holds the lock and says where it answers.
pub(super) fn node_that_runs(data: &Path) -> Option<Ready> {
    let lock = OpenOptions::new()
        .read(true)
        .open(data.join(LOCK_FILE))
        .ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Ready::read(&data.join(READY_FILE)).ok().flatten(),
        _ => None,
    }
}

pub(super) fn examine(configuration: &Configuration, runs: Option<&Ready>) -> Vec<Finding> {
    let data = &configuration.data;
    let shown = data.display();
    let make = format!(
        "tongban key make --data {shown} --node {}",
        configuration.node
    );
    let about = match fs::metadata(data) {
        Ok(about) if about.is_dir() => about,
        Ok(_) => {
            return vec![Finding::failure(
                "data-folder",
                (format!("{shown} 不是目录"), format!("{shown} is no folder")),
                make,
            )];
        }
        Err(error) => {
            return vec![Finding::failure(
                "data-folder",
                format!("{shown}: {error}"),
                make,
            )];
        }
    };
    let mut findings = Vec::new();
    let (mode, owner) = (about.mode() & 0o777, about.uid());
    let me = rustix::process::geteuid().as_raw();
    findings.push(if mode & 0o077 != 0 {
        Finding::failure(
            "data-folder",
            (
                format!("{shown} 的权限是 {mode:03o}, 他人可读"),
                format!("{shown} has mode {mode:03o}: others can read it"),
            ),
            format!("chmod 700 {shown}"),
        )
    } else if owner != me && me != 0 {
        Finding::failure(
            "data-folder",
            (
                format!("{shown} 属于用户 {owner}, 不是 {me}"),
                format!("{shown} belongs to user {owner}, not {me}"),
            ),
            format!("sudo -u '#{owner}' tongban doctor"),
        )
    } else {
        Finding::success(
            "data-folder",
            (
                format!("{shown} 权限 {mode:03o}, 用户 {owner}"),
                format!("{shown} mode {mode:03o}, user {owner}"),
            ),
        )
    });
    findings.push(match city_of_folder(data, Some(configuration.node)) {
        Ok(_) => {
            let node = configuration.node;
            Finding::success("owner", (format!("节点 {node}"), format!("node {node}")))
        }
        Err(error) => Finding::failed("owner", &error.into()),
    });
    findings.push(match runs {
        Some(ready) => {
            let seen = (
                format!("节点在运行, 进程 {}", ready.pid),
                format!("the node runs, process {}", ready.pid),
            );
            Finding::success("process", seen)
        }
        None => Finding::skipped("process", ("节点没有运行", "no node runs")),
    });
    findings
}

/// The applied state is made again out of snapshot and log where it does not open.
pub(super) fn state(data: &Path) -> Finding {
    match fs::read_dir(data.join("state")).map(Iterator::count) {
        Ok(0) | Err(_) => Finding::success(
            "state",
            (
                "没有, 启动时由快照和日志重建",
                "none, made of snapshot and log at the start",
            ),
        ),
        Ok(files) => Finding::success(
            "state",
            (
                format!("{files} 个文件; 打不开时自动重建"),
                format!("{files} files; made anew where it does not open"),
            ),
        ),
    }
}
