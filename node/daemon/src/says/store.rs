//! Why the applied state of this node does not open.

use std::error::Error;

use tongban_api::Said;
use tongban_store::{Bounded, EngineWork, OpenError, SledStoreError};

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let unopened = error.downcast_ref::<OpenError>().map(unopened);
    // As the source of an error it stands in a box.
    let boxed = error.downcast_ref::<Box<SledStoreError>>();
    let failure: Option<&SledStoreError> = boxed.map(AsRef::as_ref);
    let failure = failure.or_else(|| error.downcast_ref::<SledStoreError>());
    unopened.or_else(|| failure.map(failed))
}

/// What it says, less its cause.
fn unopened(error: &OpenError) -> Said {
    let zh = match error {
        OpenError::InUse { path } => format!("{} 正被另一个状态库使用", path.display()),
        OpenError::Folder { path, .. } => format!("{} 无法使用", path.display()),
        OpenError::Engine { path, .. } => {
            format!("{} 里连空的状态库也打不开", path.display())
        }
    };
    Said::new(zh, error.to_string())
}

fn failed(error: &SledStoreError) -> Said {
    let zh = match error {
        SledStoreError::TooLarge {
            what,
            bytes,
            bytes_max,
        } => {
            let what = bounded(*what);
            format!("{what}有 {bytes} 字节, 超过 {bytes_max} 字节")
        }
        SledStoreError::Engine { during, .. } => format!("状态库引擎{}失败", work(*during)),
        SledStoreError::Panicked { during } => format!("状态库引擎在{}时崩溃", work(*during)),
        SledStoreError::Unsynced => "状态库引擎把值写到了日志以外的文件, 断电会丢失".to_owned(),
        // The first failure was told in the log of the process, with its code, when it came.
        SledStoreError::Stopped { .. } => {
            let en = "the store stopped after an earlier failure";
            return Said::new("状态库在先前的故障后已停止", en);
        }
    };
    Said::new(zh, error.to_string())
}

const fn work(work: EngineWork) -> &'static str {
    match work {
        EngineWork::Opening => "打开",
        EngineWork::Closing => "关闭",
        EngineWork::WritingFormat => "写入格式标记",
        EngineWork::ReadingFormat => "读取格式标记",
        EngineWork::FinishingForgetting => "完成未尽的清除",
        EngineWork::Flush => "落盘",
        EngineWork::LookForLargeValues => "查找过大的值",
        EngineWork::Read => "读取",
        EngineWork::Scan => "扫描",
        EngineWork::Packing => "整理近来的提交",
        EngineWork::Commit => "提交",
        EngineWork::ForgettingPosition => "清除一组的位置",
        EngineWork::ForgettingGroup => "清除一组",
        EngineWork::LookAtLog => "查看日志长度",
        EngineWork::MarkingEnd => "标记末尾",
        EngineWork::SyncOfNames => "同步文件名",
        EngineWork::LookForMark => "查找末尾标记",
        EngineWork::OpeningAnew => "重新打开",
        EngineWork::MarkingUnsynced => "标记未落盘的内容",
        EngineWork::Compacting => "整理页文件",
    }
}

const fn bounded(bounded: Bounded) -> &'static str {
    match bounded {
        Bounded::Position => "位置",
        Bounded::Key => "键",
        Bounded::Value => "值",
        Bounded::Commit => "一次提交",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;
    use std::path::PathBuf;

    use super::super::line;
    use super::super::tests::assert_said;
    use super::*;

    #[test]
    fn every_reason_not_to_open_is_said_in_both_languages() {
        let path = || PathBuf::from("state");
        assert_said(&OpenError::InUse { path: path() });
        let cause = io::Error::other("the disk is gone");
        let unusable = OpenError::Folder {
            path: path(),
            cause,
        };
        assert_said(&unusable);
        let said = line(&unusable);
        assert_eq!(said.zh, "state 无法使用: the disk is gone");
        let cause = Box::new(SledStoreError::Unsynced);
        let unopened = OpenError::Engine {
            path: path(),
            cause,
        };
        assert_said(&unopened);
        // What caused it is said as well.
        let cause = unopened.source().unwrap();
        assert_eq!(assert_said(cause), assert_said(&SledStoreError::Unsynced));
    }

    #[test]
    fn every_failure_of_the_engine_is_said_in_both_languages() {
        let mut said_before = BTreeSet::new();
        for during in EngineWork::ALL {
            let said = assert_said(&SledStoreError::Panicked { during });
            assert!(
                !said
                    .zh
                    .contains(|letter: char| letter.is_ascii_alphabetic())
            );
            assert!(said_before.insert(said.zh), "{during:?}");
            let cause = io::Error::other("the disk is gone").into();
            let said = assert_said(&SledStoreError::Engine { during, cause });
            assert!(said_before.insert(said.zh), "{during:?}");
        }
        let first = "a read failed".to_owned();
        let said = assert_said(&SledStoreError::Stopped { first });
        assert!(!said.zh.contains("failed"), "{said:?}");
    }

    #[test]
    fn whatever_is_too_large_is_said_in_both_languages() {
        for what in Bounded::ALL {
            let said = assert_said(&SledStoreError::TooLarge {
                what,
                bytes: 9,
                bytes_max: 8,
            });
            assert!(
                !said
                    .zh
                    .contains(|letter: char| letter.is_ascii_alphabetic())
            );
        }
    }
}
