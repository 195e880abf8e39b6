//! What applying an entry answers. Tags are permanent.

use serde::{Deserialize, Serialize};
use tongban_types::{CaseNumber, CaseState, CaseVersion, Code, Timestamp, records};

use crate::refusal::Refusal;

/// What a command or parcel that was carried out answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// How the case stands now.
    Case {
        /// The case.
        number: CaseNumber,
        /// Its version here.
        version: CaseVersion,
        /// Its state here.
        state: CaseState,
    },
    /// A lease was given.
    Lease {
        /// Its fencing number.
        number: u64,
        /// Until when, in group time.
        until: Timestamp,
    },
    /// Done; there is nothing to say of it.
    Done,
    /// What became of a parcel.
    Parcel(ParcelFate),
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParcelFate {
    /// A packet was answered for the first time; the answer stands at this outbox position.
    Answered {
        /// Position of the answer.
        answer: u64,
    },
    /// A packet answered before; its answer stands at this outbox position.
    AnsweredBefore {
        /// Position of the answer.
        answer: u64,
    },
    /// An answer settled the packet it was for.
    Settled,
    /// An answer came again, or to nothing.
    SettledBefore,
    /// Refused, with nothing entered.
    NotEntered(Code),
}

/// One result a command, a parcel, a report or a registry of the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReply {
    /// In the order of the entry.
    pub results: Vec<Result<Reply, Refusal>>,
}

records! {
    EntryReply = 300 v 1 "reply to a log entry";
}
