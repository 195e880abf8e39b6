//! Backups of a node (`protocol/decisions/0011`): its own records, the states of its groups and the
//! registries it holds, sealed part by part to an offline recovery key and signed as a whole. In none of
//! them are keys that sign, votes or log entries: what is restored can sign for nothing it forgot.
//!
//! ```text
//! magic | length head | frame* | frame with the signed manifest
//! frame = kind (more of its part follows, last of its part, manifest) | length | bytes
//! ```

mod examining;
mod fault;
mod frame;
mod opening;
mod reading;
mod restoring;
mod seal;
mod taking;

pub use examining::{Examination, examine};
pub use fault::BackupFault;
pub use opening::{BackupChunk, BackupOpening};
pub use reading::{CheckedBackup, check_backup};
pub use restoring::{Restored, Restoring, WhatComesBack};
pub use seal::recovery_public;
pub use taking::{BackupSink, BackupSource, take_backup};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tongban_types::records;
use zeroize::Zeroize as _;

use crate::ports::LocalTable;

/// Some pairs of one table of the node's own records: what one sealed chunk of such a part holds. Wiped when
/// dropped: case keys may be among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RecordPage(Vec<(Vec<u8>, Vec<u8>)>);

impl Drop for RecordPage {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

// 42x: files that leave a node. 420 and 421 are backups of a vault alone.
records! {
    RecordPage = 422 v 1 "page of records";
}

/// How many records there are of each table.
pub type TableCounts = BTreeMap<LocalTable, u64>;

/// Tables that come back with a backup, in the order they are taken. What is drawn goes over into what is
/// stored, what is stored into the group's state: each is taken before what it goes over into, and keys last,
/// so that of nothing acknowledged before the backup began a trace is missing. Counters are left out, for they
/// count case numbers of one node's digits and a restored node has others; so are tokens, which are given
/// anew, and orders of placement, which tell what another node hosts and are told again.
const BEFORE_STATES: [LocalTable; 2] = [LocalTable::Proposed, LocalTable::Desk];
const BEHIND_STATES: [LocalTable; 3] = [LocalTable::Founding, LocalTable::Files, LocalTable::Vault];

/// The table of a number, among those a backup may hold.
fn table_of(number: u8) -> Option<LocalTable> {
    let mut tables = BEFORE_STATES.into_iter().chain(BEHIND_STATES);
    tables.find(|table| *table as u8 == number)
}

/// The name a table of a backup has for whoever reads an answer.
pub const fn table_name(table: LocalTable) -> &'static str {
    match table {
        LocalTable::Desk => "desk",
        LocalTable::Vault => "vault",
        LocalTable::Counters => "counters",
        LocalTable::Tokens => "tokens",
        LocalTable::Proposed => "proposed",
        LocalTable::Founding => "founding",
        LocalTable::Files => "files",
        LocalTable::Placed => "placed",
    }
}
