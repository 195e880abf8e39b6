//! Why a node does not do what it is asked, with the code that is explained to people.

use std::fmt;

use thiserror::Error;
use tongban_machine::Refusal;
use tongban_types::{CaseNumber, Code, GroupId};

use crate::blob_store::BlobError;
use crate::ports::{HandOverError, StateFailed};

/// Why a node does not do what it is asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NodeError {
    /// The machine refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No city of the federation answers for that division.
    #[error("no member of the federation answers for {division}")]
    AuthorityOutside {
        /// The division, with its name if it is known.
        division: String,
    },
    /// There is no such case here.
    #[error("there is no case {0} here")]
    NoSuchCase(CaseNumber),
    /// The group did not answer in time; the act may still be carried out.
    #[error("the group did not answer in time")]
    TimedOut,
    /// The node could not make sure in time that it shows all that its group accepted; nothing was done.
    #[error("the node did not catch up with its group in time")]
    NotCaughtUp,
    /// The group has no majority or no leader now; nothing was done.
    #[error("the group cannot decide now")]
    NoQuorum,
    /// This node does not hold the key of the case yet.
    #[error("this node does not hold the key of case {0} yet")]
    NoKey(CaseNumber),
    /// More waits than the node takes on.
    #[error("the node is busy")]
    Busy,
    /// The same request is being answered right now.
    #[error("the same request is under way")]
    UnderWay,
    /// The node's log or store failed.
    #[error("the node has failed: {0}")]
    Failed(String),
    /// Larger than allowed.
    #[error("{what} is larger than {bytes_max} bytes")]
    TooLarge {
        /// What.
        what: Oversized,
        /// The bound.
        bytes_max: usize,
    },
    /// More files are named than one case may have.
    #[error("at most {most} attachments are taken")]
    TooManyAttachments {
        /// The bound.
        most: usize,
    },
    /// A file cannot be taken or given.
    #[error(transparent)]
    File(#[from] BlobError),
    /// No node that has the file answers.
    #[error("no node that holds the file answers")]
    FileUnreachable,
    /// Whoever leads the group refused to take it into the log.
    #[error("whoever leads the group refused it: {0}")]
    RefusedThere(Code),
    /// It is being drained and takes no new case.
    #[error("the node is being drained and takes no new case")]
    Draining,
    /// This node keeps no replica of the group.
    #[error("this node keeps no replica of group {0}")]
    NotHosted(GroupId),
    /// The lead of a group stays where it is.
    #[error(transparent)]
    HandOver(#[from] HandOverError),
    /// The day's case numbers of this node are used up.
    #[error("this node has given out all case numbers of the day")]
    NumbersUsedUp,
}

/// What of a request may be larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversized {
    /// The order as it would stand in the log.
    Order,
    /// The filled form.
    Form,
    /// What was written in words.
    Text,
}

impl Oversized {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Form, Self::Text];
}

impl fmt::Display for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Order => "the order",
            Self::Form => "the form",
            Self::Text => "the text",
        })
    }
}

impl From<StateFailed> for NodeError {
    fn from(failed: StateFailed) -> Self {
        match failed {
            // It passes by itself, as a leader that is not there yet.
            StateFailed::Filling => Self::NoQuorum,
            StateFailed::Broken { reason } | StateFailed::Rejected { reason } => {
                Self::Failed(reason)
            }
        }
    }
}

impl NodeError {
    /// The code `explain` describes.
    pub const fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::AuthorityOutside { .. } => Code::AUTHORITY_OUTSIDE,
            Self::NoSuchCase(_) => Code::NO_SUCH_CASE,
            Self::TimedOut => Code::GROUP_TIMED_OUT,
            Self::NotCaughtUp => Code::NOT_CAUGHT_UP,
            Self::NoQuorum => Code::NO_QUORUM,
            Self::NoKey(_) => Code::NO_CASE_KEY,
            Self::Busy => Code::NODE_BUSY,
            Self::UnderWay => Code::REQUEST_UNDER_WAY,
            Self::Failed(_) => Code::NODE_FAILED,
            Self::TooLarge { .. } | Self::TooManyAttachments { .. } => Code::TOO_LARGE,
            Self::File(error) => error.code(),
            Self::FileUnreachable => Code::BLOB_UNREACHABLE,
            Self::RefusedThere(code) => *code,
            Self::Draining => Code::NODE_DRAINING,
            Self::NotHosted(_) => Code::NOT_HOSTED,
            Self::HandOver(error) => error.code(),
            Self::NumbersUsedUp => Code::NUMBERS_USED_UP,
        }
    }
}
