//! Why a log does not open. What makes an open log stop is `LogFailed` of the runtime's ports.

use std::io;

use thiserror::Error;
use tongban_types::Code;

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
        what: &'static str,
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
        action: &'static str,
        /// The file or folder.
        file: String,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
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

    pub(crate) fn damaged(file: &str, offset: usize, what: &'static str) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            offset: offset as u64,
            what,
        }
    }

    /// For `map_err`: names what was tried on which file.
    pub(crate) fn disk(action: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Disk {
            action,
            file,
            source,
        }
    }
}
