//! What the desk keeps of an application until its group has it.

use serde::{Deserialize, Serialize};
use tongban_types::{CaseNumber, Code, CommandId, Hash, Signed, records};

/// An application taken in and not yet known to be replicated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeskRecord {
    /// Its number.
    pub(crate) case: CaseNumber,
    /// Its command id.
    pub(crate) id: CommandId,
    /// SHA-256 of what was asked, so that an id used for something else is noticed.
    pub(crate) request: Hash,
    /// The encoded command, unsigned: it is signed when it is proposed.
    pub(crate) command: Vec<u8>,
    /// The receipt that was given.
    pub(crate) receipt: Signed,
    /// The group refuses it for good: a person must look. It is never thrown away.
    pub(crate) refused: Option<Code>,
}

/// A day's case sequence: numbers below `reserved` may have been given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sequence {
    /// The first number not reserved.
    pub(crate) reserved: u32,
}

// 5xx: a node's own records.
records! {
    DeskRecord = 500 v 1 "desk record";
    Sequence = 501 v 1 "case sequence";
}
