//! What a backup says of itself, for whoever reads an answer.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::Serialize;
use tongban_runtime::{CheckedBackup, table_name};
use utoipa::ToSchema;

use crate::instant::beijing;
use crate::output::Reader;

/// A backup at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Contents {
    pub(super) node: String,
    begun_at: String,
    ended_at: String,
    recovery_key: String,
    bytes: u64,
    /// Whether the node's own group confirmed while the backup was made that nothing acknowledged is missing.
    caught_up: bool,
    /// Files of cases that stand in no backup.
    attachments_left_out: u64,
    /// Records by table.
    records: BTreeMap<&'static str, u64>,
    groups: Vec<Kept>,
}

/// A group's state in it.
#[derive(Debug, Serialize, ToSchema)]
struct Kept {
    group: String,
    index: u64,
    state_hash: String,
}

impl Contents {
    pub(super) fn of(checked: &CheckedBackup) -> Self {
        let (head, manifest) = (&checked.head, &checked.manifest);
        let groups = checked.states().map(|state| Kept {
            group: state.group.to_string(),
            index: state.index,
            state_hash: HEXLOWER.encode(&state.state_hash.0),
        });
        let records = checked.records();
        Self {
            node: head.node.to_string(),
            begun_at: beijing(head.begun_at),
            ended_at: beijing(manifest.ended_at),
            recovery_key: HEXLOWER.encode(&head.recovery.0),
            bytes: checked.bytes,
            caught_up: manifest.caught_up,
            attachments_left_out: manifest.attachments,
            records: records
                .into_iter()
                .map(|(table, count)| (table_name(table), count))
                .collect(),
            groups: groups.collect(),
        }
    }

    /// What of it stands in a list: node, beginning, bytes, records of case keys, applications that wait,
    /// groups, and how far it reaches.
    pub(super) fn cells(&self, reader: Reader) -> [String; 7] {
        let groups: Vec<&str> = self.groups.iter().map(|kept| kept.group.as_str()).collect();
        let reach = if self.caught_up {
            reader.say("完整", "whole")
        } else {
            reader.say("完整, 未向审批组确认", "whole, group not asked")
        };
        [
            self.node.clone(),
            self.begun_at.clone(),
            self.bytes.to_string(),
            self.count("vault").to_string(),
            self.count("desk").to_string(),
            groups.join(" "),
            reach.to_owned(),
        ]
    }

    /// A line a fact, groups in columns.
    pub(super) fn to_text(&self, reader: Reader) -> String {
        let (keys, waiting) = (self.count("vault"), self.count("desk"));
        let mut lines = vec![
            reader.say(
                format!(
                    "节点 {} 的备份, {} 至 {}",
                    self.node, self.begun_at, self.ended_at
                ),
                format!(
                    "backup of node {}, {} to {}",
                    self.node, self.begun_at, self.ended_at
                ),
            ),
            reader.say(
                format!("{} 字节, 加密给恢复密钥 {}", self.bytes, self.recovery_key),
                format!(
                    "{} bytes, sealed to recovery key {}",
                    self.bytes, self.recovery_key
                ),
            ),
            reader.say(
                format!("办件密钥记录 {keys} 条, 待入组的收件 {waiting} 件"),
                format!("{keys} records of case keys, {waiting} applications not yet in the group"),
            ),
        ];
        if !self.caught_up {
            lines.push(reader.say(
                "备份时没有向审批组确认, 组状态可能落后".to_owned(),
                "the group was not asked meanwhile: its state may lag".to_owned(),
            ));
        }
        if self.attachments_left_out > 0 {
            let left_out = self.attachments_left_out;
            lines.push(reader.say(
                format!("附件 {left_out} 个不在备份里, 另行复制 blobs/"),
                format!("{left_out} attachments are not in it: copy blobs/ beside it"),
            ));
        }
        let mut table = reader.table(&[
            ("审批组", "group"),
            ("序号", "index"),
            ("状态哈希", "state hash"),
        ]);
        for state in &self.groups {
            table.row([
                state.group.clone(),
                state.index.to_string(),
                state.state_hash.clone(),
            ]);
        }
        lines.push(table.text());
        lines.join("\n")
    }

    fn count(&self, table: &str) -> u64 {
        self.records.get(table).copied().unwrap_or(0)
    }
}
