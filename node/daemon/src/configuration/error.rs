//! Why a configuration is refused, always with the place of the mistake.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tongban_api::Said;
use tongban_types::Code;

use super::layers::{LayerError, Origin};
use crate::exit::Exit;
use crate::failure::Coded;
use crate::mistake::Mistake;

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub(crate) enum ConfigurationError {
    /// The file cannot be read.
    #[error("{}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Malformed(#[from] Mistake),
    /// The API would face the network without TLS.
    #[error("{} 第 {line} 行, http.listen: {address} 不是回环地址", file.display())]
    NotLoopback {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The address.
        address: SocketAddr,
    },
    /// A value above the file is wrong.
    #[error("{origin}, {key}: {what}")]
    Given {
        /// Where it was given.
        origin: Origin,
        /// The file it stands above.
        file: PathBuf,
        /// The setting.
        key: String,
        /// What is wrong, as the reader says it, or in Chinese.
        what: String,
        /// The same in one language at a time.
        told: Box<Said>,
    },
    /// The API would face the network without TLS, by a value above the file.
    #[error("{origin}, http.listen: {address} 不是回环地址")]
    GivenNotLoopback {
        /// Where it was given.
        origin: Origin,
        /// The file it stands above.
        file: PathBuf,
        /// The address.
        address: SocketAddr,
    },
    /// What stands above the file cannot be used at all.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl Coded for ConfigurationError {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::CONFIGURATION_UNREADABLE,
            Self::Malformed(_) | Self::Given { .. } | Self::Layer(_) => {
                Code::CONFIGURATION_MALFORMED
            }
            Self::NotLoopback { .. } | Self::GivenNotLoopback { .. } => Code::HTTP_NOT_LOOPBACK,
        }
    }

    fn exit(&self) -> Exit {
        Exit::BadConfiguration
    }

    fn says(&self) -> Option<Said> {
        let en = match self {
            Self::Unreadable { .. } => return None,
            Self::Malformed(mistake) => return Some(mistake.says()),
            Self::NotLoopback {
                file,
                line,
                address,
            } => {
                let file = file.display();
                format!("{file}, line {line}, http.listen: {address} is not a loopback address")
            }
            Self::Given {
                origin, key, told, ..
            } => {
                let Said { zh, en } = &**told;
                let (zh, en) = (
                    format!("{origin}, {key}: {zh}"),
                    format!("{origin}, {key}: {en}"),
                );
                return Some(Said::new(zh, en));
            }
            Self::GivenNotLoopback {
                origin, address, ..
            } => format!("{origin}, http.listen: {address} is not a loopback address"),
            Self::Layer(error) => return Some(error.says()),
        };
        Some(Said::new(self.to_string(), en))
    }

    fn next(&self) -> Option<String> {
        if let Self::Unreadable { source, .. } = self
            && source.kind() == io::ErrorKind::NotFound
        {
            // Checking what is not there finds the same again.
            return Some("tongban init --help".to_owned());
        }
        let (Self::Unreadable { file, .. }
        | Self::Malformed(Mistake { file, .. })
        | Self::NotLoopback { file, .. }
        | Self::Given { file, .. }
        | Self::GivenNotLoopback { file, .. }) = self
        else {
            return None;
        };
        Some(format!("tongban config check --config {}", file.display()))
    }
}
