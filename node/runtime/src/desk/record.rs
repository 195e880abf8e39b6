//! What the desk keeps of an application until its group has it.

use serde::{Deserialize, Serialize};
use tongban_types::{CaseNumber, Code, CommandId, RequestTag, Signed, Timestamp, records};

/// An application taken in and not yet known to be replicated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::desk) struct DeskRecord {
    /// Its number.
    pub(in crate::desk) case: CaseNumber,
    /// Its command id.
    pub(in crate::desk) id: CommandId,
    /// What was asked, so that an id used for something else is noticed.
    pub(in crate::desk) request: RequestTag,
    /// The encoded command, unsigned: it is signed when it is proposed.
    pub(in crate::desk) command: Vec<u8>,
    /// The receipt that was given.
    pub(in crate::desk) receipt: Signed,
    /// The group refused it for this when it was tried last: a person should look. It is tried again
    /// and never thrown away.
    pub(in crate::desk) refused: Option<Code>,
}

/// What was drawn for an application proposed before anything was acknowledged. With it a repeat of
/// the same id, also after a crash, is the same command to the byte, so that the group that took the
/// first one knows it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::desk) struct Drawn {
    /// Its number.
    pub(in crate::desk) case: CaseNumber,
    /// When it was handed in.
    pub(in crate::desk) at: Timestamp,
    /// The salt in front of its form.
    pub(in crate::desk) salt: [u8; 16],
    /// The nonce its form is sealed with.
    pub(in crate::desk) nonce: [u8; 24],
    /// What was asked, so that an id used for something else is noticed.
    pub(in crate::desk) request: RequestTag,
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
    Drawn = 502 v 1 "drawn application";
}
