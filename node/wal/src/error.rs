//! Why a log does not open. What makes an open log stop is `LogFailed` of the runtime's ports.

use std::{fmt, io};

use thiserror::Error;
use tongban_types::Code;

use crate::damage::Damage;

/// Why the log of this node cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Bytes that had been durable are not what was written, or are gone. What this node promised
    /// to other voters is no longer known: it must not take part under its id again.
    #[error("the log of this node is damaged in {file} at byte {offset}: {what}")]
    Damaged {
        /// The file, relative to the data folder.
        file: String,
        /// Where the first damaged byte may be.
        offset: u64,
        /// What is wrong there.
        what: Damage,
    },
    /// The log was written in a format this program does not know.
    #[error("{file} is of log format {found}; this program reads format {known}")]
    UnknownFormat {
        /// The file, relative to the data folder.
        file: String,
        /// The format it is in.
        found: u16,
        /// The format this program reads.
        known: u16,
    },
    /// The disk refused a read or a write; the log may be whole.
    #[error("the log of this node cannot be read or prepared: {action} {file}")]
    Disk {
        /// What was tried.
        action: DiskStep,
        /// The file or folder.
        file: String,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
}

/// What is done on the disk as a log is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskStep {
    /// The names in its folder are read.
    Listing,
    /// A file is opened.
    Opening,
    /// The length of a file is asked.
    Measuring,
    /// A file is read.
    Reading,
    /// A file nobody needs is removed.
    Removing,
    /// Zeros are written over what the power left of a last batch.
    Clearing,
    /// A file or folder is made durable.
    Syncing,
    /// The first segment is made.
    Beginning,
}

impl DiskStep {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Listing,
        Self::Opening,
        Self::Measuring,
        Self::Reading,
        Self::Removing,
        Self::Clearing,
        Self::Syncing,
        Self::Beginning,
    ];
}

impl fmt::Display for DiskStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listing => "listing",
            Self::Opening => "opening",
            Self::Measuring => "measuring",
            Self::Reading => "reading",
            Self::Removing => "removing",
            Self::Clearing => "clearing the end of",
            Self::Syncing => "syncing",
            Self::Beginning => "beginning",
        })
    }
}

impl OpenError {
    /// The code `explain` describes.
    pub fn code(&self) -> Code {
        match self {
            Self::Damaged { .. } => Code::LOG_DAMAGED,
            Self::UnknownFormat { .. } => Code::LOG_FORMAT_UNKNOWN,
            Self::Disk { .. } => Code::LOG_NOT_READABLE,
        }
    }

    pub(crate) fn damaged(file: &str, offset: usize, what: Damage) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            offset: offset as u64,
            what,
        }
    }

    /// For `map_err`: names what was tried on which file.
    pub(crate) fn disk(action: DiskStep, file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Disk {
            action,
            file,
            source,
        }
    }
}
