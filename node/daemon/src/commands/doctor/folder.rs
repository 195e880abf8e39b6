//! The data folder: whose it is, who may read it, and whether a node runs on it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Finding;
use crate::configuration::Configuration;
use crate::node_process::{Ready, city_of_folder};

/// The node that runs on a folder, if one does: it holds the lock and says where it answers.
pub(super) fn node_that_runs(data: &Path) -> Option<Ready> {
    Ready::on(data).ok().flatten()
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
    findings.push(access(data, mode, owner, me, has_closed_keys(data, me)));
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

/// Whose the folder is, and who may read it. A volume that a container mounts for the node's group is root's, and
/// the node cannot change that: what nobody else may read there are the keys.
fn access(data: &Path, mode: u32, owner: u32, me: u32, has_closed_keys: bool) -> Finding {
    const ID: &str = "data-folder";
    let shown = data.display();
    if owner == 0 && me != 0 && has_closed_keys {
        let seen = (
            format!("{shown} 是 root 的卷, 密钥只有用户 {me} 可读"),
            format!("{shown} is a volume of root's; the keys are for user {me} alone"),
        );
        Finding::success(ID, seen)
    } else if is_open(mode) {
        let seen = (
            format!("{shown} 的权限是 {mode:03o}, 他人可读"),
            format!("{shown} has mode {mode:03o}: others can read it"),
        );
        Finding::failure(ID, seen, format!("chmod 700 {shown}"))
    } else if owner != me && me != 0 {
        let seen = (
            format!("{shown} 属于用户 {owner}, 不是 {me}"),
            format!("{shown} belongs to user {owner}, not {me}"),
        );
        Finding::failure(ID, seen, format!("sudo -u '#{owner}' tongban doctor"))
    } else {
        let seen = (
            format!("{shown} 权限 {mode:03o}, 用户 {owner}"),
            format!("{shown} mode {mode:03o}, user {owner}"),
        );
        Finding::success(ID, seen)
    }
}

/// Whether anybody but the owner may do anything with it.
const fn is_open(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// Whether the node's keys are this user's and for nobody else.
fn has_closed_keys(data: &Path, me: u32) -> bool {
    let keys = fs::metadata(data.join("keys"));
    keys.is_ok_and(|keys| keys.uid() == me && !is_open(keys.mode()))
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::Level;
    use super::*;

    /// As a container's user is numbered.
    const ME: u32 = 65_532;

    #[test]
    fn a_volume_of_roots_is_well_where_the_keys_on_it_are_closed() {
        let level = |mode, owner, me, has_closed_keys| {
            access(Path::new("data"), mode, owner, me, has_closed_keys).level
        };
        assert_eq!(level(0o775, 0, ME, true), Level::Success);
        assert_eq!(level(0o775, 0, ME, false), Level::Failure);
        assert_eq!(level(0o775, ME, ME, true), Level::Failure);
        assert_eq!(level(0o775, 0, 0, true), Level::Failure);
        assert_eq!(level(0o700, ME, ME, true), Level::Success);
        assert_eq!(level(0o700, 1_000, ME, true), Level::Failure);
        assert_eq!(level(0o700, ME, 0, false), Level::Success);
    }

    #[test]
    fn keys_are_closed_where_they_are_for_their_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let me = fs::metadata(folder.path()).unwrap().uid();
        assert!(!has_closed_keys(folder.path(), me));
        let keys = folder.path().join("keys");
        fs::create_dir(&keys).unwrap();
        let open_to = |mode| {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(&keys, permissions).unwrap();
        };
        open_to(0o700);
        assert!(has_closed_keys(folder.path(), me));
        assert!(!has_closed_keys(folder.path(), me + 1));
        open_to(0o750);
        assert!(!has_closed_keys(folder.path(), me));
    }
}
