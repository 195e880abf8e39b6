//! Why a node, or a group on it, does not start.

use std::error::Error;

use tongban_api::Said;
use tongban_assembly::{GroupStartError, StartError};
use tongban_runtime::ports::StateFailed;

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let node = error.downcast_ref::<StartError>().map(node);
    node.or_else(|| error.downcast_ref::<GroupStartError>().map(group))
        .or_else(|| error.downcast_ref::<StateFailed>().map(state))
}

/// What it says, less its cause.
fn node(error: &StartError) -> Said {
    let zh = match error {
        StartError::Log(_) => "本节点的日志打不开".to_owned(),
        StartError::LogFailed(failed) => return super::of(failed),
        StartError::State { group, .. } => format!("审批组 {group} 的状态打不开"),
        StartError::Group { group, .. } => format!("审批组 {group} 无法启动"),
    };
    Said::new(zh, error.to_string())
}

/// What openraft says stands in it as it is.
fn group(error: &GroupStartError) -> Said {
    let zh = match error {
        GroupStartError::Settings(what) => format!("审批组的参数互相矛盾: {what}"),
        GroupStartError::AppendBytes { bytes } => {
            format!("审批组的参数互相矛盾: 一次追加 {bytes} 字节")
        }
        GroupStartError::Voters(what) => format!("这些投票成员不能组成审批组: {what}"),
        GroupStartError::NotAmong { me } => {
            format!("这些投票成员不能组成审批组: 其中没有 {me}")
        }
        GroupStartError::LogLost => "本机上审批组的日志丢失而状态仍在".to_owned(),
        GroupStartError::Log(_) => "审批组的首个条目无法写入".to_owned(),
        GroupStartError::Storage(what) => {
            format!("本机上审批组的日志或状态无法使用: {what}")
        }
        GroupStartError::State(_) => "本机上审批组的状态无法读取".to_owned(),
    };
    Said::new(zh, error.to_string())
}

/// What failed stands in it as the store or the disk says it.
fn state(error: &StateFailed) -> Said {
    let zh = match error {
        StateFailed::Broken { reason } => format!("本节点的副本状态故障: {reason}"),
        StateFailed::Filling => "本节点的副本状态正由快照填充".to_owned(),
        StateFailed::Rejected { reason } => format!("收到的快照被拒绝: {reason}"),
    };
    Said::new(zh, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io;

    use tongban_runtime::ports::LogFailed;
    use tongban_types::{CityCode, GroupId};

    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

    fn disk_gone() -> String {
        "the disk is gone".to_owned()
    }

    fn log_failed() -> LogFailed {
        LogFailed {
            reason: disk_gone(),
        }
    }

    fn city_group() -> GroupId {
        GroupId(CityCode::new(350_100).unwrap())
    }

    #[test]
    fn every_reason_of_a_node_not_to_start_is_said_in_both_languages() {
        let unread = tongban_wal::OpenError::Disk {
            action: tongban_wal::DiskStep::Listing,
            file: "wal".to_owned(),
            source: io::Error::other(disk_gone()),
        };
        for error in [
            StartError::Log(unread),
            StartError::LogFailed(log_failed()),
            StartError::State {
                group: city_group(),
                source: StateFailed::Filling,
            },
            StartError::Group {
                group: city_group(),
                source: GroupStartError::LogLost,
            },
        ] {
            assert_said(&error);
            // Each cause that is ours is said as well.
            if let Some(cause) = error.source() {
                assert_said(cause);
            }
            let said = line(&error);
            assert_eq!(said.en, crate::failure::chain(&error));
        }
    }

    #[test]
    fn every_reason_of_a_group_not_to_start_is_said_in_both_languages() {
        for error in [
            GroupStartError::Settings("max_payload_entries must be > 0".to_owned()),
            GroupStartError::AppendBytes { bytes: 9 },
            GroupStartError::Voters("empty".to_owned()),
            GroupStartError::NotAmong {
                me: "350100-01".parse().unwrap(),
            },
            GroupStartError::LogLost,
            GroupStartError::Log(log_failed()),
            GroupStartError::Storage(disk_gone()),
            GroupStartError::State(io::Error::other(disk_gone())),
        ] {
            assert_said(&error);
        }
    }

    #[test]
    fn whatever_stops_a_replica_is_said_in_both_languages() {
        for error in [
            StateFailed::Broken {
                reason: disk_gone(),
            },
            StateFailed::Filling,
            StateFailed::Rejected {
                reason: disk_gone(),
            },
        ] {
            assert_said(&error);
        }
    }
}
