//! Why the log of this node does not open, or takes no more writes.

use std::error::Error;

use tongban_api::Said;
use tongban_runtime::ports::LogFailed;
use tongban_wal::{Damage, DiskStep, OpenError};

pub(super) fn of(error: &(dyn Error + 'static)) -> Option<Said> {
    let unopened = error.downcast_ref::<OpenError>().map(unopened);
    unopened.or_else(|| error.downcast_ref::<LogFailed>().map(failed))
}

/// What it says, less its cause.
fn unopened(error: &OpenError) -> Said {
    let zh = match error {
        OpenError::Damaged { file, offset, what } => {
            let what = damage(*what);
            format!("本节点的日志已损坏, {file} 第 {offset} 字节: {what}")
        }
        OpenError::UnknownFormat { file, found, known } => {
            format!("{file} 的日志格式是 {found}, 本程序只认识格式 {known}")
        }
        OpenError::Disk { action, file, .. } => {
            let step = step(*action);
            format!("本节点的日志无法读取或准备: {file} {step}失败")
        }
    };
    Said::new(zh, error.to_string())
}

fn failed(error: &LogFailed) -> Said {
    let zh = format!("本节点的日志故障, 不再写入: {}", error.reason);
    Said::new(zh, error.to_string())
}

const fn damage(damage: Damage) -> &'static str {
    match damage {
        Damage::NoHeader => "文件头不完整",
        Damage::HeaderCheck => "文件头校验不符",
        Damage::EndsEarly => "在最后一条记录之前就结束了",
        Damage::RecordLength => "有一条记录的长度不可能",
        Damage::RecordCheck => "有一条记录校验不符",
        Damage::RecordsMissing => "缺少记录",
        Damage::SegmentZero => "日志段应从 1 起编号",
        Damage::SegmentMissing => "缺少这个日志段",
        Damage::SegmentOrCheckpointMissing => "缺少这个日志段, 或取代它的检查点",
        Damage::LargerThanAnySegment => "文件大于任何日志段",
        Damage::LargerThanMemory => "文件大于内存",
        Damage::OtherSegment => "是另一个日志段",
        Damage::SealedBatch => "已封存的日志段中有一批校验不符",
        Damage::DurableBatch => "曾已落盘的一批校验不符",
        Damage::LocalChanges => "本机记录的改动无法解码",
        Damage::CheckpointRecordInSegment => "日志段中有检查点的记录",
        Damage::EntryInCheckpoint => "检查点中有日志条目",
        Damage::LastIndex => "有一个条目的序号是最大的数",
        Damage::GapBehindPurged => "已清除的条目之后缺少条目",
        Damage::GapBetween => "条目之间缺少条目",
    }
}

const fn step(step: DiskStep) -> &'static str {
    match step {
        DiskStep::Listing => "列出文件",
        DiskStep::Opening => "打开",
        DiskStep::Measuring => "读取长度",
        DiskStep::Reading => "读取",
        DiskStep::Removing => "删除",
        DiskStep::Clearing => "清理末尾",
        DiskStep::Syncing => "落盘",
        DiskStep::Beginning => "新建",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;

    use super::super::tests::assert_said;
    use super::*;

    #[test]
    fn all_damage_is_said_in_both_languages() {
        let mut said_before = BTreeSet::new();
        for what in Damage::ALL {
            let said = assert_said(&OpenError::Damaged {
                file: "wal/0000000000000001.log".to_owned(),
                offset: 512,
                what,
            });
            // No word of English is left in it but the name of the file.
            let words = said.zh.replace("wal/0000000000000001.log", "");
            assert!(!words.contains(|letter: char| letter.is_ascii_alphabetic()));
            assert!(said.en.ends_with(&format!(": {what}")), "{said:?}");
            assert!(said_before.insert(said.zh), "{what:?}");
        }
    }

    #[test]
    fn whatever_the_disk_refuses_is_said_in_both_languages() {
        let mut said_before = BTreeSet::new();
        for action in DiskStep::ALL {
            let said = assert_said(&OpenError::Disk {
                action,
                file: "wal".to_owned(),
                source: io::Error::other("the disk is gone"),
            });
            assert!(said.en.ends_with(&format!(": {action} wal")), "{said:?}");
            assert!(said_before.insert(said.zh), "{action:?}");
        }
    }

    #[test]
    fn a_log_of_another_format_or_that_failed_is_said_in_both_languages() {
        let said = assert_said(&OpenError::UnknownFormat {
            file: "wal/checkpoint".to_owned(),
            found: 9,
            known: 1,
        });
        assert!(said.zh.starts_with("wal/checkpoint 的日志格式是 9"));
        let reason = "input/output error".to_owned();
        let said = assert_said(&LogFailed { reason });
        assert!(said.zh.ends_with(": input/output error"), "{said:?}");
    }
}
